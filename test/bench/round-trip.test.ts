import { expect, test } from "vitest";
import { roundTripIn } from "../../bench/round-trip.ts";

const at = (ms: number, name: string) => ({ name, ms });

test("roundTripIn takes apart what the worker and what the probe took", () => {
  const seen = [
    at(0, "TYPE"),
    at(1, "LRANGE"),
    at(2, "PUBLISH"),
    at(3, "LRANGE"),
    at(4.5, "LPUSH"),
    at(5, "LRANGE"),
  ];
  expect(roundTripIn(seen)).toEqual({ workerMs: 2.5, ownMs: 0.5, looks: 2 });
});

test("roundTripIn names what is missing when nobody answered", () => {
  expect(() => roundTripIn([at(0, "PUBLISH"), at(1, "LRANGE")])).toThrow("no LPUSH among PUBLISH LRANGE");
});
