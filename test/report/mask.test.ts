import { expect, test } from "vitest";
import { parsePythonJson } from "../../src/pidbox/envelope.ts";
import { maskedVariable, maskedWords, maskUrls, scrub } from "../../src/report/mask.ts";

const MASK = "********";

test.each([
  ["CELERY_BROKER_URL", "redis://:a@h:6379/0", `redis://:${MASK}@h:6379/0`],
  ["CELERY_BROKER_READ_URL", "redis://h:6379/0", "redis://h:6379/0"],
  ["BROKER_POOL_LIMIT", "5000", "5000"],
  ["CELERY_TASK_SOFT_TIME_LIMIT", "1800", "1800"],
  ["CELERYD_PREFETCH_MULTIPLIER", "1", "1"],
  ["CELERY_BEAT_SCHEDULE_FILENAME", "/run/s", "/run/s"],
  ["CELERY_WORKER_QUEUES", "a,b", "a,b"],
  ["HTTP_TIMEOUT_SECONDS", "3000", "3000"],
  ["PYTHONPATH", "/srv", "/srv"],
  ["CELERY_LICENCE", "on", "on"],
  ["CELERY_LICENCE", "abc", MASK],
  ["BROKER_POOL_AUTHSTRING", "abc", MASK],
  ["REDIS_HOSTILE", "abc", MASK],
  ["CELERY_ALERT_URL", "https://h:8443/services/abc", `https://h:8443/${MASK}`],
])("the variable %s of %j is shown as %j", (name, value, shown) => {
  expect(maskedVariable(name, value)).toBe(shown);
});

test.each([
  ["see http://h/a/b?c=d.", `see http://h/${MASK}`],
  ["'https://h?c=d', 'x'", `'https://h/${MASK}', 'x'`],
  ["https://h https://h/", "https://h https://h/"],
  ["redis://h/0 and elasticsearch+http://h/index", "redis://h/0 and elasticsearch+http://h/index"],
])("web addresses in %j: %j", (text, shown) => {
  expect(maskUrls(text)).toBe(shown);
});

test("of a command line options of such names are masked, with = and without, and addresses end at their hosts", () => {
  const words = ["run", "--password", "a", "--api-key=b", "--hook=https://h/c", "-c", "4"];
  expect(maskedWords(words)).toEqual([
    ...["run", "--password", MASK, `--api-key=${MASK}`],
    ...[`--hook=https://h/${MASK}`, "-c", "4"],
  ]);
});

test("a known secret is taken out of texts and of names, and a number stays as it is", () => {
  const number = parsePythonJson("1e999");
  expect(scrub({ "a s3cret-1": ["s3cret-1 b", number] }, ["s3cret-1"])).toEqual({
    [`a ${MASK}`]: [`${MASK} b`, number],
  });
});
