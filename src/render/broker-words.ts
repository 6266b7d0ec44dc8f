import type {
  BrokerFailure,
  Refused,
  RefusedCause,
  Unreachable,
  UnreachableCause,
} from "../broker/failure.ts";

/** A fact, and what to do about it. */
export interface Statement {
  readonly fact: string;
  readonly hint: string | null;
}

type Words<F> = (address: string, failure: F) => readonly [fact: string, hint: string];

const UNREACHABLE: { readonly [C in UnreachableCause]: Words<Unreachable> } = {
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
    "is that machine or container up? a firewall or a silent name server does this too; --connect-timeout and --deadline give it longer",
  ],
  "no-answer": (address, { detail }) => [
    `${address} accepted the connection but did not answer within ${detail}`,
    "Redis is paused, overloaded or behind a proxy that has lost it; --connect-timeout and --deadline give it longer",
  ],
  "connection-lost": (address, { detail }) => [
    `${address} closed the connection (${detail})`,
    "Redis was restarted, or a proxy in between has no server behind it; a port that speaks only TLS does that too",
  ],
  "connect-failed": (address, { detail }) => [
    `the connection to ${address} failed (${detail})`,
    "check the address, and that this container is on the broker's network",
  ],
};

const REFUSED: { readonly [C in RefusedCause]: Words<Refused> } = {
  "wrong-password": (address, { detail }) => [
    `${address} did not accept the user name or password: ${detail}`,
    "put the right ones into the broker URL; characters such as @ / ? # are written as %-codes there",
  ],
  "password-needed": (address, { detail }) => [
    `${address} wants a password: ${detail}`,
    "the broker URL has none: redis://:password@host/0",
  ],
  "password-not-wanted": (address, { detail }) => [
    `${address} has no password set, and the broker URL sends one: ${detail}`,
    "take it out of the URL; a worker with this URL cannot connect either",
  ],
  "no-permission": (address, { command, detail }) => [
    `the user of ${address} may not do ${command}: ${detail}`,
    "allow this user what the probe needs: ~*.reply.celery.pidbox &/*.celery.pidbox " +
      "+select +type +multi +exec +rpush +ltrim +expire +publish +lrange",
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
    "wait until it has; INFO persistence says how far it is",
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
    `${address} does not do ${command}, so no worker was asked: ${detail}`,
    "without a transaction a ping could harm the worker; connect to Redis itself, not through this proxy",
  ],
  "wrong-type": (address, { detail }) => [
    `a key of ours on ${address} holds something else, so no worker was asked: ${detail}`,
    "delete that key; nothing but this probe uses it",
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
    "is the port right? a port that speaks only TLS looks like this too",
  ],
  other: (address, { command, detail }) => [
    `${address} refused ${command}: ${detail}`,
    "ask whoever runs this Redis; its log says more",
  ],
};

/** The sentence and the hint for a broker that nothing could be had from. `address` is already redacted. */
export function brokerStatement(address: string, failure: BrokerFailure): Statement {
  const detail = short(failure.detail.replace(/\.$/, ""));
  const [fact, hint] =
    failure.kind === "unreachable"
      ? UNREACHABLE[failure.cause](address, { ...failure, detail })
      : REFUSED[failure.cause](address, { ...failure, detail });
  return { fact, hint };
}

/** Protected mode explains itself in a thousand characters; the beginning says it. */
const LONGEST_DETAIL = 240;

function short(text: string): string {
  return text.length <= LONGEST_DETAIL ? text : `${text.slice(0, LONGEST_DETAIL)} …`;
}
