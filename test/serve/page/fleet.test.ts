import { expect, test } from "vitest";
import { fleetJson } from "../../../src/render/fleet-json.ts";
import { fleet, queue, worker } from "../../world/scripted-fleet.ts";
import * as views from "../fleet.ts";

/** The names of all fields, e.g. `workers.broker.url`; of lists those of their first element. */
function fieldsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return fieldsOf(value[0] as unknown, `${path}[]`);
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, `${path}.${name}`));
}

test("the page reads what serve sends, by the same names", () => {
  const sent = JSON.parse(fleetJson(views.fleet([views.node("celery@a")]), "0.1.0")) as unknown;
  const read = fieldsOf(fleet([worker("celery@a")], [queue("celery")]));
  expect(read.length).toBeGreaterThan(40);
  expect(fieldsOf(sent)).toEqual(expect.arrayContaining(read));
});
