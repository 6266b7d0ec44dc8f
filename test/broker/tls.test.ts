import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tlsOptions } from "../../src/broker/tls.ts";

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

test("tlsOptions takes the certificates of a folder, and passes over what is none", () => {
  expect(tlsOptions({ ...REQUIRED, caPath: folder }, {})).toMatchObject({ ok: true, value: { ca: [CA] } });
});

test("tlsOptions takes the key out of the certificate's file where none is named", () => {
  expect(tlsOptions({ reqs: "none", certfile: file("ca.pem"), keyPassword: "pw" }, {})).toEqual({
    ok: true,
    value: { rejectUnauthorized: false, cert: CA, key: CA, passphrase: "pw" },
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
        detail: expect.stringMatching(/^ssl_\w+ .*nowhere: ENOENT$/) as string,
      },
    });
  },
);
