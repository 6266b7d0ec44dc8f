import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Unreachable } from "./failure.ts";
import type { TlsWish } from "./url-tls.ts";

/** Where Debian and Alpine, and where Fedora keep the certificates that a machine trusts, as Python's OpenSSL reads them. */
const SYSTEM_STORES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What Node's TLS is told, so that it accepts what the worker's Python does (redis-py `SSLConnection`): `none` verifies
 * nothing; `optional` is `required` on the side of a client.
 *
 * Whether the certificate is for this host was not asked by redis-py before 6.0, and is since. Where nobody says it is
 * asked unless an authority of the user's own has vouched for the server: a worker of either kind shall be probed, and
 * among all the authorities of the world the name is what keeps a password from others.
 *
 * @param wish the paths in it are read as the probe's user
 */
export function tlsOptions(wish: TlsWish, env: Environment): Outcome<ConnectionOptions, Unreachable> {
  try {
    const { certfile, keyfile, keyPassword, ciphers } = wish;
    const cert = certfile === undefined ? undefined : read("ssl_certfile", certfile);
    return success({
      ...trust(wish, env),
      ...(cert === undefined
        ? {}
        : { cert, key: keyfile === undefined ? cert : read("ssl_keyfile", keyfile) }),
      ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
      ...(ciphers === undefined ? {} : { ciphers }),
    });
  } catch (error) {
    if (error instanceof UnreadableFile) return failure(error.failure);
    throw error;
  }
}

function trust(wish: TlsWish, env: Environment): ConnectionOptions {
  if (wish.reqs === "none") return { rejectUnauthorized: false };
  const own = ownAuthorities(wish);
  const ca = own ?? systemAuthorities(env);
  const checksHost = wish.checkHostname ?? own === null;
  return {
    ...(ca === null ? {} : { ca: [...ca] }),
    ...(checksHost ? {} : { checkServerIdentity: () => undefined }),
  };
}

function ownAuthorities({ caCerts, caPath, caData }: TlsWish): readonly string[] | null {
  const own = [
    ...(caCerts === undefined ? [] : [read("ssl_ca_certs", caCerts)]),
    ...(caPath === undefined ? [] : readFolder("ssl_ca_path", caPath)),
    ...(caData === undefined ? [] : [caData]),
  ];
  return own.length === 0 ? null : own;
}

/** Those that the machine trusts, or null: Node brings its own. */
function systemAuthorities(env: Environment): readonly string[] | null {
  for (const path of [env["SSL_CERT_FILE"] ?? "", ...SYSTEM_STORES]) {
    try {
      if (path !== "") return [readFileSync(path, "latin1")];
    } catch {
      // The next one, then.
    }
  }
  return null;
}

/** A file that a setting names and that cannot be read. */
class UnreadableFile extends Error {
  readonly failure: Unreachable;

  constructor(setting: string, path: string, cause: unknown) {
    super(`${setting}: ${path}`, { cause });
    const { code, message } = cause as NodeJS.ErrnoException;
    this.failure = {
      kind: "unreachable",
      cause: "tls-file",
      detail: `${setting} ${path}: ${code ?? message}`,
    };
  }
}

function read(setting: string, path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    throw new UnreadableFile(setting, path, error);
  }
}

/** As OpenSSL's hashed folders: what is no certificate is passed over, and the names are not looked at. */
function readFolder(setting: string, path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => readFileSync(join(path, name), "latin1"))
      .filter((text) => text.includes("-----BEGIN "));
  } catch (error) {
    throw new UnreadableFile(setting, path, error);
  }
}
