import { expect, test } from "vitest";
import { type Exchange, takeTurns, type WireCommand } from "../../src/broker/turns.ts";
import { failure, success } from "../../src/outcome.ts";
import type { Command, Reply } from "../../src/broker/channel.ts";

const ok = (value: unknown): Reply => ({ ok: true, value });
const error = (text: string): Reply => ({ ok: false, error: text });
const LATE = { kind: "unreachable", cause: "no-answer", detail: "500 ms" } as const;

const PUSH: Command = ["RPUSH", "k", ""];
const PUSHED: readonly Reply[] = [ok("QUEUED"), ok([1])];

/** A connection whose server answers each write when the test says so. */
function connection() {
  const written: string[] = [];
  const waiting: ((end: Awaited<ReturnType<Exchange>>) => void)[] = [];
  const exchange: Exchange = (commands: readonly WireCommand[]) => {
    written.push(commands.map(([name]) => name).join(" "));
    return new Promise((resolve) => waiting.push(resolve));
  };
  const turns = takeTurns(exchange, () => performance.now());
  const end = async (with_: Awaited<ReturnType<Exchange>>) => {
    waiting.shift()?.(with_);
    // All that can go on without another answer has gone on then.
    await new Promise((resolve) => setImmediate(resolve));
  };
  const send = (...commands: readonly Command[]) => turns.send(commands, 500);
  const transact = (queue: readonly Command[] | null = [PUSH]) =>
    turns.transact(
      [["TYPE", "k"]],
      () => (queue === null ? failure(LATE) : success(queue)),
      () => 500,
    );
  return {
    written,
    send,
    transact,
    turns,
    end,
    answer: (...replies: readonly Reply[]) => end(success(replies)),
  };
}

/** One that has signed in. */
async function greeted() {
  const line = connection();
  const first = line.send(["PING"]);
  await line.answer(ok("PONG"));
  expect((await first).ok).toBe(true);
  line.written.length = 0;
  return line;
}

test("commands of others follow without waiting when no transaction is open", async () => {
  const { send, written } = await greeted();
  void send(["ROLE"]);
  void send(["INFO"]);
  expect(written).toEqual(["ROLE", "INFO"]);
});

test("commands of others wait until the first write is answered, because it signs in", async () => {
  const { send, written, answer } = connection();
  void send(["PING"]);
  void send(["ROLE"]);
  expect(written).toEqual(["PING"]);
  await answer(ok("PONG"));
  expect(written).toEqual(["PING", "ROLE"]);
});

test("a transaction owns the connection from MULTI until EXEC has been answered", async () => {
  const { send, transact, written, answer } = await greeted();
  void send(["ROLE"]);
  const done = transact();
  const others = [send(["INFO"]), transact(), send(["CLIENT", "LIST"])];
  expect(written).toEqual(["ROLE", "TYPE MULTI"]);
  await answer(ok([]));
  await answer(ok("none"), ok("OK"));
  expect(written.slice(2)).toEqual(["RPUSH EXEC"]);
  await answer(...PUSHED);
  expect(await done).toEqual(success([1]));
  expect(written.slice(3)).toEqual(["INFO", "TYPE MULTI"]);
  await answer(ok(""));
  await answer(ok("list"), ok("OK"));
  await answer(...PUSHED);
  expect(written.slice(5)).toEqual(["RPUSH EXEC", "CLIENT"]);
  await answer(ok(""));
  expect((await Promise.all(others)).every((one) => one.ok)).toBe(true);
});

test("a transaction that is not wanted any more is ended empty, and others go on", async () => {
  const { send, transact, written, answer } = await greeted();
  const done = transact(null);
  const other = send(["INFO"]);
  await answer(ok("hash"), ok("OK"));
  await answer(ok([]));
  expect(await done).toEqual(failure(LATE));
  expect(written).toEqual(["TYPE MULTI", "EXEC", "INFO"]);
  await answer(ok(""));
  expect((await other).ok).toBe(true);
});

test("nothing is ended when MULTI is refused, and others go on", async () => {
  const { send, transact, written, answer } = await greeted();
  const done = transact();
  await answer(ok("none"), error("NOPERM no"));
  expect(await done).toMatchObject({ problem: { cause: "no-permission", command: "MULTI" } });
  void send(["INFO"]);
  expect(written).toEqual(["TYPE MULTI", "INFO"]);
});

test.each([
  ["MULTI is not answered in time", [failure(LATE)], "no-answer"],
  ["MULTI is answered with something else", [success([ok("none"), ok("PONG")])], "not-redis"],
  ["EXEC is not answered in time", [success([ok("none"), ok("OK")]), failure(LATE)], "no-answer"],
  [
    "EXEC is refused",
    [success([ok("none"), ok("OK")]), success([ok("QUEUED"), error("MISCONF no")])],
    "cannot-write",
  ],
  [
    "EXEC is answered with something else",
    [success([ok("none"), ok("OK")]), success([ok("QUEUED"), ok("OK")])],
    "not-redis",
  ],
] as const)("nobody sends anything more when %s: it may still be open", async (_, ends, cause) => {
  const { send, transact, written, end } = await greeted();
  const done = transact();
  const other = send(["INFO"]);
  for (const one of ends) await end(one);
  expect(await done).toMatchObject({ ok: false, problem: { cause } });
  expect(await other).toMatchObject({ ok: false, problem: { cause } });
  expect(await send(["INFO"])).toMatchObject({ ok: false, problem: { cause } });
  expect(written).not.toContain("INFO");
});

test("others go on when EXEC says that it has aborted", async () => {
  const { send, transact, written, answer } = await greeted();
  const done = transact();
  await answer(ok("none"), ok("OK"));
  await answer(error("OOM no memory"), error("EXECABORT Transaction discarded."));
  expect(await done).toMatchObject({ problem: { cause: "out-of-memory", command: "RPUSH" } });
  void send(["INFO"]);
  expect(written.at(-1)).toBe("INFO");
});

test("an asker waits for its turn no longer than it may", async () => {
  const { turns, transact, written } = await greeted();
  void transact();
  expect(await turns.send([["INFO"]], 20)).toEqual(
    failure({ kind: "unreachable", cause: "no-answer", detail: "20 ms" }),
  );
  expect(written).toEqual(["TYPE MULTI"]);
});

test.each<[Command, unknown]>([
  [["LLEN", "k"], -5],
  [["ZCARD", "k"], "many"],
  [["ZCOUNT", "k", 0, 1], null],
  [["HLEN", "k"], ["1"]],
  [["PUBLISH", "k", ""], 1.5],
  [["DBSIZE"], NaN],
  [["MEMORY", "USAGE", "k"], -1],
  [["PUBSUB", "NUMPAT"], "OK"],
])("%j answered with %j is an error, as that is no count", async (command, value) => {
  const { send, answer, transact } = await greeted();
  const sent = send(["PING"], command);
  await answer(ok("PONG"), ok(value));
  const error = expect.stringMatching(`^${command[0]} was answered with `) as string;
  expect(await sent).toEqual(success([ok("PONG"), { ok: false, error }]));
  const done = transact([PUSH, command]);
  await answer(ok("none"), ok("OK"));
  await answer(ok("QUEUED"), ok("QUEUED"), ok([1, value]));
  expect(await done).toMatchObject({ ok: false, problem: { kind: "refused", cause: "not-redis" } });
});

test("a count, and what need not be one, is passed on", async () => {
  const { send, answer } = await greeted();
  const replies = [ok(0), ok(7), ok(-2), ok(null), { ok: false, error: "ERR" }] as const;
  const sent = send(["LLEN", "k"], ["ZCARD", "k"], ["TTL", "k"], ["MEMORY", "USAGE", "k"], ["HLEN", "k"]);
  await answer(...replies);
  expect(await sent).toEqual(success(replies));
});
