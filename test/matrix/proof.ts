import { setTimeout as wait } from "node:timers/promises";
import type { Redis } from "ioredis";
import { connectionsOf } from "../world/proc.ts";

/**
 * What the broker and the kernel show of a worker, read without a line of `src/`, to prove that a state is there
 * before the probe is asked about it.
 */

/** A row of CLIENT LIST. */
export interface Row {
  /** Of the worker's end. */
  readonly port: number;
  readonly command: string;
  readonly flags: string;
  /** Pattern subscriptions. */
  readonly subscribed: number;
  /** Since the last traffic, seconds. */
  readonly idle: number;
}

export async function allRows(redis: Redis): Promise<Row[]> {
  const list = String(await redis.client("LIST"));
  return list
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const field = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? "";
      return {
        port: Number(field("addr").split(":").at(-1)),
        command: field("cmd").toLowerCase(),
        flags: field("flags"),
        subscribed: Number(field("psub")),
        idle: Number(field("idle")),
      };
    });
}

/** The rows of connections that this process holds a socket of. */
export async function rowsOf(redis: Redis, pid: number): Promise<Row[]> {
  const ports = new Set(connectionsOf(pid).map(({ localPort }) => localPort));
  return (await allRows(redis)).filter(({ port }) => ports.has(port));
}

/** Seconds since the process last wrote to the broker: pings keep subscribed connections young, so these do not count. */
export function silence(rows: readonly Row[]): number {
  return Math.min(...rows.filter(({ subscribed }) => subscribed === 0).map(({ idle }) => idle));
}

/** That it waits for a message right now. */
export function isPolling(rows: readonly Row[]): boolean {
  return rows.some(({ command, flags }) => command === "brpop" && flags.includes("b"));
}

export interface Heartbeat {
  /** Tasks in hand. */
  readonly active: number;
}

/** The heartbeats of a node that are heard within `ms`; workers send one every 2 s. */
export async function heartbeats(redis: Redis, node: string, ms: number): Promise<Heartbeat[]> {
  const heard: Heartbeat[] = [];
  const listener = redis.duplicate();
  listener.on("error", () => undefined);
  listener.on("pmessage", (_pattern: string, _channel: string, message: string) => {
    const { body } = JSON.parse(message) as { body: string };
    const beat = JSON.parse(Buffer.from(body, "base64").toString()) as { hostname: string; active: number };
    if (beat.hostname === node) heard.push({ active: beat.active });
  });
  await listener.psubscribe("/0.celeryev/worker.heartbeat");
  const end = performance.now() + ms;
  // The first is enough for all who ask.
  while (heard.length === 0 && performance.now() < end) await wait(50);
  listener.disconnect();
  return heard;
}

/**
 * What `look` returns as soon as it returns something.
 *
 * @throws Error naming what was awaited when `withinMs` have passed
 */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs} ms`);
    await wait(100);
  }
}

/** @throws Error with the fact that does not hold */
export function must(holds: boolean, fact: string): void {
  if (!holds) throw new Error(`the state is not there: ${fact}`);
}
