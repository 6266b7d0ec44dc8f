import { type BrokerFailure, isCode } from "./failure.ts";

/** Makes a server's words fit to be printed. */
export type Hide = (text: string) => string;

/** How Redis repeats the arguments of a command that it does not know, cut at 128 characters. */
const ECHO = /,? with args beginning with:.*$/s;

/** A server, and what only poses as one, may repeat what it was sent: takes `secret` out of what it says. */
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

/** What a server that poses as a broker may answer to anything, and that is no secret of ours. */
const KNOWN = new Set(["OK", "QUEUED", "PONG", "none"]);

/**
 * What a reply is that should have been another one. It is not repeated: it may repeat what the server was sent, a
 * password among it, and no mask finds that in every form.
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
