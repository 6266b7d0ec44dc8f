// A network that fails between the executable and a real broker with healthy workers.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { portOf } from "../world/proxy.ts";
import type { Canaries } from "./canaries.ts";
import type { Dice } from "./dice.ts";
import { type Kind, type Kinds, resultOf } from "./kind.ts";

type Side = "client" | "broker";

/** What happens to the bytes of one direction. */
type Fault =
  | { readonly kind: "reset" | "stall" | "half-close"; readonly towards: Side; readonly atByte: number }
  /** Each byte arrives alone. */
  | { readonly kind: "drip"; readonly everyMs: number }
  /** Half of the round trip in each direction. */
  | { readonly kind: "latency"; readonly roundTripMs: number };

interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  /** How many bytes came in each direction. */
  readonly passed: Readonly<Record<Side, number>>;
}

const SHORT = ["--timeout", "400ms", "--connect-timeout", "400ms", "--deadline", "1s"];

/** Commands that are asked besides the check, with their time limits. */
const OTHERS = [
  { words: ["inspect", "ping", ...SHORT], deadlineMs: 1_000 },
  { words: ["inspect", "stats", ...SHORT], deadlineMs: 1_000 },
  { words: ["doctor", ...SHORT.slice(0, 4), "--deadline", "2s"], deadlineMs: 2_000 },
  { words: ["report", ...SHORT.slice(0, 4), "--deadline", "2s"], deadlineMs: 2_000 },
  { words: ["watch", "--once", "--connect-timeout", "400ms"], deadlineMs: 5_000 },
] as const;

/** Up to these round trips, in milliseconds, the defaults give an idle worker enough time to answer. */
const BEARABLE_MS = 550;

export function networkKinds(executable: string, canaries: Canaries): Kinds {
  async function run(fault: Fault, dice: Dice): ReturnType<Kind["run"]> {
    const { node, isIdle } = dice.oneOf(canaries.asked);
    await using proxy = await startFaultyProxy(canaries.server.port, fault);
    const isSlow = fault.kind === "latency";
    const check = { words: ["--node", node, ...(isSlow ? [] : SHORT)], deadlineMs: isSlow ? 5_000 : 1_000 };
    const { words, deadlineMs } = !isSlow && dice.onceIn(5) ? dice.oneOf(OTHERS) : check;
    const ran = await canaries.runner.run({
      words: [executable, ...words],
      env: {
        CELERY_PROBE_BROKER: canaries.server.url().replace(String(canaries.server.port), String(proxy.port)),
      },
      longestMs: 60_000,
    });
    const isAnswered = !isSlow || !isIdle || fault.roundTripMs > BEARABLE_MS || ran.code === 0;
    const faults = [
      ...(/^unhealthy/.test(ran.stdout) ? [`a false unhealthy: ${ran.stdout}`] : []),
      ...(ran.stdout.includes("broker-refused") ? [`a broker that refused nothing: ${ran.stdout}`] : []),
      ...(isAnswered ? [] : [`no answer of an idle worker: ${ran.stdout}`]),
    ];
    return resultOf(ran, { words, deadlineMs, isIntact: true }, faults, { fault, node });
  }

  /** One byte after the other, spread so that a few cases reach all parts of a conversation. */
  function atEveryByte(kind: "reset" | "stall" | "half-close"): Kind["run"] {
    return (dice, position) => {
      const towards = position % 3 === 0 ? "broker" : "client";
      return run({ kind, towards, atByte: (position * 389) % canaries.conversationBytes }, dice);
    };
  }

  return {
    reset: { cases: [900, 12], run: atEveryByte("reset") },
    stall: { cases: [300, 6], run: atEveryByte("stall") },
    "half-close": { cases: [400, 8], run: atEveryByte("half-close") },
    drip: { cases: [200, 6], run: (dice) => run({ kind: "drip", everyMs: dice.below(4) }, dice) },
    latency: {
      cases: [200, 6],
      run: (dice) =>
        run(
          { kind: "latency", roundTripMs: dice.onceIn(2) ? 450 + dice.below(101) : dice.below(1_500) },
          dice,
        ),
    },
  };
}

/** A proxy to a port of loopback that fails in one way; null: it does not fail. */
export async function startFaultyProxy(brokerPort: number, fault: Fault | null): Promise<FaultyProxy> {
  const sockets = new Set<Socket>();
  const passed: Record<Side, number> = { client: 0, broker: 0 };
  const listener = createServer({ noDelay: true }, (client) => {
    const broker = connect({ port: brokerPort, host: "127.0.0.1", noDelay: true });
    for (const [towards, from, to] of [
      ["client", broker, client],
      ["broker", client, broker],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined).on("close", () => to.destroy());
      from.on("data", (bytes) => {
        passed[towards] += bytes.length;
        pass(bytes, towards, to, from);
      });
    }
  });

  function pass(bytes: Buffer, towards: Side, to: Socket, from: Socket): void {
    if (fault?.kind === "latency") setTimeout(() => to.write(bytes), fault.roundTripMs / 2);
    else if (fault?.kind === "drip") drip(bytes, fault.everyMs, to);
    else if (fault === null || fault.towards !== towards || passed[towards] <= fault.atByte) to.write(bytes);
    else {
      const before = passed[towards] - bytes.length;
      if (before <= fault.atByte) to.write(bytes.subarray(0, fault.atByte - before));
      if (fault.kind === "half-close") to.end();
      // Bytes that were already written are sent first.
      else if (fault.kind === "reset")
        setImmediate(() => {
          to.resetAndDestroy();
          from.resetAndDestroy();
        });
    }
  }

  const dripping = new Map<Socket, Promise<void>>();
  function drip(bytes: Buffer, everyMs: number, to: Socket): void {
    let last = dripping.get(to) ?? Promise.resolve();
    for (const byte of bytes)
      last = last.then(() => wait(everyMs)).then(() => void to.write(Buffer.of(byte)));
    dripping.set(to, last);
  }

  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: portOf(listener),
    passed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
