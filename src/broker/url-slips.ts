/**
 * Finds the traces of other tools in a URL, which no broker's URL has, and describes them. The descriptions quote names
 * of variables and addresses, but no text that may be a piece of a password.
 */

import { unfilled, unfilledWords } from "../unfilled.ts";

/** What programs write for a missing value. */
const NOTHING: readonly string[] = ["None", "null", "undefined", "nil"];

/** Kubernetes sets `REDIS_PORT=tcp://10.0.0.1:6379` in each container beside a service called redis. */
const SERVICE_LINK = /:(tcp:\/\/[\w.-]{1,253}:\d{1,5})(?:[/?#][^@]{0,200})?$/;

/**
 * Every slip contains one of these signs. Each check reads the URL, and with this one search a good URL needs no other.
 */
const SIGNS = /[\s"'`$]|^%|\{\{|:tcp:/;

/** The slip in the text as a whole; null: no slip of this kind. */
export function slipOf(text: string): string | null {
  if (!SIGNS.test(text)) return null;
  if (/^\s/.test(text)) return "begins with a blank: write it without";
  const quote = /^["'`]|["'`]$/.exec(text)?.[0];
  if (quote !== undefined) {
    return `has a quotation mark (${quote}) at its ${text.startsWith(quote) ? "beginning" : "end"}: write it without, as env files and lists of YAML keep it`;
  }
  const variable = unfilled(text);
  if (variable?.name === text) return unfilledWords(variable, text);
  const link = SERVICE_LINK.exec(text)?.[1];
  if (link !== undefined) {
    return `has '${link}' as its port, which Kubernetes sets as …_PORT for a service of that name: set enableServiceLinks: false, or take another variable`;
  }
  return null;
}

/** The slip in a part that should be a name or a number; null: no slip of this kind. */
export function slipIn(part: string, what: "host" | "port" | "database"): string | null {
  const variable = unfilled(part);
  // In a port, the variable must be the whole text. Otherwise it may be a password whose `@host` is missing.
  if (variable !== null && (what === "host" || variable.name === part)) {
    return unfilledWords(variable, "", { where: ` instead of its ${what}` });
  }
  if (NOTHING.includes(part)) return `has '${part}' as its ${what}: the program that wrote it had no value`;
  return null;
}
