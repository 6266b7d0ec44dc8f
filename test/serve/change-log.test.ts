import { expect, test } from "vitest";
import type { FleetView } from "../../src/fleet/fleet-view.ts";
import { changeLog } from "../../src/serve/change-log.ts";
import { ALIVE, AT_S, fleet, HUNG, LOST, NO_ROUND, node, outage } from "./fleet.ts";

/** What is logged of each of these views, two seconds apart, without the time. */
function logged(...views: readonly FleetView[]): readonly (readonly string[])[] {
  const changes = changeLog();
  return views.map((view, at) =>
    changes({ ...view, atS: AT_S + 2 * at }).map((line) => {
      expect(line).toMatch(/^2027-01-15T08:\d\d:\d\d\.000Z /);
      return line.slice(25);
    }),
  );
}

const BUSY = node("a@b", { status: "healthy", reason: "busy", silentS: 3, graceS: 300 });
const WELL = node("a@b");
const SICK = node("a@b", HUNG);

test("the first round is summed up, with the unhealthy ones", () => {
  expect(logged(fleet([], { rounds: NO_ROUND }), fleet([node("c@d", HUNG), WELL]))).toEqual([
    [],
    [
      "2 workers of redis://redis:6379/0: 1 healthy, 1 unhealthy, 0 unknown",
      expect.stringMatching(/^unhealthy: hung: c@d/),
    ],
  ]);
});

test("a change of a verdict is a line, but not that of a worker alive and busy by turns", () => {
  expect(
    logged(fleet([WELL]), fleet([BUSY]), fleet([WELL]), fleet([SICK]), fleet([SICK]), fleet([WELL])),
  ).toEqual([
    ["1 worker of redis://redis:6379/0: 1 healthy, 0 unhealthy, 0 unknown"],
    [],
    [],
    [expect.stringMatching(/^unhealthy: hung: a@b/)],
    [],
    [expect.stringMatching(/^healthy: alive: a@b/)],
  ]);
});

test("that two workers have one name is a line, and its end one more", () => {
  const twins = { ...WELL, copies: 2 };
  const line = /^healthy: alive: a@b: .*; hint: 2 workers have this name: give each its own with -n$/;
  expect(logged(fleet([WELL]), fleet([twins]), fleet([twins]), fleet([WELL])).slice(1)).toEqual([
    [expect.stringMatching(line)],
    [],
    [expect.stringMatching(/^healthy: alive: a@b: [^;]*$/)],
  ]);
  expect(logged(fleet([twins]))[0]?.[1]).toMatch(line);
});

test("a worker that comes and one that is forgotten are a line each", () => {
  expect(logged(fleet([]), fleet([WELL]), fleet([]))).toEqual([
    ["0 workers of redis://redis:6379/0: 0 healthy, 0 unhealthy, 0 unknown"],
    [expect.stringMatching(/^healthy: alive: a@b/)],
    ["a@b is not watched any more"],
  ]);
});

test("an outage is one line at its begin and one at its end, and a worker that died meanwhile one more", () => {
  const lost = [node("a@b", LOST), node("c@d", LOST)];
  const away = outage(lost);
  const other = node("c@d", ALIVE);
  expect(logged(fleet([WELL, other]), away, away, fleet(lost), fleet([SICK, other])).slice(1)).toEqual([
    [expect.stringMatching(/^broker: .*refused the connection$/)],
    [],
    ["broker: redis://redis:6379/0 answers again after 26 s"],
    [expect.stringMatching(/^unhealthy: hung: a@b/)],
  ]);
});

test("an outage whose cause changes is a line for each cause", () => {
  const down = outage([node("a@b", LOST)]);
  const failure = { kind: "refused", cause: "wrong-password", command: "AUTH", detail: "WRONGPASS" } as const;
  const refusing = { ...down, broker: { ...down.broker, trouble: { failure, sinceS: AT_S - 20 } } };
  expect(logged(fleet([WELL]), down, refusing, refusing).slice(1)).toEqual([
    [expect.stringMatching(/^broker: .*refused the connection$/)],
    [expect.stringMatching(/^broker: .*WRONGPASS/)],
    [],
  ]);
});

test("no more than 60 lines are written in a minute, and the others are counted", () => {
  const many = (verdict = ALIVE) =>
    fleet(Array.from({ length: 500 }, (_, number) => node(`a@${number}`, verdict)));
  const quiet = Array.from({ length: 30 }, () => many(HUNG));
  const lines = logged(many(), many(HUNG), ...quiet).flat();
  expect(lines).toHaveLength(61);
  expect(lines.at(-1)).toBe("441 changes more in the minute before");
});
