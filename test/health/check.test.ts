import { describe, expect, test } from "vitest";
import { parse } from "../../src/cli/parse.ts";
import { gather } from "../../src/health/check.ts";
import { type Plan, planCheck } from "../../src/health/plan.ts";
import type { Host } from "../../src/host.ts";
import { brokerWith, fakeHost, ok, reply } from "./fake-host.ts";

function planFor(host: Host): Plan {
  const parsed = parse(host.argv, host.env);
  if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
  const plan = planCheck(parsed.value.config, host);
  if (!plan.ok) throw new Error(plan.problem.sentence);
  return plan.value;
}

const evidenceOf = (host: Host) => gather(planFor(host), host);
const publishes = (host: ReturnType<typeof fakeHost>) =>
  host.writes.filter((commands) => commands.some(([name]) => name === "PUBLISH")).length;

describe("gather", () => {
  test("ends at once when the pong is there", async () => {
    const host = fakeHost({ broker: brokerWith(2, () => [reply("celery@web-1", "uuid-1")]) });
    const evidence = await evidenceOf(host);
    expect(evidence).toMatchObject({ kind: "asked", pings: 1, subscribers: 2 });
    expect(evidence).toHaveProperty("pongs", [{ node: "celery@web-1", afterMs: 2, copies: 1 }]);
    expect(host.now()).toBeLessThan(40);
    expect(host.writes.at(-1)).toEqual([["closed"]]);
  });

  test("sends exactly the transaction of the protocol when it asks", async () => {
    const host = fakeHost({ broker: brokerWith(1, () => [reply("celery@web-1", "uuid-1")]) });
    await evidenceOf(host);
    const key = planFor(host).replies.key;
    expect(host.writes.slice(0, 3)).toEqual([
      [["TYPE", key], ["MULTI"]],
      [
        ["RPUSH", key, ""],
        ["LTRIM", key, 0, 31],
        ["EXPIRE", key, 86_400],
        ["LRANGE", key, 0, 0],
        ["PUBLISH", "/0.celery.pidbox", expect.any(String)],
        ["EXEC"],
      ],
      [["LRANGE", key, 0, 1]],
    ]);
  });

  test("writes a message that expires after --timeout, with a tag of its own, when it asks", async () => {
    const host = fakeHost({ broker: brokerWith(1, () => [reply("celery@web-1", "uuid-1")]) });
    await evidenceOf(host);
    const publish = host.writes.flat().find(([name]) => name === "PUBLISH");
    expect(JSON.parse(String(publish?.[2]))).toMatchObject({
      headers: { expires: 1_800_000_002 },
      properties: { delivery_tag: "uuid-2" },
    });
  });

  test("asks again with a new ticket when no pong came, and takes the late answer to the first", async () => {
    const host = fakeHost({
      broker: brokerWith(1, (time) => (time > 2_500 ? [reply("celery@web-1", "uuid-1")] : [])),
    });
    const evidence = await evidenceOf(host);
    expect(evidence).toMatchObject({ kind: "asked", pings: 2 });
    expect(evidence).toHaveProperty(
      "pongs.0.afterMs",
      expect.toSatisfy((ms: number) => ms > 2_400),
    );
    expect(publishes(host)).toBe(2);
  });

  test("looks less and less often when it waits long", async () => {
    const host = fakeHost({ argv: ["--retries=0"], broker: brokerWith(1, () => []) });
    await evidenceOf(host);
    const looks = host.writes.filter(([first]) => first?.[0] === "LRANGE").length;
    expect(looks).toBeGreaterThan(40);
    expect(looks).toBeLessThan(130);
  });

  test("does not wait and does not ask again when nobody is subscribed", async () => {
    const host = fakeHost({ broker: brokerWith(0, () => []) });
    expect(await evidenceOf(host)).toMatchObject({ kind: "asked", pings: 1, subscribers: 0, pongs: [] });
    expect(host.now()).toBeLessThan(40);
  });

  test.each([
    ["another ticket", reply("celery@web-1", "uuid-9")],
    ["another node", reply("celery@web-2", "uuid-1")],
    ["no pong", reply("celery@web-1", "uuid-1", { error: "KeyError('ping')" })],
    ["nothing readable", "{"],
  ])("does not count a reply with %s", async (_, element) => {
    const host = fakeHost({ argv: ["--retries=0"], broker: brokerWith(1, () => [element]) });
    expect(await evidenceOf(host)).toMatchObject({ kind: "asked", pongs: [] });
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
    const evidence = await evidenceOf(host);
    const pongs = evidence.kind === "asked" ? evidence.pongs.map(({ node }) => node) : [];
    expect(pongs.sort()).toEqual(names);
  });

  test("reads what is new and no more when the list is full of old replies", async () => {
    const old = Array.from({ length: 4_000 }, (_, n) => reply(`w${n}@x`, `old-${n}`));
    const host = fakeHost({
      argv: ["--min-nodes=20"],
      broker: brokerWith(
        20,
        (time) => [
          ...Array.from({ length: time > 200 ? 20 : 0 }, (_, n) => reply(`n${n}@x`, "uuid-1")),
          ...old,
        ],
        old[0],
      ),
    });
    const evidence = await evidenceOf(host);
    expect(evidence).toMatchObject({ kind: "asked", pings: 1 });
    expect(evidence.kind === "asked" && evidence.pongs.length).toBe(20);
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
    expect(evidence).toMatchObject({ pings: 1, pongs: [{ node: "a@x" }, { node: "b@x" }] });
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
    expect(await evidenceOf(host)).toHaveProperty("pongs", [{ node: "a@x", afterMs: 3, copies: 2 }]);
  });

  test("is over before the deadline when nobody answers", async () => {
    const host = fakeHost({ argv: ["--deadline=1s"], broker: brokerWith(1, () => []) });
    expect(await evidenceOf(host)).toMatchObject({ kind: "asked", pings: 1, cutShort: true });
    expect(host.now()).toBeLessThanOrEqual(1_000);
  });

  test("keeps what it saw when the broker is slower than the rest of the deadline", async () => {
    const slow = brokerWith(1, () => []);
    const host = fakeHost({
      argv: ["--deadline=1s", "--connect-timeout=5s"],
      broker: (commands, time) =>
        time > 500 && commands[0]?.[0] === "LRANGE" ? "late" : slow(commands, time),
    });
    expect(await evidenceOf(host)).toMatchObject({ kind: "asked", pings: 1, subscribers: 1 });
    expect(host.now()).toBeLessThanOrEqual(1_000);
  });

  test("says the broker failed when it falls silent long before the deadline", async () => {
    const fine = brokerWith(1, () => []);
    const host = fakeHost({
      broker: (commands, time) => (time > 500 ? "late" : fine(commands, time)),
    });
    expect(await evidenceOf(host)).toMatchObject({
      kind: "broker-failed",
      pings: 1,
      failure: { cause: "no-answer", detail: "1000 ms" },
    });
  });

  test("says the broker refused when LRANGE is refused", async () => {
    const fine = brokerWith(1, () => []);
    const host = fakeHost({
      broker: (commands, time) =>
        commands[0]?.[0] === "LRANGE" ? [{ ok: false, error: "NOPERM x" }] : fine(commands, time),
    });
    expect(await evidenceOf(host)).toMatchObject({
      kind: "broker-failed",
      failure: { cause: "no-permission", command: "LRANGE" },
    });
  });

  test("has no time when the deadline is over before it began", async () => {
    const host = fakeHost({ argv: ["--deadline=20ms"], broker: () => [ok("none")] });
    expect(await evidenceOf(host)).toEqual({ kind: "no-time" });
    expect(host.writes).toEqual([]);
  });

  test("names the signal when it is told to end", async () => {
    const host = fakeHost({ broker: () => "late", interrupted: Promise.resolve("SIGTERM") });
    expect(await evidenceOf(host)).toEqual({ kind: "interrupted", signal: "SIGTERM" });
  });

  test("passes on why the connection failed", async () => {
    const failure = { kind: "unreachable", cause: "connection-refused", detail: "ECONNREFUSED" } as const;
    expect(await evidenceOf(fakeHost({ connect: failure }))).toEqual({
      kind: "broker-failed",
      failure,
      pings: 0,
    });
  });
});
