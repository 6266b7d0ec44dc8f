/** What Celery itself calls a worker that was given no name, and a beat (celery/beat.py `beat_nodename`). */
const DEFAULT_NAME = "celery";
export const BEAT_NAME = "celerybeat";

/**
 * The full node name for what a worker was given as `-n`, by Celery's rules (celery/utils/nodenames.py
 * `default_nodename`, `host_format`): a bare word is the host part, an empty part takes its default,
 * `%h` is the host name, `%n` its first label, `%d` the rest of it; `%i` is 0 and `%I` empty in the main process.
 * Case is kept.
 *
 * @param hostname `gethostname()` of the machine the worker runs on
 * @param byDefault the name of who was given none
 */
export function nodeName(given: string, hostname: string, byDefault = DEFAULT_NAME): string {
  const at = given.indexOf("@");
  const name = at === -1 ? "" : given.slice(0, at);
  const host = at === -1 ? given : given.slice(at + 1);
  return `${expand(name || byDefault, hostname)}@${expand(host || hostname, hostname)}`;
}

function expand(text: string, hostname: string): string {
  const dot = hostname.indexOf(".");
  const values: Readonly<Record<string, string>> = {
    h: hostname,
    n: dot === -1 ? hostname : hostname.slice(0, dot),
    d: dot === -1 ? "" : hostname.slice(dot + 1),
    i: "0",
    I: "",
  };
  return text.replace(/%([hndiI])/g, (_, letter: string) => values[letter] ?? "");
}

/** Whether the node is a beat that answers pings (Celery ≥ 5.7, `--enable-remote-control`) and no worker. */
export function isBeat(node: string): boolean {
  return node.startsWith(`${BEAT_NAME}@`);
}
