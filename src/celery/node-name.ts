/** Celery's name for a worker or a beat without a given name (celery/beat.py `beat_nodename`). */
const DEFAULT_NAME = "celery";
export const BEAT_NAME = "celerybeat";

/**
 * The full node name that `-n` gives a worker, by Celery's rules (celery/utils/nodenames.py `default_nodename`,
 * `host_format`). A bare word is the host part. An empty part takes its default. `%h` is the host name, `%n` its first
 * label, `%d` the rest of it. In the main process `%i` is 0 and `%I` empty. Case is kept. `%%` is kept too, as in
 * Celery up to 5.6: see {@link laterNodeName}.
 *
 * @param hostname `gethostname()` of the worker's machine
 * @param byDefault the name of a worker without `-n`
 */
export function nodeName(given: string, hostname: string, byDefault = DEFAULT_NAME): string {
  return named(given, hostname, byDefault, /%([hndiI])/g);
}

/**
 * The name since Celery 5.7, where `%%` is a percent sign (celery/utils/text.py RE_FORMAT). Null: the name is the same.
 */
export function laterNodeName(given: string, hostname: string): string | null {
  return given.includes("%%") ? named(given, hostname, DEFAULT_NAME, /%([hndiI%])/g) : null;
}

function named(given: string, hostname: string, byDefault: string, abbreviation: RegExp): string {
  const at = given.indexOf("@");
  const name = at === -1 ? "" : given.slice(0, at);
  const host = at === -1 ? given : given.slice(at + 1);
  const dot = hostname.indexOf(".");
  const values: Readonly<Record<string, string>> = {
    h: hostname,
    n: dot === -1 ? hostname : hostname.slice(0, dot),
    d: dot === -1 ? "" : hostname.slice(dot + 1),
    i: "0",
    I: "",
    "%": "%",
  };
  const expand = (text: string) => text.replace(abbreviation, (_, letter: string) => values[letter] ?? "");
  return `${expand(name || byDefault)}@${expand(host || hostname)}`;
}

/**
 * A path with its `%` parts filled in for the main process (celery/utils/nodenames.py `node_format`,
 * celery/platforms.py).
 */
export function filledIn(path: string, node: string): string {
  const at = node.indexOf("@");
  const values: Readonly<Record<string, string>> = {
    ...{ h: node, n: node.slice(0, at), d: node.slice(at + 1), p: node, i: "0", I: "" },
    "%": "%",
  };
  return path.replace(/%([hndpiI%])/g, (_, letter: string) => values[letter] ?? "");
}

/** Whether the node is a beat that answers pings, not a worker (Celery ≥ 5.7, `--enable-remote-control`). */
export function isBeat(node: string): boolean {
  return node.startsWith(`${BEAT_NAME}@`);
}
