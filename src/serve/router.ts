import type { FleetView } from "../fleet/fleet-view.ts";
import type { HttpAnswer, HttpRequest } from "../machine/parts.ts";
import { exposition, type Format, FORMATS } from "../render/exposition.ts";
import { fleetJson, queueJson, queuesJson, workerJson, workersJson } from "../render/fleet-json.ts";
import { json, lines, ours, type Printable } from "../render/gate.ts";
import { brief } from "../render/speech.ts";
import { formatFor } from "./accept.ts";
import { type Events } from "./events.ts";
import { familiesOf, type OwnUsage } from "./metrics.ts";
import { PAGE } from "./page/page.ts";
import { ofFleet, ofLocal, ofNode, ownLiveness, ownReadiness, type ProbeAnswer } from "./probes.ts";
import { isAllowed } from "./token.ts";
import { oncePerView } from "./source.ts";

/** The sources of the answers. */
export interface Served {
  readonly view: () => FleetView;
  /** Seconds since the collector last reported. */
  readonly silentS: () => number;
  readonly own: () => OwnUsage;
  readonly version: string;
  readonly events: Events;
  /** Clients must show this token for everything except probes; null: no token is needed. */
  readonly token: string | null;
}

type Answerer = (request: HttpRequest, parts: Parts) => HttpAnswer;

interface Parts {
  /** The path, percent-decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Answers requests from memory. Probes need no token, because kubelet's httpGet has no secrets. */
export function router(served: Served): (request: HttpRequest) => HttpAnswer {
  const probes = probeRoutes(served);
  const others = otherRoutes(served);
  return (request) => {
    if (request.method !== "GET" && request.method !== "HEAD")
      return { ...text(405, NOT_ALLOWED), headers: ALLOW };
    const parts = partsOf(request.target);
    if (parts === null)
      return text(400, "the path is not percent-encoded UTF-8: expected one such as /livez");
    const probe = find(probes, parts.path);
    if (probe !== undefined) return probe(request, parts);
    if (served.token !== null && !isAllowed(request.headers["authorization"], served.token)) {
      return { ...text(401, TOKEN_WANTED), headers: { ...PLAIN, ...CHALLENGE } };
    }
    const other = find(others, parts.path);
    return other === undefined
      ? text(404, `there is no ${brief(parts.path)} here: see /`)
      : other(request, parts);
  };
}

const NOT_ALLOWED = "this method is not accepted: expected GET or HEAD";
const TOKEN_WANTED =
  "a token is wanted: send Authorization: Bearer TOKEN, with the content of --http-token-file";

/** An answer must not be cached, and its type must not be guessed. */
const COMMON = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;
const PLAIN = { ...COMMON, "content-type": "text/plain; charset=utf-8" } as const;
const JSON_TYPE = { ...COMMON, "content-type": "application/json; charset=utf-8" } as const;
const ALLOW = { ...PLAIN, allow: "GET, HEAD" } as const;
const CHALLENGE = { "www-authenticate": 'Basic realm="celery-probe", charset="UTF-8"' } as const;

type Routes = readonly (readonly [path: RegExp, answer: Answerer])[];

function find(routes: Routes, path: string): Answerer | undefined {
  return routes.find(([known]) => known.test(path))?.[1];
}

function probeRoutes({ view, silentS }: Served): Routes {
  const nameIn = ({ path }: Parts) => path.slice(path.indexOf("/", 1) + 1);
  const question = ({ path }: Parts) => (path.startsWith("/livez/") ? "livez" : "readyz");
  return [
    [/^\/livez$/, () => probeAnswer(ownLiveness(silentS()))],
    [/^\/(?:readyz|health)$/, () => probeAnswer(ownReadiness(view()))],
    [/^\/(?:livez|readyz|health)\/local$/, (_, parts) => probeAnswer(ofLocal(view(), question(parts)))],
    [
      /^\/(?:livez|readyz|health)\/./s,
      (_, parts) => probeAnswer(ofNode(view(), question(parts), nameIn(parts))),
    ],
    [
      /^\/fleet$/,
      (_, { query }) => {
        const min = query.get("min") ?? "";
        return /^\d{1,6}$/.test(min)
          ? probeAnswer(ofFleet(view(), Number(min)))
          : text(400, "min is missing or no whole number: expected /fleet?min=3");
      },
    ],
  ];
}

function otherRoutes({ view, own, version, events }: Served): Routes {
  const metrics = oncePerViewAndFormat(own);
  const workers = oncePerView((seen) => workersJson(seen, version));
  const queues = oncePerView(queuesJson);
  const nameIn = ({ path }: Parts) => path.split("/").slice(4).join("/");
  return [
    [/^\/$/, () => ({ status: 200, headers: PAGE_HEADERS, body: PAGE_BYTES })],
    [
      /^\/metrics$/,
      ({ headers }) => {
        const format = formatFor(headers["accept"]);
        const type = { "content-type": FORMATS[format], vary: "accept" };
        return { status: 200, headers: { ...COMMON, ...type }, body: metrics[format](view()) };
      },
    ],
    [/^\/api\/v1\/workers$/, () => ({ status: 200, headers: JSON_TYPE, body: workers(view()) })],
    [/^\/api\/v1\/queues$/, () => ({ status: 200, headers: JSON_TYPE, body: queues(view()) })],
    [
      /^\/api\/v1\/workers\/./s,
      (_, parts) => {
        const name = nameIn(parts);
        const node = view().nodes.find((one) => one.node === name);
        return node === undefined
          ? missing(`no worker ${brief(name)} was seen`)
          : found(workerJson(view(), node));
      },
    ],
    [
      /^\/api\/v1\/queues\/./s,
      (_, parts) => {
        const name = nameIn(parts);
        const queue = view().queues.find((one) => one.queue === name);
        return queue === undefined
          ? missing(`no queue ${brief(name)} is known`)
          : found(queueJson(view(), queue));
      },
    ],
    [
      /^\/events$/,
      () => (events.isFull() ? { ...text(503, STREAMS_FULL), headers: LATER } : eventStream(events)),
    ],
  ];
}

const PAGE_BYTES = Buffer.from(ours(PAGE.html));
const PAGE_HEADERS = {
  ...COMMON,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": PAGE.policy,
  "referrer-policy": "no-referrer",
} as const;

const STREAMS_FULL = "no more streams are given: close one, or read /api/v1/workers";
const LATER = { ...PLAIN, "retry-after": "10" } as const;

function eventStream(events: Events): HttpAnswer {
  // Without this header, an nginx proxy would buffer the events.
  const headers = {
    ...COMMON,
    "content-type": "text/event-stream; charset=utf-8",
    "x-accel-buffering": "no",
  };
  return { status: 200, headers, body: events.add };
}

/** One event of `/events`. JSON has no line ends within it. */
export function eventOf(version: string): (view: FleetView) => Uint8Array {
  return oncePerView((view) => ours(`event: fleet\ndata: ${fleetJson(view, version)}\n`));
}

function oncePerViewAndFormat(own: () => OwnUsage): {
  readonly [F in Format]: (view: FleetView) => Uint8Array;
} {
  const of = (format: Format) => oncePerView((view) => exposition(familiesOf(view, own()), format));
  return { text: of("text"), openmetrics: of("openmetrics") };
}

function probeAnswer({ status, line }: ProbeAnswer): HttpAnswer {
  return text(status, line);
}

function text(status: number, line: string): HttpAnswer {
  return { status, headers: PLAIN, body: Buffer.from(lines([line])) };
}

function found(object: Printable): HttpAnswer {
  return { status: 200, headers: JSON_TYPE, body: Buffer.from(object) };
}

function missing(message: string): HttpAnswer {
  return { status: 404, headers: JSON_TYPE, body: Buffer.from(json({ schema: 1, message })) };
}

/** Path and query of a request's target (RFC 9112, 3.2); null: it cannot be read. */
function partsOf(target: string): Parts | null {
  const [path = "", query = ""] = target.replace(/^https?:\/\/[^/?]*/i, "").split("?", 2);
  // Node returns bytes as Latin-1. Clients that do not encode send UTF-8.
  const raw = Buffer.from(path, "latin1").toString("utf8");
  try {
    return { path: decodeURIComponent(raw === "" ? "/" : raw), query: new URLSearchParams(query) };
  } catch {
    return null;
  }
}
