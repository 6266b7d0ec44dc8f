import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { controlChannel, DEFAULT_NAMING, type Destination, replyKey } from "../../src/broker/keys.ts";
import { connect } from "../../src/broker/redis.ts";
import { parseBrokerUrl } from "../../src/broker/url.ts";
import type { Outcome } from "../../src/outcome.ts";
import { type Mailbox, openMailbox } from "../../src/pidbox/mailbox.ts";
import { encodeRequest } from "../../src/pidbox/message.ts";

/** How long the broker may take to answer, in milliseconds: it serves thousands on a machine that is full. */
const PATIENCE_MS = 10_000;

/** Sends pings as the probe does, by the probe's own code, over one connection that stays open. */
export class Pinger implements Disposable {
  readonly channel = controlChannel(0);
  readonly #connection: Awaited<ReturnType<typeof channelTo>>;
  readonly #mailboxes = new Map<string, Mailbox>();

  private constructor(connection: Awaited<ReturnType<typeof channelTo>>) {
    this.#connection = connection;
  }

  static async open(url: string): Promise<Pinger> {
    return new Pinger(await channelTo(url));
  }

  /** The key of the list that the nodes answer into. */
  static listOf(...nodes: readonly string[]): string {
    return replyKey(nodes);
  }

  /** Prepares the nodes' reply list and publishes one ping; gives how many connections were subscribed. */
  async ping(...nodes: readonly string[]): Promise<number> {
    const key = Pinger.listOf(...nodes);
    let mailbox = this.#mailboxes.get(key);
    if (mailbox === undefined) {
      mailbox = openMailbox({ requests: this.#connection, replies: this.#connection, db: 0 }, 32, {
        now: () => performance.now(),
        pause: (ms) => pause(ms),
        answerMs: () => PATIENCE_MS,
      });
      this.#mailboxes.set(key, mailbox);
    }
    return valueOf(await mailbox.publish({ channel: this.channel, lists: [key] }, messageTo(nodes, key)));
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** A ping as the probe sends it. */
export function messageTo(destination: Destination, replyTo: string): string {
  const [ticket, deliveryTag] = [randomUUID(), randomUUID()];
  const expires = Date.now() / 1000 + 2;
  const { controlExchange } = DEFAULT_NAMING;
  return encodeRequest({
    question: { method: "ping" },
    destination,
    ticket,
    controlExchange,
    replyTo,
    deliveryTag,
    expires,
  });
}

/**
 * Does it `count` times, `rate` times a second or, where one takes longer than that, one after the other.
 *
 * @param act gets how often it was done before
 */
export async function steadily(
  rate: number,
  count: number,
  act: (turn: number) => Promise<unknown>,
): Promise<void> {
  const began = performance.now();
  for (let turn = 0; turn < count; turn++) {
    // Who is late lets the event loop turn all the same: it must see what has ended meanwhile.
    await pause(Math.max(0, began + (turn * 1000) / rate - performance.now()));
    await act(turn);
  }
}

async function channelTo(url: string) {
  const broker = valueOf(parseBrokerUrl(url));
  if (broker.kind === "sentinel") throw new Error(`${url}: expected one server`);
  return valueOf(await connect(broker.servers[0], PATIENCE_MS, { env: {}, now: () => performance.now() }));
}

function valueOf<T>(outcome: Outcome<T, unknown>): T {
  if (!outcome.ok) throw new Error(`the broker failed: ${JSON.stringify(outcome.problem)}`);
  return outcome.value;
}
