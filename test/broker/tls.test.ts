import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tlsOptions } from "../../src/broker/tls.ts";
import type { TlsWish } from "../../src/broker/url-tls.ts";
import { certificates } from "../world/certificates.ts";

const CA = "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "celery-probe-tls-"));
  writeFileSync(join(folder, "ca.pem"), CA);
  writeFileSync(join(folder, "README"), "no certificate");
  mkdirSync(join(folder, "more"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const REQUIRED = { reqs: "required" } as const;

test("tlsOptions verifies nothing when nothing is required", () => {
  expect(tlsOptions({ reqs: "none" }, {})).toEqual({ ok: true, value: { rejectUnauthorized: false } });
});

test("tlsOptions takes any host of an authority of the user's own, unless told otherwise", () => {
  const own = { ...REQUIRED, caCerts: file("ca.pem") };
  const lenient = tlsOptions(own, {});
  expect(lenient).toMatchObject({ ok: true, value: { ca: [CA] } });
  expect(lenient).toHaveProperty("value.checkServerIdentity");
  expect(tlsOptions({ ...own, checkHostname: true }, {})).toEqual({ ok: true, value: { ca: [CA] } });
});

test("tlsOptions asks for the host where the machine's authorities are trusted, unless told otherwise", () => {
  const env = { SSL_CERT_FILE: file("ca.pem") };
  expect(tlsOptions(REQUIRED, env)).toEqual({ ok: true, value: { ca: [CA] } });
  expect(tlsOptions({ ...REQUIRED, checkHostname: false }, env)).toHaveProperty("value.checkServerIdentity");
  expect(tlsOptions(REQUIRED, { SSL_CERT_FILE: file("nowhere") })).not.toHaveProperty(
    "value.checkServerIdentity",
  );
});

test("tlsOptions takes the certificates of a folder, and skips other files", () => {
  expect(tlsOptions({ ...REQUIRED, caPath: folder }, {})).toMatchObject({ ok: true, value: { ca: [CA] } });
});

test("tlsOptions takes the certificates of OpenSSL's own variables", () => {
  const env = { SSL_CERT_FILE: file("ca.pem"), SSL_CERT_DIR: folder };
  expect(tlsOptions(REQUIRED, env)).toMatchObject({ ok: true, value: { ca: [CA, CA] } });
  expect(tlsOptions(REQUIRED, { ...env, SSL_CERT_DIR: file("nowhere") })).toMatchObject({
    value: { ca: [CA] },
  });
});

test("tlsOptions takes the key out of the certificate's file where none is named", async () => {
  const { client } = await certificates();
  const both = readFileSync(client.certificate, "latin1") + readFileSync(client.encryptedKey, "latin1");
  writeFileSync(file("both.pem"), both);
  const wish = { reqs: "none", certfile: file("both.pem"), keyPassword: client.passphrase } as const;
  expect(tlsOptions(wish, {})).toEqual({
    ok: true,
    value: { rejectUnauthorized: false, cert: both, key: both, passphrase: client.passphrase },
  });
});

test("tlsOptions says which of our own files does not fit", async () => {
  const { client, server } = await certificates();
  const problem = (wish: Partial<TlsWish>) => {
    const options = tlsOptions(
      { reqs: "none", certfile: client.certificate, keyfile: client.key, ...wish },
      {},
    );
    return options.ok ? "fits" : `${options.problem.cause}: ${options.problem.detail}`;
  };
  expect(problem({})).toBe("fits");
  expect(problem({ keyfile: client.encryptedKey, keyPassword: "wrong" })).toMatch(
    /^tls-file: ssl_password does not open the key of ssl_keyfile \(\w+\): .*client-encrypted\.key$/,
  );
  expect(problem({ keyfile: client.encryptedKey })).toMatch(
    /^tls-file: ssl_password does not open the key of ssl_keyfile /,
  );
  expect(problem({ keyfile: server.good.key })).toMatch(
    /^tls-file: the key of ssl_keyfile is not that of ssl_certfile \(\w+\): .*client\.pem, .*\.key$/,
  );
  expect(problem({ certfile: file("README") })).toMatch(
    /^tls-file: ssl_certfile holds no certificate, or ssl_keyfile no key \(\w+\): .*README, .*client\.key$/,
  );
  expect(problem({ ciphers: "none-such" })).toMatch(/^tls-file: ssl_ciphers names none that is known/);
  const ca = tlsOptions({ ...REQUIRED, caCerts: file("README") }, {});
  expect(ca).toMatchObject({
    problem: { detail: expect.stringMatching(/^ssl_ca_certs \(holds no certificate\): .*README$/) as string },
  });
});

test.each(["caCerts", "caPath", "certfile", "keyfile"] as const)(
  "tlsOptions names the setting whose file cannot be read: %s",
  (setting) => {
    const wish = { ...REQUIRED, certfile: file("ca.pem"), [setting]: file("nowhere") };
    expect(tlsOptions(wish, {})).toMatchObject({
      ok: false,
      problem: {
        kind: "unreachable",
        cause: "tls-file",
        detail: expect.stringMatching(/^ssl_\w+ \(ENOENT\): .*nowhere$/) as string,
      },
    });
  },
);
