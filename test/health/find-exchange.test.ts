import { expect, test } from "vitest";
import { DEFAULT_NAMING } from "../../src/broker/keys.ts";
import { findExchange } from "../../src/health/find-exchange.ts";
import { success } from "../../src/outcome.ts";
import type { Channel, Command, Reply } from "../../src/broker/channel.ts";

const SEP = "\x06\x16";
const PLENTY = { left: () => 5_000, atMost: (ms: number) => ms };
const NODE = "celery@a";

/** A broker with these slices of keys, and members of its bindings. */
function brokerOf(slices: readonly (readonly string[])[], bound: Readonly<Record<string, string>>) {
  const asked: Command[] = [];
  const answer = (command: Command): Reply => {
    asked.push(command);
    const [name, first = "", second] = command;
    if (name !== "SCAN") return { ok: true, value: bound[String(first)] === second ? 1 : 0 };
    const at = Number(first);
    return { ok: true, value: [String(at + 1 < slices.length ? at + 1 : 0), slices[at] ?? []] };
  };
  const channel: Channel = {
    send: (commands) => Promise.resolve(success(commands.map(answer))),
    transact: () => Promise.reject(new Error("it only looks")),
    ends: () => null,
    close: () => undefined,
  };
  return { channel, asked };
}

const binding = (exchange: string) => `_kombu.binding.${exchange}.pidbox`;
const member = (exchange: string) => `${SEP}${SEP}${NODE}.${exchange}.pidbox`;

test("names the exchange to which the node is bound, in whichever slice it stands", async () => {
  const { channel } = brokerOf([[binding("celery")], [binding("other"), binding("mine")]], {
    [binding("celery")]: member("celery"),
    [binding("mine")]: member("mine"),
  });
  expect(await findExchange(channel, DEFAULT_NAMING, [NODE], PLENTY)).toBe("mine");
});

test("names none where only others are bound, or only replies are", async () => {
  const { channel } = brokerOf([[binding("other"), binding("reply.mine")]], {
    [binding("other")]: `${SEP}${SEP}celery@b.other.pidbox`,
    [binding("reply.mine")]: member("reply.mine"),
  });
  expect(await findExchange(channel, DEFAULT_NAMING, [NODE], PLENTY)).toBeNull();
});

test("looks through so many slices and no more", async () => {
  const slices = Array.from({ length: 100 }, () => []);
  const { channel, asked } = brokerOf(slices, {});
  expect(await findExchange(channel, DEFAULT_NAMING, [NODE], PLENTY)).toBeNull();
  expect(asked).toHaveLength(20);
});
