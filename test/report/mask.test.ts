import { describe, expect, test } from "vitest";
import { parsePythonJson } from "../../src/pidbox/python-json.ts";
import { hiderOf, maskedVariable, maskedWords, scrub, secretsIn } from "../../src/report/mask.ts";

const MASKED = "********";

/** As texts of a report are shown, where nothing is known. */
const shown = (text: string) => scrub(text, hiderOf([]));

test.each([
  ["https://hooks.slack.com/services/T000/B000/s3cret", "https://hooks.slack.com/********"],
  ["https://x.example/?token=s3cret", "https://x.example/********"],
  ["https://x.example:8443?s3cret", "https://x.example:8443/********"],
  ["HTTP://x.example#s3cret", "HTTP://x.example/********"],
  ["wss://x.example/s3cret", "wss://x.example/********"],
  ["https://me:s3/cret@x.example/s3cret", "https://me:********@x.example/********"],
  ["https://us,er:pw@x.example/s3cret", "https://us,er:********@x.example/********"],
  ["https://x.example/a,s3cret;b", "https://x.example/********"],
  ["https://x.example/?to=redis://h/0&key=s3cret", "https://x.example/********"],
  ["https://a/x,https://b/y;redis://c/0", "https://a/********,https://b/********;redis://c/0"],
  ["('https://a/x', 'b') <https://c/y>", "('https://a/********', 'b') <https://c/********>"],
  ["see (https://a/x), there", "see (https://a/********), there"],
  ["https://x.example/********", "https://x.example/********"],
  ["https://x.example/", "https://x.example/"],
  ["http://127.0.0.1:5555", "http://127.0.0.1:5555"],
  ["redis://h:6379/0", "redis://h:6379/0"],
  ["db+postgresql://me:pw@db:5432/results", "db+postgresql://me:********@db:5432/results"],
  ["couchdb+https://h/results", "couchdb+https://h/results"],
])("%j is shown as %j", (text, expected) => {
  expect(shown(text)).toBe(expected);
  expect(maskedVariable("SOME_URL", text)).toBe(expected);
  expect(maskedWords(["celery", text])).toEqual(["celery", expected]);
});

test("the password in a user's option is masked", () => {
  expect(maskedWords(["curl", "-u", "me:pw", "--user", "1000:1000"])).toEqual([
    "curl",
    "-u",
    "me:********",
    "--user",
    "1000:1000",
  ]);
});

test.each([
  "CELERY_BROKER_URL",
  "CELERY_BROKER_READ_URL",
  "BROKER_URL",
  "CELERY_BROKER",
  "CELERY_RESULT_BACKEND",
  "REDIS_URL",
  "REDIS_HOST",
  "REDISHOST",
  "REDIS_PORT",
  "REDIS_DB",
  "HOSTNAME",
  "CELERYD_CONCURRENCY",
  "CELERYD_POOL",
  "CELERY_BROKER_POOL_LIMIT",
  "CELERY_TASK_SOFT_TIME_LIMIT",
  "CELERYD_PREFETCH_MULTIPLIER",
  "CELERYD_MAX_TASKS_PER_CHILD",
  "CELERY_BROKER_CONNECTION_TIMEOUT",
  "SOCKET_TIMEOUT_MS",
  "CELERY_TASK_DEFAULT_QUEUE",
  "CELERY_QUEUES",
  "CELERY_AUTOSCALE",
  "CELERYD_LOG_LEVEL",
  "LOGLEVEL",
  "CELERY_BEAT_SCHEDULE_FILENAME",
  "CELERY_BEAT_SCHEDULER",
  "CELERY_BEAT_MAX_LOOP_INTERVAL",
  "CELERY_TASK_SERIALIZER",
  "DJANGO_SETTINGS_MODULE",
  "CELERY_APP",
  "CELERY_PROBE_PLACEMENT",
  "PYTHONPATH",
  "PYTHON_VERSION",
  "VIRTUAL_ENV",
  "TZ",
])("the value of %s is shown", (name) => {
  expect(maskedVariable(name, "redis://me:pw@h:6379/0")).toBe(`redis://me:${MASKED}@h:6379/0`);
});

test.each([
  "BROKER_POOL_AUTHSTRING",
  "BROKER_POOL_PHRASE",
  "RESULT_BACKEND_LICENCE",
  "HOSTED_PHRASE",
  "QUEUE_PHRASE",
  "LIMITED_PHRASE",
  "MY_PYTHON_PHRASE",
  "CELERY_BROKER_TRANSPORT_OPTIONS",
  "CELERY_WEBHOOK_URL",
  "CELERY_AUTH_HOST",
  "CELERY_PROBE_SENTINEL_PASSWORD",
])("the value of %s is not shown", (name) => {
  expect(maskedVariable(name, "s3cret")).toBe(MASKED);
});

describe("known secrets", () => {
  const hide = hiderOf(["long-one", "s3c", "p@s", "é1x", "ab", "redis", "***"]);

  test.each([
    ["a long-one, xlong-onex", "a ********, x********x"],
    ["a s3c (s3c)-s3c's.", "a ******** (********)-********'s."],
    ["s3cs xs3c s3c_ 1s3c és3c", "s3cs xs3c s3c_ 1s3c és3c"],
    ["p@s p%40s %C3%A91x é1x", "******** ******** ******** ********"],
    ["ab stays, *** too: ********", "ab stays, *** too: ********"],
    ["redis://redis:6379 redis_version", "redis://********:6379 redis_version"],
  ])("%j becomes %j", (text, expected) => {
    expect(hide(text)).toBe(expected);
  });

  test("are hidden in names too, and numbers stay numbers", () => {
    const said = parsePythonJson(
      `{"s3c": ["s3c", 12345678901234567890, 1, null, true], "pad": "${"x".repeat(100)}"}`,
    );
    expect(JSON.stringify(scrub(said, hide))).toBe(
      `{"${MASKED}":["${MASKED}",12345678901234567890,1,null,true],"pad":"${"x".repeat(100)}"}`,
    );
  });

  test("are values of variables with secret names and passwords of URLs, but not switches or small numbers", () => {
    const environment = [
      ["REDIS_PASSWORD", "s3c"],
      ["SOME_URL", "redis://:p%40s@h/0"],
      ["SESSION_COOKIE_SECURE", "False"],
      ["PASSWORD_MIN_LENGTH", "600"],
      ["REDIS_AUTH", "none"],
      ["REDIS_TOKEN", ""],
      ["REDIS_HOST", "cache"],
    ] as const;
    expect(secretsIn(environment)).toEqual(["s3c", "p%40s", "p@s"]);
  });
});
