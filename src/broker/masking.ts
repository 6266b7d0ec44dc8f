import type { BrokerFailure } from "./failure.ts";

/** Makes a server's words fit to be printed. */
export type Hide = (text: string) => string;

/** How Redis repeats the arguments of a command that it does not know, cut at 128 characters. */
const ECHO = /,? with args beginning with:.*$/s;

/** A server, and what only poses as one, may repeat what it was sent: takes `secret` out of what it says. */
export function hiding(secret: string | undefined): Hide {
  return (text) => {
    // The code in front tells causes apart, and a password may be a part of it.
    const code = /^[A-Z]+ /.exec(text)?.[0] ?? "";
    const words = text.slice(code.length).replace(ECHO, "");
    return code + (secret === undefined || secret === "" ? words : words.replaceAll(secret, "***"));
  };
}

/** The failure with its words made fit to be printed. */
export function masked(problem: BrokerFailure, hide: Hide): BrokerFailure {
  return { ...problem, detail: hide(problem.detail) };
}
