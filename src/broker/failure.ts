import { ownEntry } from "../own-entry.ts";

/**
 * Why nothing can be said about the worker. Each cause is something that needs another action from the operator.
 * `unreachable`: the probe could not talk to a server. `refused`: a server answered, but not as a broker must.
 */
export type BrokerFailure = Unreachable | Refused;

/** No setting names the broker. This is what the connections of a process show of it. */
export interface Unnamed {
  /** Null: no worker is in sight. */
  readonly pid: number | null;
  /** Whether the sockets of the process could be read. */
  readonly isSeen: boolean;
  /** The server's URL without the password; null: no server is known. */
  readonly url: string | null;
  /** The servers that it is connecting to or was connected to, as `host:port`. */
  readonly lost: readonly string[];
  /**
   * The users of the process and of the probe, if we may not read the environment of the process; null: it was read.
   */
  readonly unread: { readonly user: number | null; readonly ourUser: number | null } | null;
}

export interface Unreachable {
  readonly kind: "unreachable";
  readonly cause: UnreachableCause;
  /** Which of several servers failed, e.g. `Sentinel 10.0.0.7:26379`; absent if the URL names only one. */
  readonly where?: string;
  /** True if that server was a Sentinel. Sentinels have their own users and passwords. */
  readonly bySentinel?: true;
  /** Absent if an option or variable names the broker. */
  readonly unnamed?: Unnamed;
  /** The runtime's code, or what we waited for and how long. It is for people and has no fixed form. */
  readonly detail: string;
}

export interface Refused {
  readonly kind: "refused";
  readonly cause: RefusedCause;
  /** See {@link Unreachable}. */
  readonly where?: string;
  readonly bySentinel?: true;
  readonly unnamed?: Unnamed;
  /** The refused command, in capitals; empty if no command was reached. */
  readonly command: string;
  /** The server's own words. */
  readonly detail: string;
}

export type UnreachableCause =
  | "unreadable-url"
  | "connection-refused"
  | "name-not-found"
  | "no-route"
  | "connect-timeout"
  | "no-answer"
  | "connection-lost"
  | "connect-failed"
  | "socket-missing"
  | "socket-forbidden"
  | "tls-file"
  | "certificate-unknown"
  | "certificate-expired"
  | "certificate-other-host"
  | "certificate-wanted"
  | "no-tls"
  | "only-tls"
  | "tls-failed"
  | "no-master"
  | "failover"
  | "not-named";

export type RefusedCause =
  | "wrong-password"
  | "password-needed"
  | "password-not-wanted"
  | "no-permission"
  | "out-of-memory"
  | "read-only"
  | "loading"
  | "script"
  | "protected-mode"
  | "too-many-clients"
  | "no-such-database"
  | "no-transactions"
  | "sentinel"
  | "no-sentinel"
  | "wrong-type"
  | "cannot-write"
  | "cluster"
  | "not-redis"
  | "too-large"
  | "other";

/** Refusals of writes, or of one command. Everything else in the broker can still be read. */
const PARTIAL: readonly RefusedCause[] = [
  "out-of-memory",
  "read-only",
  "cannot-write",
  "no-permission",
  "no-transactions",
  "wrong-type",
  "other",
];

/** Whether the broker can still be read after this failure. */
export function mayBeRead(failure: BrokerFailure): boolean {
  return failure.kind === "refused" && PARTIAL.includes(failure.cause);
}

/** The first word of an error reply is its code. The text after it differs between Redis, Valkey and their versions. */
const BY_FIRST_WORD: Readonly<Record<string, RefusedCause>> = {
  WRONGPASS: "wrong-password",
  NOAUTH: "password-needed",
  NOPERM: "no-permission",
  OOM: "out-of-memory",
  READONLY: "read-only",
  LOADING: "loading",
  BUSY: "script",
  DENIED: "protected-mode",
  WRONGTYPE: "wrong-type",
  MISCONF: "cannot-write",
  NOREPLICAS: "cannot-write",
  MASTERDOWN: "cannot-write",
  MOVED: "cluster",
  CROSSSLOT: "cluster",
  CLUSTERDOWN: "cluster",
};

/** Whether this first word of an error reply is a code that tells the cause. */
export function isCode(word: string): boolean {
  return word === "ERR" || word === "EXECABORT" || Object.hasOwn(BY_FIRST_WORD, word);
}

/** What an error reply to `command` means. */
export function refusedBy(command: string, reply: string): Refused {
  // EXEC repeats the error that made it abort, after a code of its own.
  const word = reply.replace(/^EXECABORT .*because of: /, "").split(" ", 1)[0] ?? "";
  const cause = ownEntry(BY_FIRST_WORD, word) ?? unnamedCause(command, reply);
  return { kind: "refused", cause, command, detail: reply };
}

/** The cause of errors whose only code is `ERR`. In most cases the command tells it. */
function unnamedCause(command: string, reply: string): RefusedCause {
  if (/max number of clients/i.test(reply)) return "too-many-clients";
  if (/cluster mode/i.test(reply)) return "cluster";
  switch (command) {
    case "AUTH":
      return /no password is set|without any password/i.test(reply)
        ? "password-not-wanted"
        : "wrong-password";
    case "SELECT":
      return "no-such-database";
    // Operators do not rename TYPE, and a Sentinel has no keys.
    case "TYPE":
      return /unknown command/i.test(reply) ? "sentinel" : "other";
    case "SENTINEL":
      return /unknown command/i.test(reply) ? "no-sentinel" : "other";
    case "MULTI":
    case "EXEC":
      return "no-transactions";
    default:
      return "other";
  }
}

/** No answer came within this many milliseconds. */
export function noAnswer(ms: number): Unreachable {
  return { kind: "unreachable", cause: "no-answer", detail: milliseconds(ms) };
}

/** No server accepted the connection within this many milliseconds. */
export function connectTimeout(ms: number): Unreachable {
  return { kind: "unreachable", cause: "connect-timeout", detail: milliseconds(ms) };
}

function milliseconds(ms: number): string {
  return `${Math.max(1, Math.round(ms))} ms`;
}

const BY_CODE: Readonly<Record<string, UnreachableCause>> = {
  ECONNREFUSED: "connection-refused",
  ENOTFOUND: "name-not-found",
  EAI_AGAIN: "name-not-found",
  EAI_NONAME: "name-not-found",
  EAI_NODATA: "name-not-found",
  EHOSTUNREACH: "no-route",
  ENETUNREACH: "no-route",
  EADDRNOTAVAIL: "no-route",
  ETIMEDOUT: "connect-timeout",
  ECONNRESET: "connection-lost",
  EPIPE: "connection-lost",
  // Errors of a socket file. A TCP connection does not have them.
  ENOENT: "socket-missing",
  EACCES: "socket-forbidden",
  // OpenSSL's errors, by the names that Node gives them (doc/api/tls.md, "X509 certificate error codes").
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate-unknown",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate-unknown",
  UNABLE_TO_GET_ISSUER_CERT: "certificate-unknown",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate-unknown",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate-unknown",
  CERT_SIGNATURE_FAILURE: "certificate-unknown",
  CERT_UNTRUSTED: "certificate-unknown",
  CERT_HAS_EXPIRED: "certificate-expired",
  CERT_NOT_YET_VALID: "certificate-expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate-other-host",
  // The server's answer to our certificate, or to a missing one.
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "certificate-wanted",
  // The name in BoringSSL, which Bun uses.
  ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED: "certificate-wanted",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "certificate-wanted",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "certificate-wanted",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "certificate-wanted",
  ERR_SSL_WRONG_VERSION_NUMBER: "no-tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "no-tls",
};

/** What a socket error of the runtime with this code means. */
export function unreachableBy(code: string): Unreachable {
  const isTls = /^ERR_(?:SSL|TLS|OSSL)_|^EPROTO$|CERT/.test(code);
  return {
    kind: "unreachable",
    cause: ownEntry(BY_CODE, code) ?? (isTls ? "tls-failed" : "connect-failed"),
    detail: code,
  };
}
