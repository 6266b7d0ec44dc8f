import { describe, expect, test } from "vitest";
import { parseBrokerUrl, redact } from "../../src/broker/url.ts";

describe("parseBrokerUrl", () => {
  test.each([
    ["redis://", { host: "127.0.0.1", port: 6379, db: 0 }],
    ["redis://cache", { host: "cache", port: 6379, db: 0 }],
    ["REDIS://Cache.Example:6380/", { host: "cache.example", port: 6380, db: 0 }],
    ["redis://cache/3", { host: "cache", port: 6379, db: 3 }],
    ["redis://cache//3", { host: "cache", port: 6379, db: 3 }],
    ["redis://[::1]:6380/1", { host: "::1", port: 6380, db: 1 }],
    ["redis://:@cache/0", { host: "cache", port: 6379, db: 0 }],
    ["redis://:pw@cache/0", { host: "cache", port: 6379, db: 0, password: "pw" }],
    [
      "redis://app:p%40ss%2Fw@cache/0",
      { host: "cache", port: 6379, db: 0, username: "app", password: "p@ss/w" },
    ],
    ["redis://:p@ss:w@cache", { host: "cache", port: 6379, db: 0, password: "p@ss:w" }],
    ["redis://:100%@cache", { host: "cache", port: 6379, db: 0, password: "100%" }],
    ["redis://:%C3%A9t%C3%A9@cache", { host: "cache", port: 6379, db: 0, password: "été" }],
    ["redis://cache/3\n", { host: "cache", port: 6379, db: 3 }],
    ["redis://cache\r\n", { host: "cache", port: 6379, db: 0 }],
    ["redis://cache/3 ", { host: "cache", port: 6379, db: 3 }],
    ["redis://bob@cache", { host: "cache", port: 6379, db: 0, username: "bob" }],
    ["redis://cache/0?connect_timeout=3", { host: "cache", port: 6379, db: 0 }],
  ])("reads %s as kombu does", (url, target) => {
    expect(parseBrokerUrl(url)).toEqual({ ok: true, value: target });
  });

  test.each([
    ["http://x", "is not a Redis broker: expected redis://"],
    ["amqp://guest@x//", "is not a Redis broker: expected redis://"],
    ["cache:6379/0", "is not a URL: expected redis://"],
    ["", "is not a URL: expected redis://"],
    [" redis://cache", "is not a Redis broker: expected redis://"],
    ["redis://h:99999/0", "has port 99999: expected 1 to 65535"],
    ["redis://h:0/0", "has port 0: expected 1 to 65535"],
    ["redis://h/abc", "has a database that is not a number: expected 0 or more"],
    ["redis://h/-1", "has a database that is not a number: expected 0 or more"],
    ["redis://:p/w@h", "has an @ behind its host: expected %-codes for / ? # @ in a password"],
    ["redis://:1#pw@h/0", "has an @ behind its host: expected %-codes for / ? # @ in a password"],
    [
      "redis://:pw",
      "has a port that is not a number: expected %-codes for / ? # @ in a password, and a port",
    ],
    ["redis://my host/0", "has a blank in its host"],
    ["redis://h/0?db=3", "has a parameter that kombu refuses in a redis:// URL"],
    ["redis://h/0?ssl_cert_reqs=none", "asks for TLS by ssl_…, not supported by this version"],
    ["rediss://h/0", "has scheme 'rediss', not supported by this version"],
    ["sentinel://h/0", "has scheme 'sentinel', not supported by this version"],
    ["redis+socket:///run/redis.sock", "has scheme 'redis+socket', not supported by this version"],
    ["redis://a/0;redis://b/0", "is a list of brokers, not supported by this version"],
  ])("refuses %j and says what was expected", (url, problem) => {
    const parsed = parseBrokerUrl(url);
    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok ? "" : parsed.problem).toContain(problem);
  });
});

describe("redact", () => {
  test.each([
    ["redis://cache:6379/0", "redis://cache:6379/0"],
    ["redis://[::1]:6379/0", "redis://[::1]:6379/0"],
    ["redis://:secret@cache/0", "redis://:***@cache/0"],
    ["redis://app:secret@cache/0", "redis://app:***@cache/0"],
    ["redis://secret@cache/0", "redis://***@cache/0"],
    ["redis://:se@cret@cache/0", "redis://:***@cache/0"],
    ["redis://:se/cr?e#t@cache/0", "redis://:***@cache/0"],
    ["redis://:secret", "redis://:***"],
    ["redis://:sec/ret", "redis://:***"],
    ["app:secret@cache", "app:***@cache"],
    [":secret@cache", ":***@cache"],
    ["redis://cache/0?password=secret&x=secret", "redis://cache/0?password=***&x=***"],
    ["redis://cache:1/0?secret", "redis://cache:1/0?***"],
    ["redis://cache:1/0#secret", "redis://cache:1/0#***"],
    ["redis://cache:1/0\n", "redis://cache:1/0"],
    ["redis://:secret@a/0;redis://:secret@b/0", "redis://:***@b/0"],
    ["rediss+x://u:secret@h:12/1", "rediss+x://u:***@h:12/1"],
    ["://secret:@h", ":***@h"],
  ])("prints %s as %s", (url, shown) => {
    expect(redact(url)).toBe(shown);
  });
});
