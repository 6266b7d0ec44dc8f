/** What Celery itself calls a worker that was given no name, and a beat (celery/beat.py `beat_nodename`). */
const DEFAULT_NAME = "celery";
export const BEAT_NAME = "celerybeat";

/**
 * The full node name that `-n` gives a worker, by Celery's rules (celery/utils/nodenames.py `default_nodename`,
 * `host_format`). A bare word is the host part; an empty part takes its default. `%h` is the host name, `%n` its
 * first label, `%d` the rest of it. In the main process `%i` is 0 and `%I` empty. Case is kept, and so is `%%`, as up
 * to Celery 5.6: see {@link laterNodeName}.
 *
 * @param hostname `gethostname()` of the machine the worker runs on
 * @param byDefault the name of a worker without `-n`
 */
export function nodeName(given: string, hostname: string, byDefault = DEFAULT_NAME): string {
  return named(given, hostname, byDefault, /%([hndiI])/g);
}

/** The name since Celery 5.7, where `%%` is a percent sign (celery/utils/text.py RE_FORMAT); null: the same. */
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

/** The path of a file as Celery fills it in for the main process (celery/utils/nodenames.py `node_format`, celery/platforms.py). */
export function filledIn(path: string, node: string): string {
  const at = node.indexOf("@");
  const values: Readonly<Record<string, string>> = {
    ...{ h: node, n: node.slice(0, at), d: node.slice(at + 1), p: node, i: "0", I: "" },
    "%": "%",
  };
  return path.replace(/%([hndpiI%])/g, (_, letter: string) => values[letter] ?? "");
}

/** Whether the node is a beat that answers pings (Celery ≥ 5.7, `--enable-remote-control`) and no worker. */
export function isBeat(node: string): boolean {
  return node.startsWith(`${BEAT_NAME}@`);
}
