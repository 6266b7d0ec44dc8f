import type {
  BrokerFailure,
  Refused,
  RefusedCause,
  Unreachable,
  UnreachableCause,
} from "../broker/failure.ts";
import type { Evidence } from "../health/evidence.ts";
import type { CheckPlan } from "../health/plan.ts";
import { names, sentence, shortened } from "./speech.ts";

/** A fact, and what to do about it. */
export interface Statement {
  readonly fact: string;
  readonly hint: string | null;
}

type Words<F> = (address: string, failure: F) => readonly [fact: string, hint: string];

const UNREACHABLE: { readonly [C in UnreachableCause]: Words<Unreachable> } = {
  "unreadable-url": (address, { detail }) => [
    `the broker URL '${address}' ${detail}`,
    "correct it where it is set; the broker could not be examined",
  ],
  "connection-refused": (address) => [
    `${address} refused the connection`,
    "is Redis running there, and are host and port right?",
  ],
  "name-not-found": (address, { detail }) => [
    `the host name of ${address} was not found (${detail})`,
    "check the name, and that this container is on the broker's network",
  ],
  "no-route": (address, { detail }) => [
    `there is no route to ${address} (${detail})`,
    "check the address, and that this container is on the broker's network",
  ],
  "connect-timeout": (address, { detail }) => [
    `${address} did not accept the connection within ${detail}`,
    "is that machine or container up? a firewall or a silent name server does this too; --connect-timeout gives it longer",
  ],
  "no-answer": (address, { detail }) => [
    `${address} accepted the connection but did not answer within ${detail}`,
    "Redis is paused, overloaded or behind a proxy that has lost it; --connect-timeout gives it longer",
  ],
  "connection-lost": (address, { detail }) => [
    `${address} closed the connection (${detail})`,
    "Redis was restarted, or a proxy in between has no server behind it",
  ],
  "connect-failed": (address, { detail }) => [
    `the connection to ${address} failed (${detail})`,
    "check the address, and that this container is on the broker's network",
  ],
  "socket-missing": (address, { detail }) => [
    `there is no socket at ${address} (${detail})`,
    "is Redis running with that unixsocket, and is its folder mounted into this container?",
  ],
  "socket-forbidden": (address, { detail }) => [
    `this user may not connect to ${address} (${detail})`,
    "set unixsocketperm of Redis to 770 and run the probe in its group, or as the worker's user",
  ],
  "tls-file": (address, { detail }) => [
    `a file for TLS with ${address} cannot be used: ${detail}`,
    "is it mounted into this container, and may this user read it? --ssl-ca-certs, --ssl-certfile and --ssl-keyfile name others, ssl_password of the URL opens a key",
  ],
  "certificate-unknown": (address, { detail }) => [
    `${address} has a certificate of an unknown authority (${detail})`,
    "name the authority's certificate with ssl_ca_certs in the URL or --ssl-ca-certs; ssl_cert_reqs=none trusts any",
  ],
  "certificate-expired": (address, { detail }) => [
    `the certificate of ${address} has expired or is not valid yet (${detail})`,
    "renew it, or set the clock right; ssl_cert_reqs=none trusts it anyway",
  ],
  "certificate-other-host": (address, { detail }) => [
    `the certificate of ${address} is for another host (${detail})`,
    "use the host name in the certificate; ssl_check_hostname=false or --ssl-check-hostname false accepts any, as redis-py before 6.0 does",
  ],
  "certificate-wanted": (address, { detail }) => [
    `${address} does not accept our certificate, or wants one (${detail})`,
    "name ours with ssl_certfile and ssl_keyfile in the URL, or --ssl-certfile and --ssl-keyfile",
  ],
  "no-tls": (address, { detail }) => [
    `${address} does not speak TLS (${detail})`,
    "write redis:// without ssl_… parameters, leave --tls out, or correct the port",
  ],
  "only-tls": (address, { detail }) => [
    `${address} speaks only TLS (${detail})`,
    "write rediss:// in the broker URL, or set --tls if the workers have broker_use_ssl",
  ],
  "tls-failed": (address, { detail }) => [
    `the TLS handshake with ${address} failed (${detail})`,
    "the log of Redis says more; ssl_ciphers, ssl_certfile and ssl_keyfile must suit it",
  ],
  "no-master": (address, { detail }) => [
    `the Sentinels of ${address} do not know the master: ${detail}`,
    "set --master-name to the one in master_name of broker_transport_options",
  ],
  "not-named": (_, { unnamed }) => [
    unnamed?.isSeen === false
      ? `nothing names the broker, and ${unnamed.unread === null ? "" : "environment and "}sockets of process ${unnamed.pid} cannot be read`
      : `nothing names the broker, and process ${unnamed?.pid} is not connected to any Redis`,
    "set CELERY_PROBE_BROKER to the URL of its broker; its log says whether it connects",
  ],
  failover: (address, { detail }) => [
    `${address} cannot be used: ${detail}`,
    "wait for the failover to end; workers reconnect when there is a master",
  ],
};

const REFUSED: { readonly [C in RefusedCause]: Words<Refused> } = {
  "wrong-password": (address, { detail }) => [
    `${address} did not accept the user name or password: ${detail}`,
    "put the right ones into the broker URL; characters such as @ / ? # are written as %-codes there",
  ],
  "password-needed": (address, { detail }) => [
    `${address} wants a password: ${detail}`,
    "set it in the broker URL: redis://[user:password@]host/0",
  ],
  "password-not-wanted": (address, { detail }) => [
    `${address} has no password set, and the broker URL sends one: ${detail}`,
    "remove it from the URL; only workers with redis-py 8.0 and newer connect with it, and no worker is subscribed",
  ],
  "no-permission": (address, { command, detail }) => [
    `the user of ${address} may not run ${command}: ${detail}`,
    "allow the probe's user what it needs: ~*.reply.celery.pidbox &/*.celery.pidbox " +
      "+select +type +multi +exec +rpush +ltrim +expire +publish +lrange; a worker's user needs more",
  ],
  "out-of-memory": (address, { detail }) => [
    `${address} is out of memory, so no worker was asked: ${detail}`,
    "a worker that answers now would fail; raise maxmemory or free memory first",
  ],
  "read-only": (address, { detail }) => [
    `${address} is a read-only replica: ${detail}`,
    "point the broker URL at the primary",
  ],
  loading: (address, { detail }) => [
    `${address} is still loading its data: ${detail}`,
    "wait until it is loaded; INFO persistence shows how much is left",
  ],
  script: (address, { detail }) => [
    `${address} runs a script that does not end: ${detail}`,
    "redis-cli SCRIPT KILL ends it, FUNCTION KILL a function; a script that has written ends only by SHUTDOWN NOSAVE, which loses unsaved data",
  ],
  "protected-mode": (address, { detail }) => [
    `${address} is in protected mode and answers only its own machine: ${detail}`,
    "set a password there, or bind it to a private network with protected-mode no",
  ],
  "too-many-clients": (address, { detail }) => [
    `${address} has no connection left: ${detail}`,
    "raise maxclients, or find who holds them with CLIENT LIST",
  ],
  "no-such-database": (address, { detail }) => [
    `${address} has no such database: ${detail}`,
    "correct the number at the end of the broker URL",
  ],
  "no-transactions": (address, { command, detail }) => [
    `${address} does not know ${command}, so no worker was asked: ${detail}`,
    "without a transaction a ping could harm the worker; connect to Redis itself, not through this proxy",
  ],
  sentinel: (address, { detail }) => [
    `${address} is a Sentinel, which has no keys: ${detail}`,
    "write sentinel:// for each Sentinel, separated by ';', as Celery's broker_url does; or correct the port",
  ],
  "no-sentinel": (address, { detail }) => [
    `${address} is not a Sentinel: ${detail}`,
    "write redis:// for a Redis, or correct the port: Sentinels listen on 26379",
  ],
  "wrong-type": (address, { detail }) => [
    `a key of this probe on ${address} holds another type, so no worker was asked: ${detail}`,
    "delete that key; only this probe uses it",
  ],
  "cannot-write": (address, { command, detail }) => [
    `${address} cannot write (${command}), so no worker was asked: ${detail}`,
    "repair its persistence or replication; workers on it cannot work either",
  ],
  cluster: (address, { detail }) => [
    `${address} is a Redis Cluster: ${detail}`,
    "Celery does not work on Redis Cluster; point the broker URL at a single primary",
  ],
  "not-redis": (address, { detail }) => [
    `${address} does not speak Redis' protocol: ${detail}`,
    "is the port right?",
  ],
  "too-large": (address, { command, detail }) => [
    `${address} answered${command === "" ? "" : ` ${command}`} with more than the probe reads: ${detail}`,
    "find out what is so large; a reply list of this probe may be deleted",
  ],
  other: (address, { command, detail }) => [
    `${address} refused ${command}: ${detail}`,
    "ask the operator of this Redis; its log says more",
  ],
};

/** A worker's binding shows that it has another exchange. */
export function exchangeHint(controlExchange: string): string {
  return `it is bound to the control exchange '${controlExchange}': set --control-exchange ${controlExchange}`;
}

/** The control channel that was used, or would have been used. */
export function channelOf(plan: CheckPlan, { asking }: Evidence): string {
  return asking.kind === "asked" ? asking.via.channel : plan.route.channel;
}

/** The fact and the hint for a broker that cannot be used. Secrets in `address` are already masked. */
export function brokerStatement(address: string, failure: BrokerFailure): Statement {
  const detail = shortened(failure.detail.replace(/\.$/, ""), LONGEST_DETAIL);
  const where = failure.where ?? address;
  const [fact, hint] =
    failure.kind === "unreachable"
      ? UNREACHABLE[failure.cause](where, { ...failure, detail })
      : REFUSED[failure.cause](where, { ...failure, detail });
  const ofSentinel = failure.bySentinel ? SENTINELS[failure.cause] : undefined;
  const { unread = null, isSeen = false } = failure.unnamed ?? {};
  const and =
    unread === null || !isSeen
      ? ""
      : `, and the environment of process ${failure.unnamed?.pid} may not be read`;
  return { fact: sentence(fact + and), hint: unnamedHint(failure) ?? ofSentinel ?? hint };
}

/** The hint if nothing names the broker. Null: the usual hint applies. */
function unnamedHint({ cause, unnamed }: BrokerFailure): string | null {
  if (unnamed === undefined) return null;
  const { pid, url, lost, unread } = unnamed;
  if (pid === null) {
    return "nothing names the broker, so the default was asked: set CELERY_PROBE_BROKER to its URL, or run the probe where the worker is";
  }
  const asWhom = unread === null ? null : readerHint(unread);
  if (url !== null && (cause === "password-needed" || cause === "wrong-password")) {
    return `set CELERY_PROBE_BROKER=${url}${asWhom === null ? "" : `, or ${asWhom}`}`;
  }
  if (asWhom !== null) return asWhom;
  return lost.length === 0 ? null : `it has lost ${names(lost)}, or is connecting there: is Redis running?`;
}

/** Which user can read the environment and the sockets of a process. */
export function readerHint({
  user,
  ourUser,
}: {
  readonly user: number | null;
  readonly ourUser: number | null;
}): string {
  const asRoot = "as root with CAP_SYS_PTRACE (cap_add: [SYS_PTRACE])";
  // If the process changed its user itself (celery --uid), only root can read it.
  return user === null || user === ourUser
    ? `run the probe ${asRoot}`
    : `run the probe as user ${user} (docker exec -u ${user}), or ${asRoot}`;
}

/** Sentinels have their own users, passwords and settings. */
const SENTINELS: { readonly [C in BrokerFailure["cause"]]?: string } = {
  "wrong-password": "set --sentinel-password, and --sentinel-username if there is one, as in sentinel_kwargs",
  "password-needed": "set --sentinel-password to the password of sentinel_kwargs",
  "password-not-wanted":
    "leave --sentinel-password out; a worker with it in sentinel_kwargs cannot connect either",
  "no-permission": "allow this user +sentinel|masters",
  "only-tls": "set --sentinel-tls if sentinel_kwargs has ssl",
  "no-tls": "leave --sentinel-tls out, or correct the port",
};

/**
 * In characters. Protected mode explains itself in a thousand characters: its beginning is enough. The end is kept for
 * paths.
 */
const LONGEST_DETAIL = 240;
