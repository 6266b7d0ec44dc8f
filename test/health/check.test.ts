import { describe, expect, test } from "vitest";
import { gather } from "../../src/health/check.ts";
import type { Evidence } from "../../src/health/evidence.ts";
import { isForgiven } from "../../src/health/exit-code.ts";
import { conclude } from "../../src/health/judge.ts";
import type { Host } from "../../src/host.ts";
import { type Broker, brokerWith, fakeHost, ok, reply } from "./fake-host.ts";
import { listing, POLLING, procWith, SILENT, WORKER } from "./fake-worker.ts";
import { planned } from "./planned.ts";

const evidenceOf = (host: Host) => gather(planned(host), host);
const pongsOf = ({ asking }: Evidence) => (asking.kind === "asked" ? asking.pongs : []);
const publishes = (host: ReturnType<typeof fakeHost>) =>
  host.writes.filter((commands) => commands.some(([name]) => name === "PUBLISH")).length;

/** From afar the answer is waited for as long as it may: nothing else shows that it cannot come. */
const remote = (...argv: string[]) => ["--placement=remote", ...argv];
const answers = () => [reply("celery@web-1", "uuid-1")];

describe("gather, while it asks,", () => {
  test("ends at once when the pong is there", async () => {
    const host = fakeHost({ broker: brokerWith(2, answers) });
    const { asking } = await evidenceOf(host);
    expect(asking).toMatchObject({ kind: "asked", pings: 1, subscribers: 2 });
    expect(asking).toHaveProperty("pongs", [{ node: "celery@web-1", afterMs: 1, copies: 1 }]);
    expect(host.now()).toBeLessThan(40);
    expect(host.writes.at(-1)).toEqual([["closed"]]);
  });

  test("sends exactly the transaction of the protocol when it asks", async () => {
    const host = fakeHost({ broker: brokerWith(1, answers) });
    await evidenceOf(host);
    const [key] = planned(host).route.lists;
    expect(host.writes).toEqual([
      [["TYPE", key], ["MULTI"]],
      [
        ["LTRIM", key, 0, 31],
        ["RPUSH", key, ""],
        ["EXPIRE", key, 86_400],
        ["LRANGE", key, 0, 0],
        ["PUBLISH", "/0.celery.pidbox", expect.any(String)],
        ["EXEC"],
      ],
      [["LRANGE", key, 0, 1]],
      [["closed"]],
    ]);
  });

  test("puts --global-keyprefix in front of key and channel, and not of the routing key, when it asks", async () => {
    const host = fakeHost({ argv: ["--global-keyprefix=gp:"], broker: brokerWith(1, answers) });
    await evidenceOf(host);
    const [type, publish] = [host.writes[0]?.[0], host.writes.flat().find(([name]) => name === "PUBLISH")];
    expect(type).toEqual(["TYPE", expect.stringMatching(/^gp:[0-9a-f-]{36}\.reply\.celery\.pidbox$/)]);
    expect(publish?.[1]).toBe("gp:/0.celery.pidbox");
    const { body } = JSON.parse(String(publish?.[2])) as { body: string };
    expect(Buffer.from(body, "base64").toString()).toContain(`"routing_key":"${planned(host).replyTo}"`);
    expect(planned(host).replyTo).not.toContain("gp:");
  });

  test("writes a message that expires after --timeout, with a tag of its own, when it asks", async () => {
    const host = fakeHost({ broker: brokerWith(1, answers) });
    await evidenceOf(host);
    const publish = host.writes.flat().find(([name]) => name === "PUBLISH");
    expect(JSON.parse(String(publish?.[2]))).toMatchObject({
      headers: { expires: 1_800_000_002 },
      properties: { delivery_tag: "uuid-2" },
    });
  });

  test("asks again with a new ticket when no pong came, and takes the late answer to the first", async () => {
    const broker = brokerWith(1, (time) => (time > 2_500 ? answers() : []));
    const host = fakeHost({ argv: remote(), broker });
    const evidence = await evidenceOf(host);
    expect(evidence.asking).toMatchObject({ kind: "asked", pings: 2, over: false });
    expect(pongsOf(evidence)[0]?.afterMs).toBeGreaterThan(2_400);
    expect(publishes(host)).toBe(2);
  });

  test("looks less and less often when it waits long", async () => {
    const host = fakeHost({ argv: remote("--retries=0", "--any"), broker: brokerWith(1, () => []) });
    await evidenceOf(host);
    const looks = host.writes.filter(([first]) => first?.[0] === "LRANGE").length;
    expect(looks).toBeGreaterThan(40);
    expect(looks).toBeLessThan(130);
  });

  test("asks once more after a second when nobody was subscribed, as the worker may be back", async () => {
    const processes = [{ ...WORKER, connections: POLLING.length }];
    const broker: Broker = (commands, time) => {
      const back = time > 900;
      const replies = time > 1_100 ? [reply("celery@web-1", "uuid-3")] : [];
      return brokerWith(back ? 1 : 0, () => replies, { tell: listing(() => POLLING) })(commands, time);
    };
    const { asking } = await evidenceOf(fakeHost({ broker, proc: () => procWith(processes) }));
    expect(asking).toMatchObject({ pings: 2, subscribers: 1, pongs: [{ node: "celery@web-1" }] });
  });

  test("waits for a worker that has begun to listen since the last ping, before it is called deaf", async () => {
    const processes = [{ ...WORKER, connections: POLLING.length }];
    let pings = 0;
    let askedAt = Infinity;
    const broker: Broker = (commands, time) => {
      if (commands.some(([name]) => name === "PUBLISH")) pings += 1;
      if (pings === 3) askedAt = Math.min(askedAt, time);
      const replies = time > askedAt + 900 ? [reply("celery@web-1", "uuid-5")] : [];
      return brokerWith(pings < 3 ? 0 : 1, () => replies, { tell: listing(() => POLLING) })(commands, time);
    };
    const { asking } = await evidenceOf(fakeHost({ broker, proc: () => procWith(processes) }));
    expect(asking).toMatchObject({ pings: 3, subscribers: 1, pongs: [{ node: "celery@web-1" }] });
  });

  test("does not wait and does not ask again when nobody is subscribed", async () => {
    const host = fakeHost({ argv: ["--any"], broker: brokerWith(0, () => []) });
    const { asking } = await evidenceOf(host);
    expect(asking).toMatchObject({ kind: "asked", pings: 1, subscribers: 0, pongs: [], over: true });
    expect(host.now()).toBeLessThan(40);
  });

  test.each([
    ["another ticket", reply("celery@web-1", "uuid-9")],
    ["another node", reply("celery@web-2", "uuid-1")],
    ["no pong", reply("celery@web-1", "uuid-1", { error: "KeyError('ping')" })],
    ["nothing readable", "{"],
  ])("does not count a reply with %s", async (_, element) => {
    const host = fakeHost({ argv: remote("--retries=0"), broker: brokerWith(1, () => [element]) });
    expect((await evidenceOf(host)).asking).toMatchObject({ kind: "asked", pongs: [] });
  });

  const unread = (ticket: string, bytes: string) =>
    JSON.stringify({
      body: Buffer.from(bytes, "latin1").toString("base64"),
      "content-type": "application/x-python-serialize",
      headers: { ticket },
      properties: { body_encoding: "base64" },
    });

  test.each<[string[], string[], string[]]>([
    [["--node=a@x"], ["…pong"], ["a@x"]],
    [["--node=a@x"], ["…"], []],
    [["--node=a@x,b@x"], ["X\x03a@x ok pong", "X\x03b@x ok pong"], ["a@x", "b@x"]],
    [["--node=a@x,aa@x"], ["X\x04aa@x ok pong"], ["aa@x"]],
    [["--node=a@x,b@x"], ["X\x03c@x ok pong"], []],
    [["--any"], ["X\x03c@x ok pong"], ["unnamed worker 1"]],
    [["--min-nodes=3"], ["X\x03a@x ok pong", "X\x03b@x ok pong"], ["unnamed worker 1", "unnamed worker 2"]],
  ])("counts replies in another serialisation when asked by %j: %j", async (argv, bodies, names) => {
    const list = bodies.map((bytes, position) => unread("uuid-1", bytes + " ".repeat(position)));
    const host = fakeHost({ argv: [...argv, "--retries=0"], broker: brokerWith(1, () => list) });
    const found = pongsOf(await evidenceOf(host)).map(({ node }) => node);
    expect(found.sort()).toEqual(names);
  });

  test("reads what is new and no more when the list is full of old replies", async () => {
    const old = Array.from({ length: 4_000 }, (_, n) => reply(`w${n}@x`, `old-${n}`));
    const news = Array.from({ length: 20 }, (_, n) => reply(`n${n}@x`, "uuid-1"));
    const list = (time: number) => [...(time > 200 ? news : []), ...old];
    const host = fakeHost({
      argv: ["--min-nodes=20"],
      broker: brokerWith(20, list, { before: old[0] ?? "" }),
    });
    const evidence = await evidenceOf(host);
    expect(evidence.asking).toMatchObject({ kind: "asked", pings: 1 });
    expect(pongsOf(evidence)).toHaveLength(20);
    const looks = host.writes
      .filter(([first]) => first?.[0] === "LRANGE")
      .map(([first]) => Number(first?.[3]) + 1);
    expect(Math.max(...looks)).toBe(32);
    expect(looks.filter((size) => size > 2)).toEqual([8, 32]);
  });

  test("waits for every node when several were asked", async () => {
    const host = fakeHost({
      argv: ["--node=a@x,b@x"],
      broker: brokerWith(2, (time) =>
        time > 500 ? [reply("b@x", "uuid-1"), reply("a@x", "uuid-1")] : [reply("a@x", "uuid-1")],
      ),
    });
    const evidence = await evidenceOf(host);
    expect(evidence.asking).toMatchObject({ pings: 1, pongs: [{ node: "a@x" }, { node: "b@x" }] });
    expect(host.now()).toBeGreaterThan(500);
  });

  test("counts workers and no beat when it asks everyone", async () => {
    const host = fakeHost({
      argv: ["--min-nodes=2", "--retries=0"],
      broker: brokerWith(3, () => [
        reply("celerybeat@x", "uuid-1"),
        reply("a@x", "uuid-1"),
        reply("a@x", "uuid-1"),
      ]),
    });
    expect(pongsOf(await evidenceOf(host))).toEqual([{ node: "a@x", afterMs: 2, copies: 2 }]);
  });
});

describe("gather, where time is short,", () => {
  test.each([[remote()], [["--any"]], [[]]])(
    "is over before the deadline when nobody answers: %j",
    async (argv) => {
      const proc = procWith([{ ...WORKER, connections: 3 }]);
      const host = fakeHost({
        argv: [...argv, "--deadline=1s"],
        broker: brokerWith(1, () => [], { tell: listing(() => POLLING) }),
        proc: () => proc,
      });
      const { asking } = await evidenceOf(host);
      expect(asking).toMatchObject({ kind: "asked", pings: 1, over: true, cutShort: true });
      expect(host.now()).toBeLessThan(910);
    },
  );

  test("was not cut short when every ping had its time", async () => {
    const host = fakeHost({ argv: ["--any", "--deadline=9s"], broker: brokerWith(1, () => []) });
    const { asking } = await evidenceOf(host);
    expect(asking).toMatchObject({ pings: 2, over: true, cutShort: false });
    expect(host.now()).toBeGreaterThan(4_000);
  });

  test.each([[remote()], [["--any"]]])(
    "keeps what it saw when the broker is slower than the rest of the deadline: %j",
    async (argv) => {
      const fine = brokerWith(1, () => []);
      const host = fakeHost({
        argv: [...argv, "--deadline=1s", "--connect-timeout=5s"],
        broker: (commands, time) =>
          time > 500 && commands[0]?.[0] === "LRANGE" ? "late" : fine(commands, time),
      });
      const { asking } = await evidenceOf(host);
      expect(asking).toMatchObject({ kind: "asked", pings: 1, subscribers: 1, over: true, cutShort: true });
      expect(host.now()).toBeLessThanOrEqual(1_000);
    },
  );

  test("has no time when the deadline is over before it began", async () => {
    const host = fakeHost({ argv: ["--deadline=20ms"], broker: () => [ok("none")] });
    expect((await evidenceOf(host)).asking).toEqual({ kind: "no-time" });
    expect(host.writes).toEqual([]);
  });
});

describe("gather, where the broker fails,", () => {
  const refused = { kind: "unreachable", cause: "connection-refused", detail: "ECONNREFUSED" } as const;
  const failsAt = (ms: number, rest: Broker): Broker => {
    return (commands, time) => (time > ms ? "late" : rest(commands, time));
  };

  test("passes on why when the connection failed", async () => {
    const { asking } = await evidenceOf(fakeHost({ connect: refused }));
    // Nobody has named it.
    const unnamed = { pid: null, isSeen: false, url: null, lost: [], unread: null };
    expect(asking).toEqual({ kind: "broker-failed", failure: { ...refused, unnamed }, pings: 0 });
  });

  test("says so when it falls silent long before the deadline", async () => {
    const host = fakeHost({
      argv: remote(),
      broker: failsAt(
        500,
        brokerWith(1, () => []),
      ),
    });
    expect((await evidenceOf(host)).asking).toMatchObject({
      kind: "broker-failed",
      pings: 1,
      failure: { cause: "no-answer", detail: "1000 ms" },
    });
    expect(host.writes.at(-1)).toEqual([["closed"]]);
  });

  test("says what was refused when LRANGE is", async () => {
    const fine = brokerWith(1, () => []);
    const host = fakeHost({
      broker: (commands, time) =>
        commands[0]?.[0] === "LRANGE" ? [{ ok: false, error: "NOPERM x" }] : fine(commands, time),
    });
    expect((await evidenceOf(host)).asking).toMatchObject({
      kind: "broker-failed",
      failure: { cause: "no-permission", command: "LRANGE" },
    });
  });

  test.each([
    ["from the first", { connect: refused }],
    [
      "in mid-wait",
      {
        broker: failsAt(
          500,
          brokerWith(1, () => []),
        ),
      },
    ],
  ])("says what the processes show all the same when it fails %s", async (_, how) => {
    const host = fakeHost({ ...how, proc: () => procWith([]) });
    const evidence = await evidenceOf(host);
    expect(evidence.asking.kind).toBe("broker-failed");
    expect(evidence.nodes[0]?.looks.length).toBeGreaterThan(1);
    expect(conclude(evidence, planned(host).rules)).toMatchObject({ status: "unhealthy", reason: "dead" });
  });

  test("looks at a worker twice, and at its sockets alone, when it runs", async () => {
    const proc = procWith([WORKER]);
    const host = fakeHost({ connect: refused, proc: () => proc });
    const { nodes } = await evidenceOf(host);
    const unasked = { kind: "unknown", because: "not-asked", established: null, elsewhere: [] };
    expect(nodes[0]?.looks.map(({ process, connections }) => [process?.state, connections])).toEqual([
      ["running", unasked],
      ["running", unasked],
    ]);
    expect(host.listeners).toEqual([]);
    expect(host.now()).toBeLessThan(300);
  });

  test("goes on with the looks it has begun when it fails in mid-wait", async () => {
    const proc = procWith([{ ...WORKER, connections: 3 }]);
    const fine = brokerWith(1, () => [], { tell: listing(() => POLLING) });
    const host = fakeHost({ broker: failsAt(300, fine), proc: () => proc });
    const { asking, nodes } = await evidenceOf(host);
    expect(asking).toMatchObject({ kind: "broker-failed", failure: { cause: "no-answer" } });
    expect(nodes[0]?.looks.map(({ connections }) => connections?.kind).slice(0, 2)).toEqual([
      "known",
      undefined,
    ]);
  });
});

describe("gather, for --on-unknown healthy,", () => {
  const proc = () => procWith([{ ...WORKER, connections: 3 }]);
  const fine = brokerWith(1, () => []);
  const stallsAt =
    (name: string): Broker =>
    (commands, time) =>
      commands.some(([word]) => word === name) ? "late" : fine(commands, time);

  test.each(
    ["MULTI", "EXEC", "LRANGE"].flatMap((name) =>
      ["500ms", "900ms", "1s", "1100ms", "2s", "5s"].map((deadline) => [name, deadline] as const),
    ),
  )(
    "has seen the worker's process when the broker stalls at %s and --deadline is %s",
    async (name, deadline) => {
      // EXEC holds an LRANGE as well.
      const broker: Broker =
        name === "LRANGE"
          ? (commands, time) => (commands[0]?.[0] === name ? "late" : fine(commands, time))
          : stallsAt(name);
      const host = fakeHost({ argv: [`--deadline=${deadline}`], broker, proc });
      const evidence = await evidenceOf(host);
      const verdict = conclude(evidence, planned(host).rules);
      expect(verdict.status).toBe("unknown");
      expect(isForgiven(verdict, evidence, "healthy")).toBe(true);
    },
  );

  test("has seen it when there was no time for anything", async () => {
    const host = fakeHost({ argv: ["--deadline=100ms"], broker: fine, proc });
    const evidence = await evidenceOf(host);
    expect(evidence.asking).toEqual({ kind: "no-time" });
    expect(isForgiven(conclude(evidence, planned(host).rules), evidence, "healthy")).toBe(true);
  });

  test("has seen it when it is interrupted before it looked", async () => {
    const host = fakeHost({ broker: fine, proc, interruptedAt: 50 });
    const evidence = await evidenceOf(host);
    expect(evidence.asking).toMatchObject({ kind: "interrupted" });
    expect(isForgiven(conclude(evidence, planned(host).rules), evidence, "healthy")).toBe(true);
  });
});

/** As a real one: what is sent while a transaction is open is queued, whoever sends it, and makes its results longer. */
function queueing(rest: Broker): Broker {
  let strangers: number | null = null;
  return (commands, time) => {
    const replies = rest(commands, time);
    if (replies === "late" || "kind" in replies) return replies;
    const isExec = commands.at(-1)?.[0] === "EXEC";
    if (strangers !== null && !isExec) {
      strangers += commands.length;
      return commands.map(() => ok("QUEUED"));
    }
    const more = Array.from({ length: strangers ?? 0 }, () => null);
    strangers = commands.at(-1)?.[0] === "MULTI" ? 0 : null;
    return replies.map((reply, at) =>
      isExec && at === replies.length - 1 && reply.ok ? ok([...(reply.value as unknown[]), ...more]) : reply,
    );
  };
}

describe("gather, where answers take long,", () => {
  test.each([
    ...[450, 500, 550].map((ms) => [ms, "--timeout=2s"] as const),
    ...[40, 80, 120, 160, 200].flatMap((ms) =>
      [1.35, 1.4, 1.45, 2.35, 2.4, 2.45].map((s) => [ms, `--timeout=${s}s`] as const),
    ),
  ])("finds a blocked worker busy when each takes %d ms with %s", async (roundTripMs, timeout) => {
    const rows = (time: number) => SILENT.map((row) => ({ ...row, idle: Math.floor(time / 1_000) }));
    const host = fakeHost({
      argv: [timeout],
      roundTripMs,
      broker: queueing(brokerWith(1, () => [], { tell: listing(rows) })),
      proc: () => procWith([{ ...WORKER, connections: 3 }]),
    });
    const evidence = await evidenceOf(host);
    expect(evidence.asking).toMatchObject({ kind: "asked" });
    expect(conclude(evidence, planned(host).rules)).toMatchObject({ status: "healthy", reason: "busy" });
    expect(host.now()).toBeLessThan(4_901);
  });
});

describe("gather, when it is interrupted,", () => {
  test("names the signal", async () => {
    const host = fakeHost({ broker: () => "late", interruptedAt: 10 });
    const evidence = await evidenceOf(host);
    expect(evidence.asking).toEqual({ kind: "interrupted", signal: "SIGTERM" });
    expect(host.now()).toBe(40);
  });

  test("keeps what was seen by then, and listens no longer", async () => {
    const proc = procWith([{ ...WORKER, connections: 3 }]);
    const broker = brokerWith(1, () => [], { tell: listing(() => SILENT) });
    const host = fakeHost({ broker, proc: () => proc, interruptedAt: 270 });
    const { nodes } = await evidenceOf(host);
    expect(nodes).toMatchObject([{ process: { pid: 12 }, looks: [{ connections: { kind: "known" } }] }]);
    expect(host.listeners).toMatchObject([{ open: false }]);
  });
});
