import { FORMAT, reworded, SEVERAL_NAMES } from "./command-option.ts";
import { onOffSwitch, optional, type OptionTable, valued } from "./option.ts";
import { OPTIONS } from "./options.ts";
import { interval, probePath } from "./fleet-values.ts";
import { duration, filePath, listenPlace } from "./values.ts";

/** The options of `watch`. */
export const WATCH = {
  node: reworded(OPTIONS.node, { summary: "show only this node", otherwise: "all", details: SEVERAL_NAMES }),
  queue: reworded(OPTIONS.queue, {
    summary: "show this queue too, besides the queues that the workers consume",
    details: SEVERAL_NAMES,
  }),
  interval: valued(
    "DURATION",
    interval,
    { value: 2_000, text: "2s" },
    { group: "output", summary: "time from one picture to the next" },
  ),
  // The time limits of a whole fleet are not known, so there is a fixed default.
  "busy-grace": valued(
    "DURATION",
    duration,
    { value: 300_000, text: "5m" },
    { group: "verdict", summary: "longest silence of a worker; after it the worker is hung" },
  ),
  output: {
    ...FORMAT,
    summary: "text: a screen, or lines; json: one object a picture, as serve gives it",
  },
  once: onOffSwitch({ group: "output", summary: "show one picture, then end" }),
} as const satisfies OptionTable;

/** The options of `serve`. */
export const SERVE = {
  listen: valued(
    "HOST:PORT|PATH",
    listenPlace,
    { value: { kind: "tcp", host: "127.0.0.1", port: 9_540 }, text: "127.0.0.1:9540" },
    {
      group: "serve",
      summary: "where to listen: an address, or the path of a socket",
      details:
        "Only this machine or pod reaches 127.0.0.1. Every machine reaches 0.0.0.0:9540 and [::]:9540: set " +
        "--http-token-file too. Port 0 takes a free one.",
    },
  ),
  node: reworded(OPTIONS.node, { summary: "watch only this node", otherwise: "all", details: SEVERAL_NAMES }),
  queue: reworded(OPTIONS.queue, {
    summary: "measure this queue too, besides the queues that the workers consume",
    details: SEVERAL_NAMES,
  }),
  interval: valued(
    "DURATION",
    interval,
    { value: 30_000, text: "30s" },
    { group: "verdict", summary: "time between two rounds of questions to the whole fleet" },
  ),
  share: onOffSwitch({
    group: "serve",
    summary: "write verdicts to the broker, for check --accept-shared",
    details:
      "They go into one hash, which expires four intervals after the last write. `serve` must watch the whole fleet: not " +
      "together with --node or --placement beside.",
  }),
  "http-token-file": optional("PATH", filePath, {
    group: "serve",
    summary: "file with the token that clients need, except for probes",
    details:
      "Clients send it as `Authorization: Bearer TOKEN`, or as the password of Basic, which browsers ask for. The paths of " +
      "probes need none, as kubelet's `httpGet` has no secrets. 16 characters or more. No other user may read the file.",
  }),
  "http-cert": optional("PATH", filePath, {
    group: "serve",
    summary: "certificate in PEM, to speak HTTPS; may hold the key too",
  }),
  "http-key": optional("PATH", filePath, { group: "serve", summary: "key of --http-cert in PEM" }),
  ask: optional("PATH", probePath, {
    group: "serve",
    summary: "ask the serve that listens at --listen for this path, and end: exit 0 for status 200",
    details:
      "For health checks of a container that has no curl, such as `--ask /livez`. It prints the first line of the answer, " +
      "and waits 5 seconds at most. Any certificate is fine, as for kubelet.",
  }),
} as const satisfies OptionTable;
