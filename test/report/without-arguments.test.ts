import { expect, test } from "vitest";
import { withoutArguments, withoutScheduledArguments } from "../../src/report/without-arguments.ts";

test("an entry of beat's schedule loses its arguments, and its options except the route", () => {
  const entry = {
    task: "tasks.add",
    schedule: 3_600,
    args: ["s3cret"],
    kwargs: { to: "s3cret" },
    options: {
      queue: "q",
      routing_key: "r",
      exchange: "e",
      priority: 3,
      expires: 60,
      headers: { tenant: "s3cret" },
      shadow: "s3cret",
      link: ["s3cret"],
    },
  };
  const shown = {
    task: "tasks.add",
    schedule: 3_600,
    options: { queue: "q", routing_key: "r", exchange: "e", priority: 3, expires: 60 },
  };
  for (const name of ["beat_schedule", "CELERYBEAT_SCHEDULE"]) {
    expect(withoutScheduledArguments({ [name]: { nightly: entry }, timezone: "UTC" })).toEqual({
      [name]: { nightly: shown },
      timezone: "UTC",
    });
  }
});

test("an entry of another form stays, unless it may contain arguments", () => {
  expect(withoutScheduledArguments("timed out")).toBe("timed out");
  expect(withoutScheduledArguments({ beat_schedule: null })).toEqual({ beat_schedule: null });
  const odd = { a: "<ScheduleEntry: a tasks.add('s3cret')>", b: { task: "t", options: "s3cret" } };
  expect(withoutScheduledArguments({ beat_schedule: odd })).toEqual({
    beat_schedule: { a: null, b: { task: "t", options: null } },
  });
  expect(withoutScheduledArguments({ beat_schedule: ["s3cret"] })).toEqual({ beat_schedule: null });
});

test("a task keeps its name, id and times", () => {
  const task = {
    id: "1",
    name: "tasks.add",
    args: ["s3cret"],
    kwargs: {},
    argsrepr: "s3cret",
    time_start: 1.5,
  };
  expect(withoutArguments([task])).toEqual([{ id: "1", name: "tasks.add", time_start: 1.5 }]);
  expect(withoutArguments(null)).toBeNull();
});
