import { createHash } from "node:crypto";
import type { BrokerFailure } from "../../src/broker/failure.ts";
import type { Host } from "../../src/host.ts";
import { failure, success } from "../../src/outcome.ts";
import type { Channel, Command, Reply } from "../../src/pidbox/channel.ts";

/** What the fake broker does with one write. `late`: it takes all the time it is given. */
type Broker = (commands: readonly Command[], time: number) => readonly Reply[] | "late" | BrokerFailure;

interface Fake {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  readonly broker?: Broker;
  readonly connect?: BrokerFailure;
  readonly interrupted?: Promise<string>;
}

/** A host on a clock of its own that runs as fast as the test, with a broker that does as told. */
export function fakeHost(fake: Fake): Host & { readonly writes: (readonly Command[])[] } {
  let time = 30;
  let uuids = 0;
  const writes: (readonly Command[])[] = [];
  const pass = (ms: number) => {
    time += ms;
    return Promise.resolve();
  };
  const channel: Channel = {
    async send(commands, withinMs) {
      writes.push(commands);
      const replies = fake.broker?.(commands, time) ?? [];
      await pass(replies === "late" ? withinMs : 1);
      if (replies === "late")
        return failure({ kind: "unreachable", cause: "no-answer", detail: `${withinMs} ms` });
      return "kind" in replies ? failure(replies) : success(replies);
    },
    close() {
      writes.push([["closed"]]);
    },
  };
  return {
    argv: fake.argv ?? [],
    env: fake.env ?? {},
    hostname: fake.hostname ?? "web-1",
    version: "0.0.0",
    now: () => time,
    epochSeconds: () => 1_800_000_000,
    uuid: () => `uuid-${++uuids}`,
    sha1: (bytes) => createHash("sha1").update(bytes).digest(),
    pause: pass,
    connect: () => Promise.resolve(fake.connect === undefined ? success(channel) : failure(fake.connect)),
    interrupted: fake.interrupted ?? new Promise(() => undefined),
    writes,
  };
}

export function ok(value: unknown): Reply {
  return { ok: true, value };
}

/** A worker's reply as it stands in the list. */
export function reply(node: string, ticket: string, result: unknown = { ok: "pong" }): string {
  return JSON.stringify({
    body: Buffer.from(JSON.stringify({ [node]: result })).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { ticket, clock: 1 },
    properties: { body_encoding: "base64" },
  });
}

/**
 * A broker in good order: `subscribers` connections, and what the list holds at each look.
 *
 * @param before the element at its head when the ping is published
 */
export function brokerWith(
  subscribers: number,
  list: (time: number) => readonly string[],
  before = "",
): Broker {
  return (commands, time) =>
    commands.map(([name, , , last]) => {
      const elements = [...list(time), ""];
      switch (name) {
        case "TYPE":
          return ok("none");
        case "MULTI":
          return ok("OK");
        case "EXEC":
          return ok([1, "OK", 1, [before], subscribers]);
        case "LRANGE":
          return commands.length > 1 ? ok("QUEUED") : ok(elements.slice(0, Number(last) + 1));
        default:
          return ok("QUEUED");
      }
    });
}
