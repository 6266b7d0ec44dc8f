import { redact } from "../../broker/url.ts";
import { unquote } from "../../broker/url-parts.ts";
import { asObject, parseJson } from "../../pidbox/envelope.ts";
import { finding } from "../levels.ts";
import type { Topic } from "../scene.ts";

/** Addresses of login pages: Flower redirects to /login, a proxy in front of it to a page of its own. */
const SIGN_IN = /\b(?:log_?in|sign_?in|oauth2?|authorize|saml|sso)\b/i;

/**
 * Reads the table of workers of `--flower`, which needs no API key. Its page is /workers since Flower 2.0, /dashboard
 * before.
 */
export const flower: Topic = async ({ config, host, deadline, told, isMeant }) => {
  if (config.flower.value === null) return [];
  const { username, password, origin, pathname } = new URL(config.flower.value);
  // Flower's own variable: user:password, or several with commas.
  const variable = host.env["FLOWER_BASIC_AUTH"]?.split(",")[0] ?? "";
  const login = username === "" ? variable : `${unquote(username)}:${unquote(password)}`;
  const url = redact(config.flower.value);
  const web = await host.web();
  let detail = "";
  for (const page of ["workers", "dashboard"]) {
    const address = `${origin}${pathname.replace(/(?<!\/)\/+$/, "")}/${page}?json=1`;
    const answer = await web(address, login, deadline.atMost(5_000));
    if (!answer.ok) return [finding("flower", null, { url, kind: "unusable", detail: answer.problem })];
    const { status, body, headers } = answer.value;
    const { location = "", "www-authenticate": way = "" } = headers;
    const by = /^basic/i.test(way) ? "basic" : "page";
    if (status === 401 || status === 403 || SIGN_IN.test(location))
      return [finding("flower", null, { url, kind: "login", by, isGiven: login !== "" })];
    const rows = status === 200 ? asObject(parseJson(body))?.["data"] : null;
    if (Array.isArray(rows)) {
      const online = rows.map(asObject).flatMap((row) => (row?.["status"] === true ? [row["hostname"]] : []));
      const own = [...(await told("stats")).keys()].filter(isMeant);
      const counts = { online: online.length, answering: own.length };
      const missing = own.filter((node) => !online.includes(node));
      return [finding("flower", null, { url, kind: "lists", ...counts, missing })];
    }
    detail = `status ${status} ${redact(location.replace(/\?.*/s, ""))}`.trim();
  }
  return [finding("flower", null, { url, kind: "unusable", detail })];
};
