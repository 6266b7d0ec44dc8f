import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AT_S, fleet, HUNG, LOST, NO_ROUND, node, outage, queue } from "./fleet.ts";
import { asked, serving } from "./served.ts";
import type { FleetView } from "../../src/fleet/fleet-view.ts";

const WELL = node("celery@well");
const SICK = node("celery@sick", HUNG);
const UNKNOWN = node("celery@unknown", LOST);
const ALL = fleet([SICK, UNKNOWN, WELL]);
const LEFT = fleet([WELL], { left: new Map([["celery@left", AT_S - 12]]) });

const local = (view: FleetView) => ({ ...view, nodes: view.nodes.map((one) => ({ ...one, isLocal: true })) });

describe("a probe gets its status and one line", () => {
  test.each<[what: string, view: FleetView, path: string, status: number, line: RegExp]>([
    ["we run", ALL, "/livez", 200, /^healthy: /],
    ["we run and the broker is gone", outage([]), "/livez", 200, /^healthy: /],
    [
      "the fleet has answered",
      ALL,
      "/readyz",
      200,
      /^healthy: 3 workers watched on redis:\/\/redis:6379\/0$/,
    ],
    ["the fleet has answered", ALL, "/health", 200, /^healthy: /],
    [
      "the first round is not done",
      fleet([], { rounds: NO_ROUND }),
      "/readyz",
      503,
      /^unknown: undecided: the first question/,
    ],
    [
      "the broker is gone",
      outage([WELL]),
      "/health",
      503,
      /^unknown: broker-unreachable: .*refused.*; hint: /,
    ],
    ["a worker is healthy", ALL, "/livez/celery@well", 200, /^healthy: alive: celery@well/],
    ["a worker is healthy", ALL, "/readyz/celery%40well", 200, /^healthy: alive: celery@well/],
    ["a worker is healthy", ALL, "/health/celery@well?verbose", 200, /^healthy: alive: /],
    ["a worker hangs", ALL, "/livez/celery@sick", 503, /^unhealthy: hung: celery@sick/],
    ["a worker hangs", ALL, "/health/celery@sick", 503, /^unhealthy: hung: /],
    ["a worker is unknown", ALL, "/livez/celery@unknown", 200, /^unknown: broker-unreachable: /],
    ["a worker is unknown", ALL, "/readyz/celery@unknown", 503, /^unknown: broker-unreachable: /],
    [
      "a worker said goodbye",
      LEFT,
      "/livez/celery@left",
      200,
      /^unknown: gone: celery@left: it said goodbye 12 s ago/,
    ],
    ["a worker said goodbye", LEFT, "/readyz/celery@left", 503, /^unknown: gone: celery@left: /],
    ["a worker said goodbye", LEFT, "/livez/celery@none", 404, /^unknown: no worker celery@none was seen/],
    ["a worker was never seen", ALL, "/livez/celery@none", 404, /^unknown: no worker celery@none was seen/],
    ["a worker was never seen", ALL, "/health/celery@none", 404, /^unknown: no worker celery@none was seen/],
    [
      "a worker may be one that is subscribed and silent",
      fleet([WELL], { nameless: 1 }),
      "/livez/celery@none",
      200,
      /^unknown: undecided: celery@none: it was not heard, and may be the worker that is subscribed and has told no name$/,
    ],
    [
      "a worker may be one that is subscribed and silent",
      fleet([WELL], { nameless: 2 }),
      "/readyz/celery@none",
      503,
      /^unknown: undecided: celery@none: it was not heard, and may be one of 2 workers that are subscribed and have told no name$/,
    ],
    [
      "nothing could be seen yet",
      fleet([], { rounds: NO_ROUND }),
      "/livez/celery@none",
      200,
      /^unknown: undecided: /,
    ],
    ["nothing could be seen yet", fleet([], { rounds: NO_ROUND }), "/readyz/celery@none", 503, /^unknown: /],
    ["the broker is gone", outage([]), "/livez/celery@none", 200, /^unknown: broker-unreachable: /],
    ["the broker is gone", outage([]), "/health/celery@none", 503, /^unknown: broker-unreachable: /],
    ["all local ones are healthy", local(fleet([WELL])), "/livez/local", 200, /^healthy: alive: celery@well/],
    [
      "a local one hangs",
      local(ALL),
      "/livez/local",
      503,
      /^unhealthy: hung: celery@sick.*; 3 workers in sight$/,
    ],
    ["a local one is unknown", local(fleet([UNKNOWN, WELL])), "/livez/local", 200, /^unknown: /],
    ["a local one is unknown", local(fleet([UNKNOWN, WELL])), "/health/local", 503, /^unknown: /],
    [
      "those elsewhere do not count",
      fleet([SICK]),
      "/livez/local",
      200,
      /^unknown: no worker's process is in sight/,
    ],
    ["no process is in sight", fleet([SICK]), "/readyz/local", 503, /shareProcessNamespace: true/],
    ["enough are healthy", ALL, "/fleet?min=1", 200, /^healthy: 1 of 3 workers healthy, 1 expected$/],
    ["too few are healthy", ALL, "/fleet?min=2", 503, /^unhealthy: 1 of 3 workers healthy, 2 expected$/],
    ["the broker is gone", outage([UNKNOWN]), "/fleet?min=1", 503, /^unknown: broker-unreachable: /],
    ["the number is missing", ALL, "/fleet", 400, /expected \/fleet\?min=3$/],
    ["it is not a number", ALL, "/fleet?min=-1", 400, /expected \/fleet\?min=3$/],
  ])("%s", (_, view, path, status, line) => {
    const answer = asked(serving(view), path);
    expect(answer.text).toMatch(/^[^\n]+\n$/);
    expect(answer.text.trimEnd()).toMatch(line);
    expect(answer).toMatchObject({ status, headers: { "content-type": "text/plain; charset=utf-8" } });
  });

  test("a collector that has stopped is not alive, and a pause in an outage is no stop", () => {
    expect(asked(serving(ALL, { silentS: 60 }), "/livez").status).toBe(200);
    expect(asked(serving(ALL, { silentS: 121 }), "/livez")).toMatchObject({
      status: 503,
      text: "unhealthy: celery-probe has looked at nothing for 121 s\n",
    });
  });
});

describe("a name is found in a path", () => {
  const NAMES = [
    "celery@web-1",
    "a/b@c/d",
    "größe@häuser",
    "a b@c",
    "a%@b",
    "50%25@b",
    "..@..",
    "a?b#c@d",
    "💥@x",
    "a+b@c",
  ];
  const view = fleet(
    NAMES.map((name) => node(name)),
    { queues: NAMES.map((name) => queue(name)) },
  );

  test.each(NAMES)("%s", (name) => {
    const answer = serving(view);
    for (const path of [`/livez/${encodeURIComponent(name)}`, `/api/v1/workers/${encodeURIComponent(name)}`])
      expect(asked(answer, path)).toMatchObject({
        status: 200,
        text: expect.stringContaining(name) as string,
      });
    expect(JSON.parse(asked(answer, `/api/v1/queues/${encodeURIComponent(name)}`).text)).toMatchObject({
      queue: name,
    });
  });

  test("written as it is, in UTF-8, with slashes", () => {
    const target = Buffer.from("/livez/größe@häuser", "utf8").toString("latin1");
    expect(asked(serving(view), target).status).toBe(200);
    expect(asked(serving(view), "/livez/a/b@c/d").status).toBe(200);
  });
});

describe("a missing path is said in one line", () => {
  test.each([
    ["/nothing", 404],
    ["/livez/", 404],
    ["//livez", 404],
    ["/metrics/", 404],
    ["/metrics/../livez", 404],
    ["/..%2f..%2fetc/passwd", 404],
    ["/api/v1/workers/celery@none", 404],
    ["/api/v1/queues/none", 404],
    ["/%", 400],
    ["/livez/%zz", 400],
    ["/livez/%ff", 400],
    ["http://elsewhere/livez", 200],
  ])("%s gets %i", (target, status) => {
    const answer = asked(serving(ALL), target);
    expect(answer.status).toBe(status);
    if (status !== 200) expect(answer.text).toMatch(/^[^\n]+\n$/);
  });

  test("an absolute URL without a path is the page's", () => {
    expect(asked(serving(ALL), "http://elsewhere")).toEqual(asked(serving(ALL), "/"));
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", ""])("%s gets 405", (method) => {
    const answer = serving(ALL, { token: "x".repeat(16) })({ method, target: "/livez", headers: {} });
    expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });
});

test("every answer forbids keeping and guessing, and none allows other sites", () => {
  for (const target of ["/", "/livez", "/metrics", "/api/v1/workers", "/events", "/none", "/%"]) {
    const { headers } = asked(serving(ALL), target);
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
  expect(asked(serving(ALL), "/").headers["content-security-policy"]).toMatch(
    /^default-src 'none'; .*frame-ancestors 'none'/,
  );
});

test("no target makes it fail", () => {
  const answer = serving(ALL);
  const part = fc.oneof(
    fc.constantFrom(
      "/",
      "livez",
      "local",
      "%40",
      "..",
      "?",
      "min=",
      "#",
      "%",
      "&",
      "api/v1/workers/",
      "http://",
      "\u0000",
      "\ud800",
    ),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const { status, text } = asked(answer, parts.join(""));
      expect([200, 400, 404, 503]).toContain(status);
      if (status === 400 || status === 404) expect(text.length).toBeLessThan(20_000);
    }),
  );
});

describe("a token", () => {
  const TOKEN = "0123456789abcdef";
  const answer = serving(ALL, { token: TOKEN });
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  const GUARDED = [
    "/",
    "/metrics",
    "/api/v1/workers",
    "/api/v1/queues",
    "/api/v1/workers/celery@well",
    "/events",
    "/none",
  ];

  test.each(GUARDED)("guards %s", (target) => {
    const refused = asked(answer, target);
    expect(refused).toMatchObject({
      status: 401,
      headers: { "www-authenticate": expect.stringMatching(/^Basic /) as string },
    });
    expect(refused.text).not.toContain("celery@");
    expect(asked(answer, target, { authorization: `Bearer ${TOKEN}` }).status).not.toBe(401);
  });

  test.each(["/livez", "/readyz", "/health", "/livez/celery@well", "/health/local", "/fleet?min=1"])(
    "does not guard %s, which kubelet asks",
    (target) => {
      expect(asked(answer, target).status).not.toBe(401);
    },
  );

  test.each([
    [{ authorization: `bearer ${TOKEN}` }, 200],
    [basic(`anybody:${TOKEN}`), 200],
    [basic(`:${TOKEN}`), 200],
    [basic(TOKEN), 200],
    [basic(`${TOKEN}:x`), 401],
    [{ authorization: TOKEN }, 401],
    [{ authorization: `Bearer ${TOKEN}x` }, 401],
    [{ authorization: `Bearer ${TOKEN.slice(1)}` }, 401],
    [{ authorization: `Bearer ${TOKEN.replace("a", "b")}` }, 401],
    [{ authorization: "Bearer " }, 401],
    [{ authorization: "" }, 401],
    [{ authorization: "Basic ====" }, 401],
    [{ authorization: `Digest ${TOKEN}` }, 401],
  ])("in %j gets %i", (headers, status) => {
    expect(asked(answer, "/metrics", headers).status).toBe(status);
  });
});

test("a stream is given, and no more than sixteen", () => {
  const answer = serving(ALL);
  const open = () => {
    const given = answer({ method: "GET", target: "/events", headers: {} });
    if (typeof given.body !== "function") return given.status;
    const said: string[] = [];
    given.body({ send: (bytes) => said.push(Buffer.from(bytes).toString()), isBehind: () => false });
    expect(said).toHaveLength(1);
    return said[0] ?? "";
  };
  const first = open();
  expect(first).toMatch(
    /^event: fleet\ndata: \{"workers":\{"schema":1,.*\},"queues":\{"schema":1,.*\}\}\n\n$/,
  );
  for (let more = 2; more <= 16; more += 1) expect(open()).toBe(first);
  expect(open()).toBe(503);
});
