import type { Fleet } from "../../src/serve/page/script/fleet.ts";
import { ago, fleet, queue, worker } from "./scripted-fleet.ts";

/**
 * The fleet of the pictures: two unhealthy workers, an unknown one, and some healthy ones.
 *
 * @param secondsAgo how long before AT_MS it is seen. Its queues grow and shrink
 */
export function shopFleet(secondsAgo = 0): Fleet {
  return fleet([...TROUBLED, ...WELL], queues(secondsAgo), { at: ago(secondsAgo) });
}

/** Values that go up and down around a size. */
function waves(size: number, shift: number): number[] {
  return Array.from({ length: 40 }, (_, at) => Math.max(0, size * (1 + Math.sin((at + shift) / 3) * 0.4)));
}

const TROUBLED = [
  worker("celery@orders-7d9f8b6c5-abcde.shop.svc", {
    status: "unhealthy",
    reason: "hung",
    message: "silent for 412 s, longer than the 300 s grace",
    hint: "restart it; if its tasks may block it for that long, raise --busy-grace",
    since: ago(112),
    last_evidence: ago(412),
    active: 4,
    per_second: 0,
    trend: [...waves(3, 0).slice(0, 20), ...Array.from({ length: 20 }, () => 0)],
    queues: ["orders", "invoices"],
    oldest_task: { name: "shop.tasks.charge", age_s: 415 },
  }),
  worker("celery@mail-2.shop.svc", {
    status: "unhealthy",
    reason: "not-consuming",
    message: "it runs nothing, and 1,240 messages in mails have waited for it for 95 s",
    hint: "restart it; kombu before 5.7.0 may wait forever on a dead connection",
    since: ago(65),
    active: 0,
    slots: 20,
    per_second: 0,
    trend: [...waves(9, 2).slice(0, 30), ...Array.from({ length: 10 }, () => 0)],
    queues: ["mails"],
  }),
  worker("celery@web-7d9f8b6c5-x2x9q.shop.svc", {
    status: "unknown",
    reason: "undecided",
    message: "it was not heard since the broker came back 3 s ago",
    since: ago(3),
    active: null,
    slots: null,
    per_second: null,
    trend: [],
    queues: [],
  }),
];

const WELL = [
  worker("celery@reports-1.shop.svc", {
    reason: "busy",
    message: "silent for 40 s, less than the 300 s grace",

    since: ago(40),
    active: 1,
    slots: 1,
    per_second: 0.02,
    trend: [0, 0, 0.05, 0, 0, 0, 0.05, 0, 0],
    queues: ["reports"],
  }),
  ...["mbt4k", "q8zrt", "wlc2p", "zz7hd"].map((pod, at) =>
    worker(`celery@web-7d9f8b6c5-${pod}.shop.svc`, {
      active: (at * 3) % 5,
      per_second: 2.1 + at,
      trend: waves(2 + at, at * 2),
      queues: ["celery", "orders"],
      restarts: at === 2 ? 1 : 0,
    }),
  ),
  worker("celery@mail-1.shop.svc", {
    active: 17,
    slots: 20,
    per_second: 42,
    trend: waves(40, 1),
    queues: ["mails"],
    local: true,
  }),
];

const queues = (secondsAgo: number) => [
  queue("celery", { length: 12, trend: waves(12, 3), consumers: 4, slots: 16, active: 11, load: 0.69 }),
  queue("exports", {
    length: 38,
    trend: waves(3, 0).map((_, at) => at),
    consumers: 0,
    slots: null,
    active: null,
    load: null,
    nonempty_since: ago(5_400),
  }),
  queue("invoices", { consumers: 1, slots: 4, active: 0, load: 0 }),
  queue("mails", {
    length: 1_240 - Math.round(secondsAgo * 3.5),
    trend: waves(900, 0).map((value, at) => value + at * 8),
    consumers: 1,
    slots: 20,
    active: 17,
    load: 0.85,
    nonempty_since: ago(180),
  }),
  queue("orders", {
    length: 31 + secondsAgo,
    trend: [61, 60, 55, 56, 50, 47, 41, 38, 36, 31],
    consumers: 5,
    slots: 20,
    active: 12,
    load: 0.6,
    nonempty_since: ago(20),
  }),
  queue("reports", {
    length: 2,
    trend: [2, 2, 2, 2],
    consumers: 1,
    slots: 1,
    active: 1,
    load: 1,
    nonempty_since: ago(340),
  }),
];
