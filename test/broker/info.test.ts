import { expect, test } from "vitest";
import { infoFields, infoMemory, infoUptimeS } from "../../src/broker/info.ts";

const MEMORY = "used_memory:9\r\nmaxmemory:10\r\nmaxmemory_policy:volatile-lru\r\nevicted_keys:3\r\n";

test.each([
  [MEMORY, { used: 9, limit: 10, policy: "volatile-lru", evicted: 3 }],
  ["used_memory:9", { used: 9, limit: null, policy: null, evicted: 0 }],
  ["used_memory:9\nmaxmemory:0", { used: 9, limit: null, policy: null, evicted: 0 }],
  // Only what is a policy is repeated.
  ["used_memory:9\nmaxmemory_policy:redis://:s3cret@h", { used: 9, limit: null, policy: null, evicted: 0 }],
  ["maxmemory:10", null],
  ["", null],
])("of INFO %j the memory is %j", (text, memory) => {
  expect(infoMemory(infoFields(text))).toEqual(memory);
});

test.each([
  ["uptime_in_seconds:12", 12],
  ["uptime_in_seconds:0", 0],
  ["uptime_in_seconds:-3", null],
  ["", null],
])("of INFO %j the uptime is %j s", (text, upS) => {
  expect(infoUptimeS(infoFields(text))).toBe(upS);
});
