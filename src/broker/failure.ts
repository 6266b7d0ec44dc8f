import { ownEntry } from "../own-entry.ts";

/**
 * Why nothing can be said about the worker: one cause for each thing that an operator would do next. `unreachable`:
 * the probe could not talk to a server. `refused`: a server answered, and not as a broker must.
 */
export type BrokerFailure = Unreachable | Refused;

/** Nothing names the broker: what a process' connections show of it. */
export interface Unnamed {
  /** Null: no worker is in sight. */
  readonly pid: number | null;
  /** Whether its sockets could be read. */
  readonly isSeen: boolean;
  /** The server's URL, to which the password is missing; null: no server is known. */
  readonly url: string | null;
  /** Where it is connecting to, or was connected, as `host:port`. */
  readonly lost: readonly string[];
  /** The users of the process and of the probe, if its environment may not be read; null: it was read. */
  readonly unread: { readonly user: number | null; readonly ourUser: number | null } | null;
}

export interface Unreachable {
  readonly kind: "unreachable";
  readonly cause: UnreachableCause;
  /** Which of several servers it was, e.g. `Sentinel 10.0.0.7:26379`; absent where the URL names only one. */
  readonly where?: string;
  /** Whether that was a Sentinel, whose users and passwords are its own. */
  readonly bySentinel?: true;
  /** Absent if an option or variable names the broker. */
  readonly unnamed?: Unnamed;
  /** The runtime's code, or what was waited for and how long: for people, in no fixed form. */
  readonly detail: string;
}

export interface Refused {
  readonly kind: "refused";
  readonly cause: RefusedCause;
  /** See {@link Unreachable}. */
  readonly where?: string;
  readonly bySentinel?: true;
  readonly unnamed?: Unnamed;
  /** The command that was refused, in capitals; empty where the conversation never got so far. */
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

/** Refusals of what writes, or of one command: all else of the broker may be looked at. */
const PARTIAL: readonly RefusedCause[] = [
  "out-of-memory",
  "read-only",
  "cannot-write",
  "no-permission",
  "no-transactions",
  "wrong-type",
  "other",
];

/** Whether the broker can be read in spite of it. */
export function mayBeRead(failure: BrokerFailure): boolean {
  return failure.kind === "refused" && PARTIAL.includes(failure.cause);
}

/** The first word of an error reply is its code; the texts behind it differ between Redis, Valkey and versions. */
const BY_FIRST_WORD: Readonly<Record<string, RefusedCause>> = {
  WRONGPASS: "wrong-password",
  NOAUTH: "password-needed",
  NOPERM: "no-permission",
  OOM: "out-of-memory",
  READONLY: "read-only",
  LOADING: "loading",
  DENIED: "protected-mode",
  WRONGTYPE: "wrong-type",
  MISCONF: "cannot-write",
  NOREPLICAS: "cannot-write",
  MASTERDOWN: "cannot-write",
  MOVED: "cluster",
  CROSSSLOT: "cluster",
  CLUSTERDOWN: "cluster",
};

/** Whether an error reply that begins with this word says by it what it is. */
export function isCode(word: string): boolean {
  return word === "ERR" || word === "EXECABORT" || Object.hasOwn(BY_FIRST_WORD, word);
}

/** What an error reply to `command` means. */
export function refusedBy(command: string, reply: string): Refused {
  // EXEC names the error it was aborted for, behind a code of its own.
  const word = reply.replace(/^EXECABORT .*because of: /, "").split(" ", 1)[0] ?? "";
  const cause = ownEntry(BY_FIRST_WORD, word) ?? unnamedCause(command, reply);
  return { kind: "refused", cause, command, detail: reply };
}

/** Errors that carry only `ERR`: what was asked tells most of them apart. */
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
    // Nobody renames it, and a Sentinel has no keys.
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

/** Nobody has answered within so many milliseconds. */
export function noAnswer(ms: number): Unreachable {
  return { kind: "unreachable", cause: "no-answer", detail: milliseconds(ms) };
}

/** Nobody has taken the connection within so many milliseconds. */
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
  // Of a socket file; a TCP connection has no such errors.
  ENOENT: "socket-missing",
  EACCES: "socket-forbidden",
  // OpenSSL's, by the names that Node gives them (doc/api/tls.md, "X509 certificate error codes").
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
  // What a server says to our certificate, or to a missing one.
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "certificate-wanted",
  // So BoringSSL calls it, which is Bun's.
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
