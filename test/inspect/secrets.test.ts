import { describe, expect, test } from "vitest";
import { parsePythonJson } from "../../src/pidbox/python-json.ts";
import { maskText } from "../../src/inspect/mask-text.ts";
import { secrecyOf } from "../../src/inspect/secret-names.ts";
import { withoutSecrets } from "../../src/inspect/secrets.ts";

const MASKED = "********";

test.each([
  ["redis://:pw@h:6379/0", "redis://:********@h:6379/0"],
  ["redis://user:p@w/#?@h/0", "redis://user:********@h/0"],
  ["redis://token@h", "redis://********@h"],
  ["redis://:**@h", "redis://:**@h"],
  ["redis://h:6379/0", "redis://h:6379/0"],
  ["sentinel://:a@h1;sentinel://:b@h2", "sentinel://:********@h1;sentinel://:********@h2"],
  ["a 'redis://:pa'ss@h' b", "a 'redis://:********@h' b"],
  ["('redis://:a@h', 'redis://:b@i')", "('redis://:********@h', 'redis://:********@i')"],
  ["redis://h/0?password=a&db=1", "redis://h/0?password=********&db=1"],
  ["host=h password=a b=c", "host=h password=******** b=c"],
  ["f(token='a b', x=1)", "f(token=********, x=1)"],
  [`{'password': 'a\\'b', 'x': 1}`, `{'password': '********', 'x': 1}`],
  [`{"api_key": "a", 'auth': ('u', 'p')}`, `{"api_key": '********', 'auth': '********'}`],
  ["{'redis_password': 12345}", "{'redis_password': '********'}"],
  ["{'author': 'me', 'compass': 'n', 'x': 'a'}", "{'author': 'me', 'compass': 'n', 'x': 'a'}"],
  ["{'auth': [('u', 'p'), ('v', 'q]')], 'x': 1}", "{'auth': '********', 'x': 1}"],
  ["{'credentials': {'user': {'a': 1}}, 'x': 1}", "{'credentials': '********', 'x': 1}"],
  ["f(tokens=['a', 'b'], x=1)", "f(tokens=********, x=1)"],
  ["f(password='a\\'b c', x=1)", "f(password=********, x=1)"],
  ["cut: password='a b", "cut: password=********"],
  ["cut: {'password': ('a', 'b", "cut: {'password': '********'"],
  ["?ssl_cert_reqs=none&virtual_host=3&a=b", "?ssl_cert_reqs=none&virtual_host=3&a=b"],
  ["AuthString=a;Signature=b;Api-Key=c;ro", "AuthString=********;Signature=********;Api-Key=********;ro"],
  ["-H 'X-Api-Key: a' -H 'Accept: b'", "-H 'X-Api-Key: ********' -H 'Accept: b'"],
  ["Authorization: a, Cookie: b=c; d", "Authorization: ********, Cookie: ********; d"],
  ["Authorization: Bearer abcd", "Authorization: Bearer ********"],
  ["redis://auth-cache:6379/0", "redis://auth-cache:6379/0"],
  ["{'fernet_key': 'a', 'routing_key': 'b'}", "{'fernet_key': '********', 'routing_key': 'b'}"],
  ["two lines redis://:a@h\nmail@b", "two lines redis://:********@h\nmail@b"],
])("%j becomes %j", (text, expected) => {
  expect(maskText(text)).toBe(expected);
});

describe("secrets in answers", () => {
  test("conf is masked by names at any depth, and by the form of its texts", () => {
    const conf = {
      broker_url: "redis://:a@h/0",
      options: { sentinel_kwargs: { password: "a", username: "u" }, list: [{ token: ["a", 1] }] },
      worker_concurrency: 4,
      no_password: null,
      use_secret: true,
      routing_key: "r",
    };
    expect(withoutSecrets("conf", conf, [])).toEqual({
      broker_url: "redis://:********@h/0",
      options: {
        sentinel_kwargs: { password: MASKED, username: "u" },
        list: [{ token: [MASKED, MASKED] }],
      },
      worker_concurrency: 4,
      no_password: null,
      use_secret: true,
      routing_key: "r",
    });
  });

  test("stats mask only the connection by names, and show the names of tasks", () => {
    const stats = {
      total: { "tasks.reset_password": 3 },
      broker: { hostname: "h", password: "a", alternates: ["redis://:a@i"] },
    };
    expect(withoutSecrets("stats", stats, [])).toEqual({
      total: { "tasks.reset_password": 3 },
      broker: { hostname: "h", password: MASKED, alternates: ["redis://:********@i"] },
    });
  });

  test("a header, a connection string, a signed address and a DSN are secrets, a working folder is not", () => {
    const conf = {
      headers: { Authorization: "a" },
      dsn: "b",
      result_backend: "azureblockblob://AccountName=n;AccountKey=c==;x",
      other: "https://host/path?sv=1&sig=d%3D",
    };
    expect(withoutSecrets("conf", conf, [])).toEqual({
      headers: { Authorization: MASKED },
      dsn: MASKED,
      result_backend: `azureblockblob://AccountName=n;AccountKey=${MASKED};x`,
      other: `https://host/path?sv=1&sig=${MASKED}`,
    });
    expect(
      ["PWD", "OLDPWD", "DB_PWD", "AUTHORIZATION", "SENTRY_DSN"].map((name) => secrecyOf(name) === "secret"),
    ).toEqual([false, false, true, true, true]);
  });

  test("conf is masked by the same names as variables, but keys of routes are shown", () => {
    const conf = {
      fernet_key: "a",
      app_authstring: "b",
      app: { webhook: "https://h/c", "x-api-key": "d", Signature: "e", routing_key: "r" },
      task_default_routing_key: "r",
      redbeat_lock_key: "l",
    };
    expect(withoutSecrets("conf", conf, [])).toEqual({
      fernet_key: MASKED,
      app_authstring: MASKED,
      app: { webhook: MASKED, "x-api-key": MASKED, Signature: MASKED, routing_key: "r" },
      task_default_routing_key: "r",
      redbeat_lock_key: "l",
    });
  });

  test.each([
    ["BROKER_POOL_AUTHSTRING", true],
    ["REDISCLI_AUTH", true],
    ["OAUTH", true],
    ["DB_CREDS", true],
    ["AZURE_STORAGE_CONNECTION_STRING", true],
    ["DJANGO_SECRET_KEY", true],
    ["GPG_KEY", true],
    ["MY_JWT", true],
    ["AUTHOR", false],
    ["AUTH_USER_MODEL", false],
    ["AUTHENTICATION_BACKENDS", false],
    ["DEFAULT_AUTHENTICATION_CLASSES", false],
    ["AUTH_PASSWORD_VALIDATORS", false],
    ["PASSWORD_HASHERS", false],
    ["PASSWORD_RESET_TIMEOUT", false],
    ["CSRF_COOKIE_AGE", false],
    ["CSRF_COOKIE_NAME", false],
    ["CSRF_TRUSTED_ORIGINS", false],
    ["SESSION_COOKIE_HTTPONLY", false],
    ["SESSION_COOKIE_PATH", false],
    ["SESSION_COOKIE_SAMESITE", false],
    ["cassandra_auth_provider", false],
    ["unacked_mutex_key", false],
    ["OPENAI_MAX_TOKENS", false],
    ["TOKENIZERS_PARALLELISM", false],
    ["COMPASS_URL", false],
    ["ssl_cert_reqs", false],
    ["virtual_host", false],
    ["CSRF_TOKEN", true],
    ["csrfmiddlewaretoken", true],
    ["SECRET_KEY", true],
    ["SECRET_KEY_FALLBACKS", true],
    ["SESSION_COOKIE", true],
    ["Set-Cookie", true],
    ["sessionid", true],
    ["DB_PASS", true],
    ["dbpass", true],
    ["DB_CONTRASENA", true],
    ["cassandra_auth_kwargs", true],
    ["SOCIAL_AUTH_GITHUB_KEY", true],
    ["AUTH_LDAP_BIND_PASSWORD", true],
    ["CELERY_BROKER_URL", false],
    ["CELERY_TASK_DEFAULT_ROUTING_KEY", false],
    ["REDBEAT_KEY_PREFIX", false],
    ["REMAP_SIGTERM", false],
    ["cassandra_keyspace", false],
    ["salt_master", false],
    ["PASSWORD_SALT", true],
    ["AUTH_LDAP_USER_SEARCH", false],
    ["JWT_COOKIE", false],
    ["JWT_AUTH_REFRESH_COOKIE", false],
  ])("that %s is a secret's name is %s", (name, expected) => {
    expect(secrecyOf(name) === "secret").toBe(expected);
  });

  test("arguments of tasks stay as they were sent, but an exception's words are masked", () => {
    const tasks = [{ kwargs: { password: "a" } }];
    expect(withoutSecrets("reserved", tasks, ["a-long-one"])).toBe(tasks);
    expect(withoutSecrets("reserved", { error: "OSError('redis://:a@h')" }, [])).toEqual({
      error: "OSError('redis://:********@h')",
    });
  });

  test("known secrets are removed from any text, plain or percent-encoded", () => {
    const said = { app_hint: "it is p@ssw0rd or p%40ssw0rd" };
    expect(withoutSecrets("conf", said, ["p@ssw0rd"])).toEqual({ app_hint: `it is ${MASKED} or ${MASKED}` });
  });

  test("numbers keep their digits", () => {
    const big = parsePythonJson(
      `{"limit": 12345678901234567890, "pad": "${"x".repeat(100)}", "more": Infinity}`,
    );
    expect(JSON.stringify(withoutSecrets("conf", big, []))).toMatch(
      /^\{"limit":12345678901234567890,"pad":"x+","more":1e999\}$/,
    );
  });
});
