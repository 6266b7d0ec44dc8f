import { asText } from "../../numbers.ts";
import { redact } from "../../broker/url.ts";
import { unquote } from "../../broker/url-parts.ts";
import { maskText } from "../../inspect/mask-text.ts";
import { asObject, parseJson } from "../../pidbox/envelope.ts";
import type { FlowerFacts } from "../facts/flower.ts";
import { finding } from "../levels.ts";
import type { Scene, Topic } from "../scene.ts";

/** Flower may take so long to answer, in milliseconds. */
const WAIT_MS = 5_000;

/** Where its workers are, as JSON: from 2.0, and before. They need no API key, and the same login as its pages. */
const PAGES = ["workers", "dashboard"] as const;

/** The Flower of `--flower`. */
export const flower: Topic = async (scene) => {
  const given = scene.config.flower.value;
  return given === null
    ? []
    : [finding("flower", null, { url: redact(given), ...(await ask(scene, given)) })];
};

type Seen<F = FlowerFacts["flower"]> = F extends unknown ? Omit<F, "url"> : never;

async function ask({ host, deadline, told, isMeant }: Scene, given: string): Promise<Seen> {
  const { username, password, origin, pathname } = new URL(given);
  // Flower's own variable: user:password, or several with commas.
  const [variable = ""] = (host.env["FLOWER_BASIC_AUTH"] ?? "").split(",");
  const login = username === "" ? variable : `${unquote(username)}:${unquote(password)}`;
  const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
  const base = origin + pathname.replace(/(?<!\/)\/+$/, "");
  const web = await host.web();
  let other: Seen = { kind: "other", status: 0, location: null };
  for (const page of PAGES) {
    const headers: Readonly<Record<string, string>> = login === "" ? {} : { authorization };
    const answer = await web(`${base}/${page}?json=1`, headers, deadline.atMost(WAIT_MS));
    if (!answer.ok) return { kind: "unreachable", detail: answer.problem };
    const { status, body } = answer.value;
    const location = answer.value.headers["location"] ?? null;
    if (status === 401 || status === 403 || /\/login\b/.test(location ?? ""))
      return { kind: "login", isGiven: login !== "" };
    other = { kind: "other", status, location: location === null ? null : maskText(location) };
    const data = asObject(parseJson(body))?.["data"];
    if (status !== 200 || !Array.isArray(data)) continue;
    const online = data.flatMap((row) => {
      const { status: isOnline, hostname } = asObject(row) ?? {};
      return isOnline === true ? [asText(hostname)] : [];
    });
    const answering = [...(await told("stats")).keys()].filter(isMeant);
    const missing = answering.filter((node) => !online.includes(node));
    return { kind: "lists", online: online.length, answering: answering.length, missing };
  }
  return other;
}
