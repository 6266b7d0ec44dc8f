import { join } from "node:path";
import { type ConnectionOptions, createSecureContext } from "node:tls";
import type { Unread } from "../machine/parts.ts";
import { namesIn, readFile } from "../machine/regular-file.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Unreachable } from "./failure.ts";
import type { TlsWish } from "./url-tls.ts";

/** The files of trusted certificates that Python's OpenSSL reads, on Debian and Alpine, and on Fedora. */
const SYSTEM_STORES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options for Node's TLS that accept the same servers as the worker's Python (redis-py `SSLConnection`). `none`
 * verifies nothing. For a client `optional` means `required`.
 *
 * From 6.0 on, redis-py checks whether the certificate is for this host. By default we check it too, unless the user's
 * own authority has signed the certificate. So workers with and without this check can be probed. If all public
 * authorities are trusted, only the name keeps a password from other servers.
 *
 * @param wish its paths are read as the probe's user
 */
export function tlsOptions(wish: TlsWish, env: Environment): Outcome<ConnectionOptions, Unreachable> {
  try {
    const { certfile, keyfile, keyPassword, ciphers } = wish;
    const cert = certfile === undefined ? undefined : read("ssl_certfile", certfile);
    const options: ConnectionOptions = {
      ...trust(wish, env),
      ...(cert === undefined
        ? {}
        : { cert, key: keyfile === undefined ? cert : read("ssl_keyfile", keyfile) }),
      ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
      ...(ciphers === undefined ? {} : { ciphers }),
    };
    const unfit = unfitness(options, wish);
    return unfit === null ? success(options) : failure(unfit);
  } catch (error) {
    if (error instanceof UnreadableFile) return failure(error.failure);
    throw error;
  }
}

/**
 * Why OpenSSL refuses our own files, before we contact the server; null: it accepts them. Uses OpenSSL's codes
 * (openssl/pemerr.h, evperr.h, x509err.h), which name no setting.
 */
function unfitness(
  options: ConnectionOptions,
  { certfile = "", keyfile = certfile }: TlsWish,
): Unreachable | null {
  try {
    createSecureContext(options);
    return null;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const coded = code === "" ? "" : ` (${code})`;
    const files = [...new Set([certfile, keyfile])].join(", ");
    const detail = /DECRYPT|PASSWORD|INTERRUPTED_OR_CANCELLED/.test(code)
      ? `ssl_password does not open the key of ssl_keyfile${coded}: ${keyfile}`
      : /KEY_VALUES_MISMATCH/.test(code)
        ? `the key of ssl_keyfile is not that of ssl_certfile${coded}: ${files}`
        : /NO_START_LINE|BAD_END_LINE|DECODE|ASN1|UNSUPPORTED/.test(code)
          ? `ssl_certfile holds no certificate, or ssl_keyfile no key${coded}: ${files}`
          : /CIPHER/.test(code)
            ? `ssl_ciphers names none that is known${coded}`
            : message + coded;
    return { kind: "unreachable", cause: "tls-file", detail };
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
    ...(caCerts === undefined ? [] : [readAuthorities(caCerts)]),
    ...(caPath === undefined ? [] : readFolder("ssl_ca_path", caPath)),
    ...(caData === undefined ? [] : [caData]),
  ];
  return own.length === 0 ? null : own;
}

/** The authorities that the machine trusts. Null: use the ones that Node brings. The two variables are OpenSSL's. */
function systemAuthorities(env: Environment): readonly string[] | null {
  const found = [...folderOf(env["SSL_CERT_DIR"])];
  for (const path of [env["SSL_CERT_FILE"] ?? "", ...SYSTEM_STORES]) {
    const file = path === "" ? null : readFile(path, MOST, "followed");
    if (!file?.ok) continue;
    found.push(file.value.toString("latin1"));
    break;
  }
  return found.length === 0 ? null : found;
}

function folderOf(path: string | undefined): readonly string[] {
  try {
    return path ? readFolder("SSL_CERT_DIR", path) : [];
  } catch {
    return [];
  }
}

/** The most bytes of a file of certificates, and of all files of a folder. The bundle of Debian 12 has 0.2 MB. */
const MOST = 4_194_304;
const MOST_IN_FOLDER = 16_777_216;

/** Debian's /etc/ssl/certs has 300 files. */
const MOST_FILES = 10_000;

/** A file from a setting that cannot be read or used. */
class UnreadableFile extends Error {
  readonly failure: Unreachable;

  constructor(setting: string, path: string, because: string) {
    super(`${setting}: ${path}`);
    this.failure = { kind: "unreachable", cause: "tls-file", detail: `${setting} (${because}): ${path}` };
  }
}

function reasonOf({ kind, detail }: Unread): string {
  return kind === "unfit" ? `is ${detail}` : detail;
}

function read(setting: string, path: string): string {
  const file = readFile(path, MOST, "followed");
  if (!file.ok) throw new UnreadableFile(setting, path, reasonOf(file.problem));
  return file.value.toString("latin1");
}

function readAuthorities(path: string): string {
  const text = read("ssl_ca_certs", path);
  // Node would read it as an empty list and blame the server.
  if (!text.includes("-----BEGIN ")) throw new UnreadableFile("ssl_ca_certs", path, "holds no certificate");
  return text;
}

/**
 * Reads OpenSSL's hashed folders. Skips files that are not certificates, pipes, folders and dangling links. The names
 * of the files do not matter.
 */
function readFolder(setting: string, path: string): readonly string[] {
  const names = listed(setting, path);
  if (names.length > MOST_FILES)
    throw new UnreadableFile(setting, path, `holds more than ${MOST_FILES} files`);
  let room = MOST_IN_FOLDER;
  return names.flatMap((name) => {
    const file = readFile(join(path, name), MOST, "followed");
    if (!file.ok) {
      if (file.problem.kind === "gone" || file.problem.kind === "unfit") return [];
      throw new UnreadableFile(setting, path, reasonOf(file.problem));
    }
    room -= file.value.length;
    if (room < 0) throw new UnreadableFile(setting, path, `holds more than ${MOST_IN_FOLDER} bytes`);
    const text = file.value.toString("latin1");
    return text.includes("-----BEGIN ") ? [text] : [];
  });
}

function listed(setting: string, path: string): readonly string[] {
  try {
    return namesIn(path, MOST_FILES + 1);
  } catch (error) {
    throw new UnreadableFile(setting, path, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}
