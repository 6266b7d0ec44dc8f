import { type BrokerFailure, isCode } from "./failure.ts";

/** Makes a server's words fit to be printed. */
export type Hide = (text: string) => string;

/** How Redis repeats the arguments of a command that it does not know, cut at 128 characters. */
const ECHO = /,? with args beginning with:.*$/s;

/** Removes `secret` from a server's words. A real or false server may repeat what it was sent. */
export function hiding(secret: string | undefined): Hide {
  return (text) => {
    // The code in front tells causes apart, and a password may be a part of it; one that we do not know may be all of it.
    const word = /^[A-Z]+(?= )/.exec(text)?.[0] ?? "";
    const code = isCode(word) ? word : "";
    return code + without(text.slice(code.length).replace(ECHO, ""), [secret]);
  };
}

/** The text with secrets masked wherever they stand. */
export function without(text: string, secrets: readonly (string | undefined)[]): string {
  const known = secrets.filter((one) => one !== undefined && one !== "") as readonly string[];
  // Of two that begin alike the longer one, or its end would stay.
  return [...known]
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}

/** Answers of a false broker that are not our secrets. */
const KNOWN = new Set(["OK", "QUEUED", "PONG", "none"]);

/**
 * Describes an unexpected reply without repeating it. It may contain what the server was sent, passwords too, and no
 * mask finds these in every form.
 */
export function kindOfReply(value: unknown): string {
  if (typeof value === "string" && KNOWN.has(value)) return `'${value}'`;
  if (typeof value === "string") return value === "" ? "an empty text" : `a text of length ${value.length}`;
  if (Array.isArray(value)) return `a list of length ${value.length}`;
  return typeof value === "number" ? (value < 0 ? "a number below 0" : "a number") : "nothing";
}

/** The failure with its words made fit to be printed. */
export function masked(problem: BrokerFailure, hide: Hide): BrokerFailure {
  return { ...problem, detail: hide(problem.detail) };
}
