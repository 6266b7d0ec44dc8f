import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BrokerTarget, parseBrokerUrl, redact } from "../../src/broker/url.ts";
import type { TlsWish } from "../../src/broker/url-tls.ts";

type Rest = Partial<Omit<BrokerTarget, "place">>;

function tcp(host: string, port = 6379, rest: Rest = {}): BrokerTarget {
  return { place: { kind: "tcp", host, port }, db: 0, tls: null, ...rest };
}

function socket(path: string, rest: Rest = {}): BrokerTarget {
  return { place: { kind: "socket", path }, db: 0, tls: null, ...rest };
}

const tls = (said: Partial<TlsWish> = {}): Rest => ({ tls: { reqs: "required", ...said } });

const CERTIFICATES = "ssl_ca_certs=/a%20b.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem&ssl_password=p%26w";
const OTHERS = "ssl_ca_path=/etc/ca&ssl_ca_data=PEM%2B&ssl_ciphers=HIGH:!aNULL&ssl_validate_ocsp=true";

describe("parseBrokerUrl reads as kombu does", () => {
  test.each<[string, BrokerTarget]>([
    ["redis://", tcp("127.0.0.1")],
    ["redis://cache", tcp("cache")],
    ["REDIS://Cache.Example:6380/", tcp("cache.example", 6380)],
    ["redis://cache/3", tcp("cache", 6379, { db: 3 })],
    ["redis://cache//3", tcp("cache", 6379, { db: 3 })],
    ["redis://cache//", tcp("cache")],
    ["redis://cache/%2F3", tcp("cache", 6379, { db: 3 })],
    ["redis://cache/03", tcp("cache", 6379, { db: 3 })],
    ["redis://cache/1_0", tcp("cache", 6379, { db: 10 })],
    ["redis://cache/+1", tcp("cache", 6379, { db: 1 })],
    ["redis://cache/-0", tcp("cache")],
    ["redis://cache/3#note", tcp("cache", 6379, { db: 3 })],
    ["redis://cache:/3", tcp("cache", 6379, { db: 3 })],
    ["redis://cache:0", tcp("cache")],
    ["redis://cache:06380", tcp("cache", 6380)],
    ["redis://[::1]:6380/1", tcp("::1", 6380, { db: 1 })],
    ["redis://[FE80::1%25Eth0]", tcp("fe80::1%Eth0")],
    ["redis://c%61che", tcp("cache")],
    ["redis://:@cache/0", tcp("cache")],
    ["redis://:pw@cache/0", tcp("cache", 6379, { password: "pw" })],
    ["redis://app:p%40ss%2Fw@cache/0", tcp("cache", 6379, { username: "app", password: "p@ss/w" })],
    ["redis://:p@ss:w@cache", tcp("cache", 6379, { password: "p@ss:w" })],
    ["redis://:100%@cache", tcp("cache", 6379, { password: "100%" })],
    ["redis://:a+b@cache", tcp("cache", 6379, { password: "a+b" })],
    ["redis://:%C3%A9t%C3%A9@cache", tcp("cache", 6379, { password: "été" })],
    ["redis://:été@cache", tcp("cache", 6379, { password: "été" })],
    ["redis://cache/3\n", tcp("cache", 6379, { db: 3 })],
    ["redis://cache\r\n", tcp("cache")],
    ["redis://cache/3 ", tcp("cache", 6379, { db: 3 })],
    ["redis://bob@cache", tcp("cache", 6379, { username: "bob" })],
    ["redis://cache/0?connect_timeout=3&heartbeat=1e1&insist=1&login_method=x", tcp("cache")],
    ["redis://cache/0?db=&nothing&", tcp("cache")],

    ["rediss://cache", tcp("cache", 6379, tls({ reqs: "none" }))],
    ["rediss://cache?ssl_cert_reqs=", tcp("cache", 6379, tls({ reqs: "none" }))],
    ["RedisS://:pw@cache:6380/1", tcp("cache", 6380, { db: 1, password: "pw", tls: { reqs: "none" } })],
    ["rediss://cache?ssl_cert_reqs=none", tcp("cache", 6379, tls({ reqs: "none" }))],
    ["rediss://cache?ssl_cert_reqs=optional", tcp("cache", 6379, tls({ reqs: "optional" }))],
    ["rediss://cache?ssl_cert_reqs=required", tcp("cache", 6379, tls())],
    ["rediss://cache?ssl_cert_reqs=CERT_NONE", tcp("cache", 6379, tls({ reqs: "none" }))],
    ["rediss://cache?ssl_cert_reqs=CERT_OPTIONAL", tcp("cache", 6379, tls({ reqs: "optional" }))],
    ["rediss://cache?ssl_cert_reqs=CERT_REQUIRED", tcp("cache", 6379, tls())],
    ["redis://cache?ssl_cert_reqs=none&ssl_cert_reqs=required", tcp("cache", 6379, tls())],
    ["redis://cache?ssl_cert_reqs=none", tcp("cache", 6379, tls({ reqs: "none" }))],
    ["rediss://cache?ssl_ca_certs=/etc/a+b@c.pem", tcp("cache", 6379, tls({ caCerts: "/etc/a b@c.pem" }))],
    ["rediss://cache?ssl_check_hostname=False", tcp("cache", 6379, tls({ checkHostname: false }))],
    ["rediss://cache?ssl_check_hostname=0", tcp("cache", 6379, tls({ checkHostname: true }))],
    [
      `redis://cache/2?${CERTIFICATES}`,
      tcp("cache", 6379, {
        db: 2,
        ...tls({ caCerts: "/a b.pem", certfile: "/c.pem", keyfile: "/k.pem", keyPassword: "p&w" }),
      }),
    ],
    [
      `rediss://cache?${OTHERS}`,
      tcp("cache", 6379, tls({ caPath: "/etc/ca", caData: "PEM+", ciphers: "HIGH:!aNULL" })),
    ],

    ["redis+socket:///run/redis.sock", socket("/run/redis.sock")],
    ["redis+socket:///run/redis.sock?virtual_host=2", socket("/run/redis.sock", { db: 2 })],
    ["redis+socket:///run/redis.sock?virtual_host=/2", socket("/run/redis.sock", { db: 2 })],
    ["redis+socket:///run/redis.sock?virtual_host=", socket("/run/redis.sock")],
    ["redis+SOCKET:///Run/a%20b@c.sock", socket("/Run/a b@c.sock")],
    ["redis+socket:////run/redis.sock", socket("//run/redis.sock")],
    ["redis+socket://:p%40w@/run/redis.sock", socket("/run/redis.sock", { password: "p@w" })],
    ["redis+socket://u:pw@/r.sock", socket("/r.sock", { username: "u", password: "pw" })],
    ["redis+socket://run/redis.sock", socket("/redis.sock")],
    ["redis+socket:///r.sock?client_name=x&retry_on_timeout=1&db=7", socket("/r.sock")],
  ])("%s", (url, target) => {
    expect(parseBrokerUrl(url)).toEqual({ ok: true, value: { kind: "servers", servers: [target] } });
  });

  test.each<[string, string, readonly BrokerTarget[]]>([
    ["each by itself", "redis://a:1/1;redis://b:2/2", [tcp("a", 1, { db: 1 }), tcp("b", 2, { db: 2 })]],
    [
      "credentials of each",
      "redis://u:pw@a;redis://b;redis://:pw@c",
      [tcp("a", 6379, { username: "u", password: "pw" }), tcp("b"), tcp("c", 6379, { password: "pw" })],
    ],
    [
      "a port and a database until another is named",
      "redis://a;redis://b:1/1;redis://c/;redis://d:2//;redis://e",
      [tcp("a"), tcp("b", 1, { db: 1 }), tcp("c", 1, { db: 1 }), tcp("d", 2), tcp("e", 2)],
    ],
    [
      "the first one's TLS, and never another's",
      "redis://a?ssl_cert_reqs=none;redis://b?ssl_ca_certs=/b;redis://c;rediss://d",
      [
        tcp("a", 6379, tls({ reqs: "none" })),
        tcp("b", 6379, tls({ caCerts: "/b" })),
        tcp("c", 6379, tls({ reqs: "none" })),
        tcp("d", 6379, tls({ reqs: "none" })),
      ],
    ],
    [
      "TLS by a scheme for one URL",
      "rediss://a;redis://b;rediss://c",
      [tcp("a", 6379, tls({ reqs: "none" })), tcp("b"), tcp("c", 6379, tls({ reqs: "none" }))],
    ],
    [
      "all but the host where there is no scheme",
      "rediss://u:pw@a:1/1;B;redis://c:2/2;::1;",
      [
        tcp("a", 1, { db: 1, username: "u", password: "pw", ...tls({ reqs: "none" }) }),
        tcp("B", 1, { db: 1, username: "u", password: "pw", ...tls({ reqs: "none" }) }),
        tcp("c", 2, { db: 2 }),
        tcp("::1", 1, { db: 1, username: "u", password: "pw", ...tls({ reqs: "none" }) }),
        tcp("127.0.0.1", 1, { db: 1, username: "u", password: "pw", ...tls({ reqs: "none" }) }),
      ],
    ],
    [
      "nothing of a socket",
      "redis+socket://u:pw@/r.sock?virtual_host=2;redis://b;c",
      [socket("/r.sock", { db: 2, username: "u", password: "pw" }), tcp("b"), tcp("c")],
    ],
  ])("in lists, %s: %s", (_rule, url, servers) => {
    expect(parseBrokerUrl(url)).toEqual({ ok: true, value: { kind: "servers", servers } });
  });

  test.each<[string, readonly [string, number][], Rest]>([
    ["sentinel://", [["127.0.0.1", 26379]], {}],
    ["sentinel://h1", [["h1", 26379]], {}],
    ["Sentinel://H1:1/2", [["h1", 1]], { db: 2 }],
    [
      "sentinel://u:pw@h1:1/2;sentinel://:x@h2/3;sentinel://[::1]:2",
      [
        ["h1", 1],
        ["h2", 26379],
        ["::1", 2],
      ],
      { db: 2, username: "u", password: "pw" },
    ],
    ["sentinel://h1;h2;h3:26379;", [["h1", 26379]], {}],
    ["sentinel://h1?ssl_ca_certs=/a", [["h1", 26379]], tls({ caCerts: "/a" })],
  ])("of Sentinels, %s", (url, places, rest) => {
    const sentinels = places.map(([host, port]) => ({ host, port }));
    const master = { db: 0, tls: null, ...rest };
    expect(parseBrokerUrl(url)).toEqual({ ok: true, value: { kind: "sentinel", sentinels, master } });
  });
});

test.each([
  ["http://x", "is not a Redis broker: expected redis://"],
  ["amqp://guest@x//", "is not a Redis broker: expected redis://"],
  ["my.module:Transport://h", "is not a URL: expected redis://"],
  ["cache:6379/0", "is not a URL: expected redis://"],
  ["", "is not a URL: expected redis://"],
  [" redis://cache", "begins with a blank: write it without"],
  ["\nredis://cache", "begins with a blank: write it without"],
  ['"redis://cache/0"', 'has a quotation mark (") at its beginning: write it without'],
  ["redis://cache/0'", "has a quotation mark (') at its end: write it without"],
  ["$(BROKER_URL)", "is a variable that nobody has filled in: Kubernetes fills $(NAME) only"],
  ["${BROKER_URL}", "is a variable that nobody has filled in"],
  ["redis://$(REDIS_HOST):6379/0", "has '$(REDIS_HOST)' instead of its host, a variable that nobody"],
  ["redis://redis-$(NS).svc:6379/0", "has '$(NS)' instead of its host, a variable that nobody"],
  ["redis://cache:$(REDIS_PORT)/0", "has '$(REDIS_PORT)' instead of its port, a variable that nobody"],
  ["redis://:s3cret@cache:${REDIS_PORT}/0", "has '${REDIS_PORT}' instead of its port"],
  ["redis://cache:{{ port }}/0", "has '{{ port }}' instead of its port"],
  ["redis://cache:6379/$REDIS_DB", "has '$REDIS_DB' instead of its database"],
  ["redis://cache:None/0", "has 'None' as its port: the program that wrote it had no value"],
  ["redis://cache:6379/undefined", "has 'undefined' as its database: the program that wrote it"],
  ["redis://redis:tcp://10.0.0.1:6379/0", "has 'tcp://10.0.0.1:6379' as its port, which Kubernetes sets"],
  ["redis://:s3cret@redis:tcp://10.0.0.1:6379", "has 'tcp://10.0.0.1:6379' as its port, which Kubernetes"],
  ["redis://:$(PASSWORD", "has a port that is not a number: expected %-codes"],
  ["redis://:None/word@h", "has a port that is not a number: expected %-codes"],
  ["valkey://h", "has scheme 'valkey', unknown to kombu: write redis://"],
  ["VALKEYS://h", "has scheme 'valkeys', unknown to kombu: write rediss://"],
  ["unix:///r.sock", "has scheme 'unix', unknown to kombu: write redis+socket:///path"],
  ["socket:///r.sock", "has scheme 'socket', unknown to kombu: write redis+socket:///path"],
  ["rediss+socket:///r.sock", "has scheme 'rediss+socket', unknown to kombu: write redis+socket:///path"],
  ["redis+sentinel://h", "has scheme 'redis+sentinel', unknown to kombu: write sentinel://"],
  ["redis+cluster://h", "has scheme 'redis+cluster', unknown to kombu: it has no Redis Cluster"],
  ["rediscluster://h", "has scheme 'rediscluster', unknown to kombu: it has no Redis Cluster"],
  ["REDIS+socket:///r.sock", "has a scheme in capitals: write redis+socket://"],

  ["redis://h:99999/0", "has port 99999: expected 1 to 65535"],
  ["redis://h/abc", "has a database that is not a number: expected 0 or more"],
  ["redis://h///3", "has a database that is not a number: expected 0 or more"],
  ["redis://h/-1", "has a database that is not a number: expected 0 or more"],
  ["redis://h/1__0", "has a database that is not a number: expected 0 or more"],
  ["redis://h/99999999999", "has a database that is not a number: expected 0 or more"],
  ["redis://:p/w@h", "has a port that is not a number: expected %-codes for / ? # @ in a password"],
  ["redis://:1/w@h", "has an @ behind its host: expected %-codes for / ? # @ in a password"],
  ["redis://:1?pw@h/0", "has an @ behind its host: expected %-codes for / ? # @ in a password"],
  ["redis://:1?a=pw@h/0", "has an @ behind its host: expected %-codes for / ? # @ in a password"],
  ["redis://:1#pw@h/0", "has an @ behind its host: expected %-codes for / ? # @ in a password"],
  ["redis+socket://:1/pw@/r.sock", "has an @ behind its host: expected %-codes for / ? # @ in a password"],
  ["redis://:pw", "has a port that is not a number: expected %-codes for / ? # @ in a password, and a port"],
  ["redis://my host/0", "has a blank or a slash in its host"],
  ["redis://my%20host/0", "has a blank or a slash in its host"],
  ["redis://socket%3A%2F%2F%2Fr.sock", "has a blank or a slash in its host"],
  ["redis://:p[w@h", "has a single [ or ]: expected %-codes for [ ] in a password"],
  ["redis://[::1", "has a single [ or ]: expected %-codes"],
  ["redis://[127.0.0.1]", "has no readable host"],
  ["redis://:p：w@h", "has a character that Python takes for / ? # @ or a colon: expected %-codes for it"],
  ["redis://h/0?db=3", "has the parameter 'db' that kombu refuses in a URL"],
  ["redis://h/0?socket_timeout=3", "has the parameter 'socket_timeout' that kombu refuses in a URL"],
  [
    "redis://h/0?health_check_interval=3",
    "has the parameter 'health_check_interval' that kombu refuses in a URL",
  ],
  ["redis://h/0?virtual_host=3", "has the parameter 'virtual_host' that kombu refuses in a URL"],
  ["redis://h/0?transport_options=3", "has the parameter 'transport_options' that kombu refuses in a URL"],
  ["redis://h/0?ssl=true", "has the parameter 'ssl' that kombu refuses in a URL"],
  ["redis://h/0?heartbeat=often", "has a heartbeat that is not a number"],
  ["redis://h/0?credential_provider=a.B", "takes its credentials from Python code (credential_provider)"],
  ["rediss://h?ssl_cert_reqs=None", "has an ssl_cert_reqs that kombu does not know: expected none, optional"],
  ["rediss://h?ssl_cert_reqs=Required", "has an ssl_cert_reqs that kombu does not know"],
  [
    "rediss://h?ssl_min_version=TLSv1_2",
    "has an ssl_… parameter that redis-py refuses or cannot use as text",
  ],
  ["rediss://h?ssl_cacerts=/a", "has an ssl_… parameter that redis-py refuses or cannot use as text"],
  ["redis+socket://", "names no socket: expected redis+socket:///path?virtual_host=database"],
  ["redis+socket:///r.sock?virtual_host=a", "has a database that is not a number"],
  ["redis+socket:///r.sock?ssl_ca_certs=/a", "asks for TLS by ssl_…, which redis-py refuses on a socket"],
  ["redis+socket:///r.sock?socket_timeout=3", "has a parameter that redis-py refuses or cannot use as text"],

  ["redis://:1234?a=1&b=w@h", "has an @ behind its host: expected %-codes"],
  ["redis://:1234?word=x", "has a parameter that kombu refuses in a URL"],
  ["redis://a;redis://b:99999", "is a list whose second URL has port 99999: expected 1 to 65535"],
  ["redis://a/x;redis://b", "is a list whose first URL has a database that is not a number"],
  ["a;redis://b", "is a list whose first URL is not a URL"],
  ["redis://a;redis://b; redis://c", "is a list whose third URL begins with a blank"],
  ["redis://a;b;c;d;amqp://e", "is a list whose 5th URL is not a Redis broker"],
  ["redis://a;b:6380", "is a list whose second URL has no scheme, which makes all of it a host name"],
  ["redis://a; b", "is a list whose second URL has no scheme, which makes all of it a host name"],
  ["redis://:p;w@h", "is a list whose first URL has a port that is not a number: expected %-codes"],
  ["redis://a;redis+socket:///r.sock", "is a list whose second URL is a socket"],
  ["redis://a;sentinel://b", "is a list whose second URL is of another kind"],
  ["sentinel://a;redis://b", "is a list whose second URL is of another kind"],
  ["sentinel://a;sentinel://b:x", "is a list whose second URL has a port that is not a number"],
])("parseBrokerUrl refuses %j and says what was expected", (url, problem) => {
  const parsed = parseBrokerUrl(url);
  expect(parsed).toMatchObject({ ok: false });
  expect(parsed.ok ? "" : parsed.problem).toContain(problem);
});

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
  ["rediss+x://u:secret@h:12/1", "rediss+x://u:***@h:12/1"],
  ["://secret:@h", ":***@h"],
  ["redis://:secret@a/0;redis://app:secret@b:1/0", "redis://:***@a/0;redis://app:***@b:1/0"],
  ["redis://a:1/0;b;rediss://c?ssl_password=secret", "redis://a:1/0;b;rediss://c?ssl_password=***"],
  ["redis://a;\nREDIS://:secret@b", "redis://a;REDIS://:***@b"],
  ["redis://:sec;ret@a", "redis://:***@a"],
  ["redis://:1;secret", "redis://:***"],
  ["redis://:secret@a;amqp://u:secret@b", "redis://:***@b"],
  ["redis+socket://:secret@/r.sock?virtual_host=2", "redis+socket://:***@/r.sock?virtual_host=2"],
  ["redis+socket:///r.sock?virtual_host=secret", "redis+socket:///r.sock?virtual_host=***"],
  ["rediss://c?ssl_cert_reqs=none&x=none", "rediss://c?ssl_cert_reqs=none&x=***"],
  ["rediss://c?ssl_cert_reqs=CERT_REQUIRED", "rediss://c?ssl_cert_reqs=CERT_REQUIRED"],
  ["redis://c?constructor=1&__proto__=1", "redis://c?constructor=***&__proto__=***"],
  ["sentinel://:secret@a:1/2;sentinel://b", "sentinel://:***@a:1/2;sentinel://b"],
])("redact prints %s as %s", (url, shown) => {
  expect(redact(url)).toBe(shown);
});

/** Not in any other part of the URLs below, and in no word of ours. */
const SECRET = fc
  .array(
    fc.constantFrom(
      "Q",
      "Z",
      "9",
      "@",
      ":",
      "/",
      "?",
      "#",
      ";",
      "&",
      "=",
      "%",
      "[",
      "]",
      " ",
      "+",
      "\n",
      "é",
    ),
  )
  .map((letters) => `XQ${letters.join("")}QX`);

describe("whatever the secret is, nobody prints it", () => {
  const front = fc.constantFrom(
    "redis://:",
    "redis://app:",
    "sentinel://a;sentinel://:",
    "redis+socket://:",
    "redis://a:1/0;rediss://:",
    "valkey://u:",
  );
  const behind = fc.constantFrom(
    "@h",
    "@h:1/0",
    "@[::1]:1",
    "@/r.sock?virtual_host=1",
    "@a:1;redis://u@b/1",
    "@a;b;sentinel://c",
  );
  const leaks = (text: string) => /X|Q|Z/.test(text);

  test("as a password, in lists, in front of hosts and sockets", () => {
    fc.assert(
      fc.property(front, SECRET, behind, (start, secret, end) => {
        const url = start + secret + end;
        const parsed = parseBrokerUrl(url);
        return !leaks(redact(url)) && (parsed.ok || !leaks(parsed.problem));
      }),
      { numRuns: 2_000 },
    );
  });

  test("as the value of a parameter", () => {
    const value = SECRET.map((secret) => encodeURIComponent(secret));
    const key = fc.constantFrom(
      "ssl_password",
      "ssl_cert_reqs",
      "password",
      "heartbeat",
      "virtual_host",
      "x",
    );
    const url = fc.constantFrom(
      "rediss://h:1/0?",
      "redis://a?x=1;redis://b?y&",
      "redis+socket:///r?",
      "sentinel://a?",
    );
    fc.assert(
      fc.property(url, key, value, (start, name, secret) => {
        const text = `${start}${name}=${secret};redis://c`;
        const parsed = parseBrokerUrl(text);
        return !leaks(redact(text)) && (parsed.ok || !leaks(parsed.problem));
      }),
      { numRuns: 1_000 },
    );
  });
});
