import { type BrokerFailure, isCode } from "./failure.ts";

/** Makes a server's words safe to print. */
export type Hide = (text: string) => string;

/** How Redis repeats the arguments of an unknown command, cut at 128 characters. */
const ECHO = /,? with args beginning with:.*$/s;

/** Removes `secret` from a server's words. A real or a false server may repeat what we sent. */
export function hiding(secret: string | undefined): Hide {
  return (text) => {
    // The code at the front tells causes apart, even if the password is a part of it. A code that we do not know may be
    // the password itself.
    const word = /^[A-Z]+(?= )/.exec(text)?.[0] ?? "";
    const code = isCode(word) ? word : "";
    return code + without(text.slice(code.length).replace(ECHO, ""), [secret]);
  };
}

/** The text with every occurrence of a secret masked. */
export function without(text: string, secrets: readonly (string | undefined)[]): string {
  const known = secrets.filter((one) => one !== undefined && one !== "") as readonly string[];
  // If two secrets begin alike, the longer one is masked first. Otherwise its end would stay.
  return [...known]
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}

/** Possible answers of a false broker that are not our secrets. */
const KNOWN = new Set(["OK", "QUEUED", "PONG", "none"]);

/**
 * Describes an unexpected reply without repeating it. The reply may contain what we sent, including passwords, and no
 * mask finds these in every form.
 */
export function kindOfReply(value: unknown): string {
  if (typeof value === "string" && KNOWN.has(value)) return `'${value}'`;
  if (typeof value === "string") return value === "" ? "an empty text" : `a text of length ${value.length}`;
  if (Array.isArray(value)) return `a list of length ${value.length}`;
  return typeof value === "number" ? (value < 0 ? "a number below 0" : "a number") : "nothing";
}

/** The failure with words that are safe to print. */
export function masked(problem: BrokerFailure, hide: Hide): BrokerFailure {
  return { ...problem, detail: hide(problem.detail) };
}
