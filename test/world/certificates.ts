import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { execa } from "execa";
import { installMissing } from "../system/debian.ts";
import { cached } from "./cache.ts";

/** Paths of two PEM files. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** The certificates that a server can show; `good` is for localhost, 127.0.0.1 and ::1. */
export type ServerCertificate = "good" | "expired" | "otherHost" | "selfSigned";

export interface Certificates {
  /** The path of the authority's certificate. It has signed all except `selfSigned`. */
  readonly ca: string;
  readonly server: Readonly<Record<ServerCertificate, Identity>>;
  readonly client: Identity & {
    /** The path of the same key, encrypted with `passphrase`. */
    readonly encryptedKey: string;
    readonly passphrase: string;
  };
}

/** Part of the pins: certificates from an older recipe are made again. */
const RECIPE = 1;

const PASSPHRASE = "open sesame";

/** In the form of times for `openssl ca`. */
const VALID = ["20200101000000Z", "21200101000000Z"] as const;
const PAST = ["20200101000000Z", "20210101000000Z"] as const;

const HERE = "DNS:localhost,IP:127.0.0.1,IP:::1";

/**
 * Newer Pythons (VERIFY_X509_STRICT, the default since 3.13) demand this from a certificate, in addition to names and
 * dates. `openssl ca` needs the rest.
 */
const CONFIG = `
[ca]
default_ca = world
[world]
database = making/index.txt
new_certs_dir = making
rand_serial = yes
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[here]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = ${HERE}
[elsewhere]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:elsewhere.invalid
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;

interface Wanted {
  readonly name: string;
  readonly section: "authority" | "here" | "elsewhere" | "client";
  readonly signedBy: string;
  readonly validity?: readonly [string, string];
}

const WANTED: readonly Wanted[] = [
  { name: "ca", section: "authority", signedBy: "ca" },
  { name: "good", section: "here", signedBy: "ca" },
  { name: "expired", section: "here", signedBy: "ca", validity: PAST },
  { name: "otherHost", section: "elsewhere", signedBy: "ca" },
  { name: "selfSigned", section: "here", signedBy: "selfSigned" },
  { name: "client", section: "client", signedBy: "ca" },
];

/**
 * An authority and its certificates. They are made once into `.cache/` and are valid for decades.
 *
 * The `openssl` command makes them. Node cannot issue certificates, and a library for this would need maintenance.
 *
 * @throws Error that says what to install if there is no `openssl`
 */
export async function certificates(): Promise<Certificates> {
  const folder = await cached("certificates", "certificates", { RECIPE, CONFIG, WANTED }, make);
  const identity = (name: string): Identity => ({
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
  });
  return {
    ca: identity("ca").certificate,
    server: {
      good: identity("good"),
      expired: identity("expired"),
      otherHost: identity("otherHost"),
      selfSigned: identity("selfSigned"),
    },
    client: {
      ...identity("client"),
      encryptedKey: join(folder, "client-encrypted.key"),
      passphrase: PASSPHRASE,
    },
  };
}

/** Options of a client that shows a certificate and accepts any server certificate. */
export function trustingClient({ client }: Certificates): ConnectionOptions {
  return { cert: readFileSync(client.certificate), key: readFileSync(client.key), rejectUnauthorized: false };
}

async function make(folder: string): Promise<void> {
  await installMissing({ openssl: "openssl" });
  const making = join(folder, "making");
  await mkdir(making);
  await writeFile(join(making, "openssl.cnf"), CONFIG);
  await writeFile(join(making, "index.txt"), "");
  for (const wanted of WANTED) await sign(folder, wanted);
  await rm(making, { recursive: true });
}

async function sign(folder: string, wanted: Wanted): Promise<void> {
  const { name, section, signedBy, validity = VALID } = wanted;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(join(folder, `${name}.key`), privateKey.export({ type: "pkcs8", format: "pem" }));
  if (name === "client") {
    const encrypted = {
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: PASSPHRASE,
    } as const;
    await writeFile(join(folder, "client-encrypted.key"), privateKey.export(encrypted));
  }
  const openssl = (...args: string[]) =>
    execa("openssl", [...args, "-config", "making/openssl.cnf"], { cwd: folder, stdin: "ignore" });
  // The authority's name must differ from the names that it signs. Otherwise a chain ends where it begins.
  const subject = `/CN=celery-probe test world: ${name}`;
  await openssl("req", "-new", "-key", `${name}.key`, "-subj", subject, "-out", "making/request.pem");
  const issuer = name === signedBy ? ["-selfsign"] : ["-cert", `${signedBy}.pem`];
  await openssl(
    ...["ca", "-batch", "-notext", "-in", "making/request.pem", "-out", `${name}.pem`],
    ...["-keyfile", `${signedBy}.key`, ...issuer, "-extensions", section],
    ...["-startdate", validity[0], "-enddate", validity[1]],
  );
}
