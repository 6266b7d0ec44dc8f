import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { owner } from "../world/owner.ts";
import { type Server, startServer } from "../world/server.ts";
import { until } from "../world/until.ts";
import { startWorker } from "../world/worker.ts";
import { KINDS } from "./broker-kinds.ts";
import { expectLine, probe, probeNode } from "./probe.ts";
import { startServe } from "./start-serve.ts";

const KEY = "celery-probe.verdicts./0.celery.pidbox";
const BY_SERVE = / was seen alive by celery-probe serve on \S+, \d+ s ago$/;
const BY_ITSELF = / answered in \d+ ms$/;

const sharing = (server: Server, ...more: readonly string[]) =>
  startServe(["--broker", server.url(), "--share", ...more]);

/** What a run of the probe sends: its commands, and their bytes in RESP. */
async function sentBy(server: Server, args: readonly string[], line: RegExp) {
  const redis = server.client();
  const monitor = await redis.monitor();
  const known = String(await redis.client("LIST"));
  const mark = "the run is over";
  const { promise: isOver, resolve: over } = Promise.withResolvers<undefined>();
  const commands: string[][] = [];
  monitor.on("monitor", (_: string, words: string[], source: string) => {
    if (words.includes(mark)) over(undefined);
    else if (!known.includes(`addr=${source} `)) commands.push(words);
  });
  expectLine(await probe(args, { CELERY_BROKER_URL: server.url() }), 0, line, 3_000);
  await redis.echo(mark);
  await isOver;
  monitor.disconnect();
  redis.disconnect();
  const bytesOf = (word: string) => Buffer.byteLength(word) + String(Buffer.byteLength(word)).length + 5;
  const bytes = commands.flat().reduce((sum, word) => sum + bytesOf(word), commands.length * 4);
  return { commands: commands.map((words) => words.join(" ")), bytes };
}

const fieldOf = async (server: Server, node: string) => {
  const redis = server.client();
  const text = await redis.hget(KEY, node);
  redis.disconnect();
  return text === null ? null : (JSON.parse(text) as { status: string; reason: string; at_ms: number });
};

const isShared = (server: Server, node: string, reason = "alive") =>
  until(`${node} is shared as ${reason}`, async () => (await fieldOf(server, node))?.reason === reason);

describe.concurrent("a check that accepts what serve shares", () => {
  test("reads one field and publishes nothing, for a tenth of what a ping costs", async ({ expect }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    await using serve = await sharing(server);
    await isShared(server, worker.node);
    const named = ["--node", worker.node];
    const accepted = await sentBy(server, [...named, "--accept-shared=45s"], BY_SERVE);
    expect(accepted.commands).toEqual(["TIME", `HGET ${KEY} ${worker.node}`]);
    const asked = await sentBy(server, named, BY_ITSELF);
    expect(asked.commands.filter((command) => /^publish /i.test(command))).toHaveLength(1);
    expect(accepted.bytes * 10).toBeLessThan(asked.bytes);
    const { stdout } = await probeNode(server, worker.node, "--accept-shared=45s", "--output=json");
    expect(JSON.parse(stdout)).toMatchObject({
      reason: "alive",
      evidence: { pings: 0, shared: [{ node: worker.node }] },
    });
    const redis = server.client();
    expect(await redis.ttl(KEY)).toBeGreaterThan(50);
    redis.disconnect();
    expect(serve.log()).not.toContain("not shared");
  });

  test("asks itself when serve has ended and its shared verdict is too old", async ({ expect }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    {
      await using _serve = await sharing(server);
      await isShared(server, worker.node);
    }
    const accepting = ["--accept-shared=3s", "--verbose"];
    await until("it is too old", async () =>
      BY_ITSELF.test((await probeNode(server, worker.node, ...accepting)).stdout.split("\n")[0] ?? ""),
    );
    const { stdout, exitCode } = await probeNode(server, worker.node, ...accepting);
    expect(stdout).toMatch(/^ {2}shared: +not taken: the shared verdict about \S+ is \d+ s old$/m);
    expect(exitCode).toBe(0);
    const redis = server.client();
    await redis.del(KEY);
    redis.disconnect();
    expect((await probeNode(server, worker.node, ...accepting)).stdout).toContain(`has no field in ${KEY}`);
  });

  test("reports a stopped worker whatever is shared, and asks when serve says that it hangs", async ({
    expect,
  }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    // A remote serve notices its silence only after some seconds.
    await using _serve = await sharing(server, "--placement=remote", "--busy-grace=1s");
    await isShared(server, worker.node);
    worker.suspend();
    const stopped = await probeNode(server, worker.node, "--accept-shared=45s");
    expect((await fieldOf(server, worker.node))?.reason).toBe("alive");
    expectLine(stopped, 1, /^unhealthy: stopped: /, 5_000);
    await isShared(server, worker.node, "hung");
    worker.resume();
    const { stdout } = await probeNode(server, worker.node, "--accept-shared=45s");
    expect(stdout).toMatch(/^healthy: alive: /);
    await isShared(server, worker.node);
  });

  test("ignores the verdict on an earlier process with that name", async ({ expect }) => {
    await using server = await startServer();
    const name = "again@world";
    const before = await startWorker({ server, name });
    {
      await using _serve = await sharing(server);
      await isShared(server, name);
    }
    await before.killAll();
    const killed = await probeNode(server, name, "--accept-shared=45s", "--placement=inside");
    // The workers of the other tests are also in sight, so it may have another name now.
    expect(killed.stdout).toMatch(/^(?:unhealthy: dead|unknown: undecided: no worker here is called)/);
    await using _again = await startWorker({ server, name });
    const { stdout } = await probeNode(server, name, "--accept-shared=10m", "--verbose");
    expect(stdout).toMatch(BY_ITSELF_ABOVE);
    expect(stdout).toMatch(/its process is younger$/m);
  });

  test("asks itself if the field has any other content", async ({ expect }) => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    const redis = server.client();
    const hostile = ["\u001b[31mhealthy", "{}", "x".repeat(20_000_000), '{"schema":1,"status":"healthy"}'];
    for (const text of hostile) {
      await redis.hset(KEY, worker.node, text);
      const probed = await probeNode(server, worker.node, "--accept-shared=45s");
      expect(probed.stdout).toMatch(/^healthy: alive: \S+ answered in \d+ ms/);
      expect(probed.stdout).not.toContain("\u001b");
    }
    await redis.del(KEY);
    await redis.set(KEY, "a text");
    expect((await probeNode(server, worker.node, "--accept-shared=45s")).stdout).toMatch(
      /^healthy: alive: \S+ answered in \d+ ms; hint: --accept-shared has no effect, .*WRONGTYPE/,
    );
    // A serve that starts writes the correct value.
    await using _serve = await sharing(server);
    await until("it is a hash", async () => (await redis.type(KEY)) === "hash");
    await isShared(server, worker.node);
    redis.disconnect();
  });
});

const BY_ITSELF_ABOVE = new RegExp(BY_ITSELF.source, "m");

test.concurrent.each([
  "rediss:// with an authority",
  "brokers to read and to write",
  "names of its own",
  "a list whose first server is gone",
  "Sentinels with passwords",
])("what is shared is found when the broker has %s", async (kind) => {
  await using own = owner();
  const make = KINDS[kind];
  if (make === undefined) throw new Error(`no kind of broker is called '${kind}'`);
  const { worker: options, url, words = [] } = await make(own);
  const worker = await own.keep(startWorker({ ...options, pool: "solo" }));
  await using _serve = await startServe(["--broker", url, "--share", ...words]);
  const accepting = ["--node", worker.node, "--accept-shared=45s", "--placement=remote", ...words];
  const check = () => probe(accepting, { CELERY_PROBE_BROKER: url });
  await until("it is shared", async () => BY_SERVE.test((await check()).stdout));
  expectLine(await check(), 0, BY_SERVE, 3_000);
});

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/acl.md"), "utf8");
const LEAST = (/^ACL SETUSER celery-probe on >PASSWORD (.*)$/m.exec(PAGE)?.[1] ?? "").split(" ");
const rightsFor = (what: string) =>
  (
    PAGE.split("\n")
      .find((row) => row.startsWith(`| \`${what}\``))
      ?.match(/`(\+[^`]*)`/)?.[1] ?? ""
  ).split(" ");

test("the rights of the page are enough for both sides, and without them each side says so", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  const [reader, writer] = [
    { username: "reader", password: "r" },
    { username: "writer", password: "w" },
  ];
  const reads = rightsFor("--accept-shared");
  await server.addUser(reader, "resetkeys", "resetchannels", "-@all", ...reads);
  await server.addUser(writer, ...LEAST, ...rightsFor("serve --share"));
  await using _serve = await startServe(["--broker", server.url(0, writer), "--share"]);
  await isShared(server, worker.node);
  const check = () =>
    probe(["--node", worker.node, "--accept-shared=45s"], { CELERY_PROBE_BROKER: server.url(0, reader) });
  // A user that may only read the field can still report that a worker is alive.
  expectLine(await check(), 0, BY_SERVE, 3_000);
  await server.addUser(reader, ...LEAST);
  expectLine(
    await check(),
    0,
    /^healthy: alive: \S+ answered in .*; hint: --accept-shared .*give its user \+time/,
    3_000,
  );
  await server.addUser(writer, ...LEAST, ...rightsFor("serve --share").filter((right) => right !== "+hset"));
  await using serve = await startServe(["--broker", server.url(0, writer), "--share"]);
  await until("it says so", () =>
    /verdicts are not shared, .*NOPERM.*; hint: give its user .*\+hset/.test(serve.log()),
  );
  await server.addUser(writer, ...LEAST, ...rightsFor("serve --share"));
  await until("it shares again", () => /Z verdicts are shared again$/m.test(serve.log()));
});

test("serve does not share if it does not watch the whole fleet, and says why", async () => {
  const refused = async (...more: readonly string[]) => (await probe(["serve", "--share", ...more])).stderr;
  expect(await refused("--node=a@x")).toBe(
    "celery-probe: --share and --node 'a@x' contradict each other: expected a serve of the whole fleet, without --node",
  );
  expect(await refused("--placement=beside")).toMatch(
    /^celery-probe: --share and --placement 'beside' contradict each other: expected .*--placement remote is one$/,
  );
});
