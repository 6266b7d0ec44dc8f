import { expect, test } from "vitest";
import { describesSafely, softwareIn, softwareTold } from "../../src/celery/versions.ts";

test("a report shows the versions, even in bytes of another serialisation", () => {
  const line = "\nsoftware -> celery:5.2.7 (dawn-chorus) kombu:5.2.4 py:3.11.7\n";
  expect(softwareIn(line)).toEqual({ celery: "5.2.7", kombu: "5.2.4" });
  expect(softwareIn("software -> celery:5.6.0rc1 (x) kombu:5.6.0b2 py:3")).toEqual({
    celery: "5.6.0rc1",
    kombu: "5.6.0b2",
  });
  expect(softwareIn("software -> nothing")).toBeNull();
});

test.each([
  [{ ok: "software -> celery:5.2.7 (x) kombu:5.2.4" }, "5.2.7"],
  [{ ok: "software -> nothing" }, undefined],
  [{ error: "celery:5.2.7 kombu:5.2.4" }, undefined],
  ["celery:5.2.7 kombu:5.2.4", undefined],
])("the answer %j to `report` tells of Celery %s", (answer, celery) => {
  expect(softwareTold(answer)?.celery).toBe(celery);
});

test.each([
  ["4.4.7", false],
  ["5.1.9", false],
  ["5.2.0", true],
  ["5.10.0", true],
  ["6.0.0", true],
  [null, false],
])("Celery %s describes arguments: %s", (version, isSafe) => {
  expect(describesSafely(version)).toBe(isSafe);
});
