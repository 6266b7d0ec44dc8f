import { expect, test } from "vitest";
import { chosen, EVERYTHING, queuesWorstFirst } from "../../../src/serve/page/script/order.ts";
import { ago, queue, worker } from "../../world/scripted-fleet.ts";

const WORKERS = [
  worker("celery@web-10", {
    status: "unhealthy",
    reason: "hung",
    queues: ["orders"],
    since: ago(60),
    per_second: 0,
  }),
  worker("celery@web-2", { reason: "busy", since: ago(5), per_second: null, active: 4 }),
  worker("celery@Mail-1", { queues: ["mails"], since: ago(900), per_second: 42, active: null }),
];

const names = (wish: object) =>
  chosen(WORKERS, { ...EVERYTHING, ...wish }).map(({ node }) => node.split("@")[1]);

test.each([
  [{}, ["web-10", "web-2", "Mail-1"]],
  [{ isReversed: true }, ["Mail-1", "web-2", "web-10"]],
  [{ sort: "name" }, ["Mail-1", "web-2", "web-10"]],
  [{ sort: "since" }, ["web-2", "web-10", "Mail-1"]],
  [{ sort: "rate" }, ["Mail-1", "web-10", "web-2"]],
  [{ sort: "busy" }, ["web-2", "web-10", "Mail-1"]],
  [{ sort: "busy", isReversed: true }, ["Mail-1", "web-10", "web-2"]],
  [{ status: "healthy" }, ["web-2", "Mail-1"]],
  [{ words: "WEB" }, ["web-10", "web-2"]],
  [{ words: "mail" }, ["Mail-1"]],
  [{ words: " orders  hung " }, ["web-10"]],
  [{ words: "web mails" }, []],
  [{ words: "busy", status: "unhealthy" }, []],
])("workers are chosen and sorted as wished: %j", (wish, expected) => {
  expect(names(wish)).toEqual(expected);
});

test("queues with messages that no worker consumes come first, the others stay", () => {
  const queues = [
    queue("a", { length: 900 }),
    queue("b", { length: 0, consumers: 0 }),
    queue("c", { length: 1, consumers: 0 }),
  ];
  expect(queuesWorstFirst(queues).map((one) => one.queue)).toEqual(["c", "a", "b"]);
});
