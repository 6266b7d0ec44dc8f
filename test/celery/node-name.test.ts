import { expect, test } from "vitest";
import { isBeat, nodeName } from "../../src/celery/node-name.ts";

test.each([
  ["", "vm", "celery@vm"],
  ["w1", "vm", "celery@w1"],
  ["w1@", "vm", "w1@vm"],
  ["w1@%h", "vm", "w1@vm"],
  ["@foo", "vm", "celery@foo"],
  ["%n@%h", "vm", "vm@vm"],
  ["a.%d@%i%Ix", "vm", "a.@0x"],
  ["w@%n.%d", "web-1.example.org", "w@web-1.example.org"],
  ["w@%%", "vm", "w@%%"],
  ["Celery@Web-1", "vm", "Celery@Web-1"],
  ["a@b@c", "vm", "a@b@c"],
])("nodeName turns -n %j on host %s into Celery's name: %s", (given, hostname, node) => {
  expect(nodeName(given, hostname)).toBe(node);
});

test("isBeat tells a beat from a worker when it answers pings", () => {
  expect(isBeat("celerybeat@vm")).toBe(true);
  expect(isBeat("celery@celerybeat")).toBe(false);
});
