import { asNumber } from "../numbers.ts";
import type { Channel, Reply } from "../broker/channel.ts";
import { type ClientRow, parseClientList, plainAddress } from "../broker/client-list.ts";
import { type BrokerFailure, type Refused, refusedBy } from "../broker/failure.ts";
import { controlChannel, type Naming } from "../broker/keys.ts";
import type { BrokerTarget } from "../broker/url.ts";
import type { Host } from "../host.ts";
import type { Endpoint } from "../worker/sockets.ts";

/** What a server that a process is connected to says about the process. */
export type Answer =
  | { readonly kind: "no-redis" }
  /** No answer came in time. */
  | { readonly kind: "silent" }
  /** The server speaks only TLS. */
  | { readonly kind: "only-tls" }
  /** The server wants a password, or another one. */
  | { readonly kind: "closed"; readonly failure: Refused }
  | {
      readonly kind: "open";
      /**
       * What the process does there.
       *
       * - `works`: it listens as kombu does.
       * - `fetches`: it pops from lists.
       * - `listened-to`: the control channel has a subscriber, and the connections of the process are unknown.
       * - `publishes`: it only sends.
       * - `lost`: it is no longer connected.
       * - `other`: anything else.
       */
      readonly role: "works" | "fetches" | "listened-to" | "publishes" | "lost" | "other";
      /** The databases that it works in, the most certain first. Empty: nothing shows them. */
      readonly databases: readonly number[];
      /** Whether Sentinels watch the server. Then workers may have found it through them. */
      readonly isWatched: boolean;
    };

/** What the commands besides CLIENT LIST ask about. */
interface Question {
  readonly target: BrokerTarget;
  /** The server that the process is connected to; null: an address cannot tell. */
  readonly server: Endpoint | null;
  /** Near ends of the connections of the process. */
  readonly ends: readonly Endpoint[];
  /** The databases whose control channel is checked if CLIENT LIST shows nothing. */
  readonly databases: readonly number[];
  readonly naming: Naming;
}

/** Asks a server, within `withinMs` milliseconds, what a process that is connected to it does there. */
export async function askServer(question: Question, host: Host, withinMs: number): Promise<Answer> {
  const end = host.now() + withinMs;
  const left = () => Math.max(1, end - host.now());
  const connected = await host.connect(question.target, left());
  if (!connected.ok) return refusalOf(connected.problem);
  const channel = connected.value;
  try {
    const { server } = question;
    const remote = channel.ends()?.remote;
    // The name leads to several servers, and this time it has led to another one.
    if (server !== null && (remote?.address !== server.address || remote.port !== server.port))
      return { kind: "no-redis" };
    const sent = await channel.send([["CLIENT", "LIST"]], left());
    if (!sent.ok) return refusalOf(sent.problem);
    const [reply] = sent.value;
    const refused = reply?.ok === false ? refusalOf(refusedBy("CLIENT", reply.error)) : null;
    if (refused?.kind === "closed") return refused;
    const list = reply?.ok === true ? reply.value : null;
    const rows = parseClientList(list);
    const sight =
      (rows === null ? null : byRows(rows, question)) ?? (await bySubscribers(channel, question, left()));
    return { kind: "open", ...sight, isWatched: typeof list === "string" && SENTINELS.test(list) };
  } finally {
    channel.close();
  }
}

/** The name of a connection from a Sentinel to its server (sentinel.c `sentinelReconnectInstance`). */
const SENTINELS = / name=sentinel-[0-9a-f]{8}-cmd /;

/** What the server shows of the process. */
type Sight = Pick<Extract<Answer, { kind: "open" }>, "role" | "databases">;

function refusalOf(failure: BrokerFailure): Answer {
  if (failure.cause === "only-tls") return { kind: "only-tls" };
  if (failure.cause === "no-answer" || failure.cause === "connect-timeout") return { kind: "silent" };
  const isClosed = failure.kind === "refused" && CLOSED.includes(failure.cause);
  return isClosed ? { kind: "closed", failure } : { kind: "no-redis" };
}

const CLOSED: readonly BrokerFailure["cause"][] = ["password-needed", "wrong-password", "protected-mode"];

/** Null: no row is a connection of the process. */
function byRows(rows: readonly ClientRow[], { ends, server }: Question): Sight | null {
  const near = new Set(ends.map(nameOf));
  // Clients of a unix socket have no address.
  const own =
    server === null ? rows.filter(({ port }) => port === 0) : rows.filter((row) => near.has(nameOf(row)));
  if (own.length === 0) return null;
  const fetching = own.filter(({ command }) => command === "brpop");
  const listening = own.filter(({ patterns }) => patterns > 0);
  const databases = [...new Set([...listening, ...fetching].map(({ db }) => db))];
  // A task may fetch from a cache, and any client may subscribe to channels. Only kombu's patterns are certain.
  if (databases.length > 0) return { role: listening.length > 0 ? "works" : "fetches", databases };
  const sending = own.filter(({ command }) => ["publish", "lpush", "llen", "exec"].includes(command));
  return {
    role: sending.length > 0 ? "publishes" : "other",
    databases: [...new Set((sending.length > 0 ? sending : own).map(({ db }) => db))],
  };
}

/**
 * The databases whose control channel has a subscriber. Workers ignore an empty message before they decode it
 * (kombu/transport/redis.py `Channel._receive_one`).
 */
async function bySubscribers(
  channel: Channel,
  { databases, naming }: Question,
  withinMs: number,
): Promise<Sight> {
  const sent = await channel.send(
    databases.map((db) => ["PUBLISH", controlChannel(db, naming), ""] as const),
    withinMs,
  );
  const counts: readonly Reply[] = sent.ok ? sent.value : [];
  const heard = databases.filter((_, position) => {
    const count = counts[position];
    return count?.ok === true && asNumber(count.value) > 0;
  });
  return { role: heard.length > 0 ? "listened-to" : "other", databases: heard };
}

function nameOf({ address, port }: Endpoint): string {
  return `${plainAddress(address)} ${port}`;
}
