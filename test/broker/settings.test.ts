import { describe, expect, test } from "vitest";
import { type BrokerSettings, locate } from "../../src/broker/settings.ts";
import { parseBrokerUrl } from "../../src/broker/url.ts";

const NOTHING: BrokerSettings = {
  tls: null,
  masterName: null,
  sentinelUsername: null,
  sentinelPassword: null,
  sentinelTls: false,
};

function located(url: string, settings: Partial<BrokerSettings> = {}) {
  const broker = parseBrokerUrl(url);
  if (!broker.ok) throw new Error(broker.problem);
  return locate(broker.value, { ...NOTHING, ...settings });
}

describe("of servers locate", () => {
  test.each([
    ["redis://h", null, null],
    ["redis://h", {}, { reqs: "none" }],
    ["redis://h", { caCerts: "/ca" }, { reqs: "required", caCerts: "/ca" }],
    ["redis://h", { reqs: "none", certfile: "/c" }, { reqs: "none", certfile: "/c" }],
    ["rediss://h", null, { reqs: "none" }],
    ["rediss://h", {}, { reqs: "none" }],
    ["rediss://h", { checkHostname: true }, { reqs: "required", checkHostname: true }],
    ["rediss://h?ssl_cert_reqs=optional", { caCerts: "/ca" }, { reqs: "optional", caCerts: "/ca" }],
    ["rediss://h?ssl_ca_certs=/url", { caCerts: "/option" }, { reqs: "required", caCerts: "/option" }],
    ["redis+socket:///s", { caCerts: "/ca" }, null],
  ] as const)("lays over %s what the options say of TLS: %j", (url, tls, expected) => {
    expect(located(url, { tls })).toMatchObject({ servers: [{ tls: expected }] });
  });

  test("secures each of a list", () => {
    expect(located("redis://a;redis://b", { tls: {} })).toMatchObject({
      servers: [{ tls: { reqs: "none" } }, { tls: { reqs: "none" } }],
    });
  });
});

describe("of Sentinels locate", () => {
  test("gives the master the URL's password, and the Sentinels none", () => {
    expect(located("sentinel://:pw@a/3;sentinel://b")).toEqual({
      kind: "sentinel",
      sentinels: [
        { place: { kind: "tcp", host: "a", port: 26379 }, db: 0, tls: null },
        { place: { kind: "tcp", host: "b", port: 26379 }, db: 0, tls: null },
      ],
      masterName: null,
      master: { db: 3, password: "pw", tls: null },
    });
  });

  test("gives the Sentinels their own user, and TLS where it is wanted", () => {
    const theirs = { sentinelUsername: "u", sentinelPassword: "p", masterName: "m" };
    expect(located("sentinel://:pw@a", { ...theirs, tls: { caCerts: "/ca" } })).toMatchObject({
      masterName: "m",
      sentinels: [{ username: "u", password: "p", tls: null }],
      master: { tls: { reqs: "required", caCerts: "/ca" } },
    });
    expect(located("sentinel://a", { sentinelTls: true, tls: { caCerts: "/ca" } })).toMatchObject({
      sentinels: [{ tls: { reqs: "required", caCerts: "/ca" } }],
    });
  });
});
