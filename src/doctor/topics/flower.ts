import { redact } from "../../broker/url.ts";
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
  if (given === null) return [];
  return [finding("flower", null, await ask(scene, given))];
};

/** A percent sign may also be meant as one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function ask({ host, deadline, told }: Scene, given: string): Promise<FlowerFacts["flower"]> {
  const address = new URL(given);
  const url = redact(given);
  // Flower's own variable: user:password, or several with commas.
  const [variable = ""] = (host.env["FLOWER_BASIC_AUTH"] ?? "").split(",");
  const login =
    address.username === "" ? variable : `${decoded(address.username)}:${decoded(address.password)}`;
  address.username = "";
  address.password = "";
  address.search = "";
  address.hash = "";
  const base = address.href.replace(/(?<!\/)\/+$/, "");
  const headers: Readonly<Record<string, string>> =
    login === "" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
  const web = await host.web();
  let [status, location]: [number, string | null] = [0, null];
  for (const page of PAGES) {
    const answer = await web(`${base}/${page}?json=1`, headers, deadline.atMost(WAIT_MS));
    if (!answer.ok) return { kind: "unreachable", url, detail: answer.problem };
    ({ status } = answer.value);
    const leadsTo = answer.value.headers["location"];
    location = leadsTo === undefined ? null : maskText(leadsTo);
    const isLogin = status === 401 || status === 403 || /\/login\b/.test(location ?? "");
    if (isLogin) return { kind: "login", url, isGiven: login !== "" };
    const data = asObject(parseJson(answer.value.body))?.["data"];
    if (status !== 200 || !Array.isArray(data)) continue;
    const workers = data.map(asObject).filter((one) => one !== null);
    const online = workers.filter((one) => one["status"] === true).map((one) => String(one["hostname"]));
    const answering = [...(await told("stats")).keys()];
    return {
      kind: "lists",
      url,
      server: answer.value.headers["server"] ?? null,
      online: online.length,
      listed: workers.length,
      answering: answering.length,
      missing: answering.filter((node) => !online.includes(node)),
    };
  }
  return { kind: "other", url, status, location };
}
