import { findServer } from "../broker/find-server.ts";
import type { Naming } from "../broker/keys.ts";
import { type BrokerSettings, locate } from "../broker/settings.ts";
import { UNVERIFIED } from "../broker/url-tls.ts";
import type { BrokerTarget } from "../broker/url.ts";
import type { Unnamed } from "../broker/failure.ts";
import type { BrokerConfig } from "../cli/options.ts";
import type { Host } from "../host.ts";
import type { Endpoint } from "../worker/sockets.ts";
import { type Answer, askServer } from "./ask-server.ts";
import { namingOf, settingsOf } from "./broker-settings.ts";
import type { InUse } from "./servers-in-use.ts";
import type { Login, UrlVariable } from "./variables.ts";

/** The default number of databases of a server (`databases` of redis.conf). */
const DATABASES = 16;

/** A login for a server, and the variables that it comes from. */
export interface Way {
  readonly target: BrokerTarget;
  /** The URL in a variable; null: the target is built from several variables. */
  readonly url: UrlVariable["url"] | null;
  readonly by: readonly string[];
}

/** What is known about a process: its connections, its variables and our own variables. */
export interface Clues {
  readonly pid: number;
  readonly inUse: InUse;
  readonly urls: readonly UrlVariable[];
  readonly logins: readonly Login[];
  readonly databases: readonly number[];
  /** Paths of socket files. */
  readonly sockets: readonly (readonly [name: string, path: string])[];
  readonly unread: Unnamed["unread"];
}

/** What a server of the process has answered, and to which login. */
export interface Found {
  readonly way: Way;
  readonly answer: Answer;
}

export const STRONGEST = 7;

/** How likely a server is the broker; 0: it is not the broker. */
export function strength(answer: Answer): number {
  switch (answer.kind) {
    case "open":
      return { works: STRONGEST, fetches: 6, "listened-to": 5, publishes: 4, lost: 2, other: 0 }[answer.role];
    case "closed":
      return 3;
    case "silent":
      return 1;
    case "no-redis":
    case "only-tls":
      return 0;
    default:
      return answer satisfies never;
  }
}

function isCertain({ answer }: Found): boolean {
  return strength(answer) === STRONGEST;
}

/**
 * All answers. If one server is certainly the broker, its answer alone, as soon as it comes: others may stay silent for
 * long.
 */
async function untilCertain(searches: readonly Promise<Found>[]): Promise<readonly Found[]> {
  const certain = searches.map(async (search) => {
    const found = await search;
    return isCertain(found) ? [found] : Promise.reject(new Error("not certain"));
  });
  return Promise.any(certain).catch(() => Promise.all(searches));
}

/** What each step needs: the clues about the process, and the way to ask a server. */
interface Around {
  readonly clues: Clues;
  readonly settings: BrokerSettings;
  readonly naming: Naming;
  readonly host: Host;
  readonly left: () => number;
  /** A login may take several connections. Each has the time of one connection. */
  readonly connectMs: () => number;
}

/**
 * Asks all servers of a process at once. If none is the broker, it tries the Sentinels and socket files that variables
 * name.
 */
export async function askAround(
  clues: Clues,
  config: BrokerConfig,
  host: Host,
  left: () => number,
): Promise<readonly Found[]> {
  const settings = settingsOf(config);
  const connectMs = () => Math.min(config["connect-timeout"].value, left());
  const around: Around = { clues, settings, naming: namingOf(config), host, left, connectMs };
  const sentinelUrls = clues.urls.filter(({ url }) => url.broker.kind === "sentinel");
  // A server that Sentinels name is asked by their URL, because that URL stays valid after a failover.
  const bySentinel = (await Promise.all(sentinelUrls.map((one) => bySentinels(around, one)))).flat();
  if (bySentinel.some(isCertain)) return bySentinel;
  const found = await untilCertain(clues.inUse.servers.map((server) => letIn(around, server)));
  if (found.some(isCertain)) return found;
  const bySocket = await Promise.all(socketWays(clues).map((way) => ask(around, way, null)));
  const all = [...found, ...bySocket];
  if (all.some(({ answer }) => strength(answer) > 0)) return all;
  // A broker may have restarted while a task blocks its worker. The worker has not noticed yet.
  const lost = await Promise.all(clues.inUse.lost.map((server) => letIn(around, server)));
  return lost.map(({ way, answer }) => ({
    way,
    answer: answer.kind === "open" && answer.role === "other" ? { ...answer, role: "lost" } : answer,
  }));
}

async function ask(
  { clues, naming, host, connectMs }: Around,
  way: Way,
  server: Endpoint | null,
): Promise<Found> {
  const [first, ...others] = new Set([
    ...clues.databases,
    way.target.db,
    ...Array.from({ length: DATABASES }, (_, db) => db),
  ]);
  const { ends } = clues.inUse;
  const databases = [first ?? 0, ...others];
  // No database is selected: the one that a variable names may not exist.
  const target = { ...way.target, db: 0 };
  return { way, answer: await askServer({ target, server, ends, databases, naming }, host, connectMs()) };
}

/**
 * Tries the URLs that lead to the server. Without one, it tries no password, then the passwords that belong to the
 * server.
 */
async function letIn(around: Around, server: Endpoint): Promise<Found> {
  const ways = await waysByUrl(around, server);
  for (const way of ways) {
    const { answer } = await ask(around, way, server);
    if (answer.kind !== "open") continue;
    // The best URL names a database where the process works. Another one also lets us in.
    const own = ways.find(({ target }) => answer.databases.includes(target.db));
    return { way: own ?? way, answer };
  }
  const { settings, left } = around;
  let found = await ask(around, wayTo(server, false, null, settings), server);
  const isTls = found.answer.kind === "only-tls";
  if (isTls) found = await ask(around, wayTo(server, true, null, settings), server);
  const isCut = found.answer.kind === "silent" && left() <= 0;
  if (found.answer.kind !== "closed" && !isCut) return found;
  return byLogins(around, server, isTls, found);
}

/** @param without the server's answer without a password */
async function byLogins(around: Around, server: Endpoint, isTls: boolean, without: Found): Promise<Found> {
  let found = without;
  for (const login of around.clues.logins) {
    if (!(await belongsTo(around, login, server))) continue;
    const way = wayTo(server, isTls, login, around.settings);
    // There was no time to try the passwords. They are tried when the workers are asked.
    if (around.left() <= 0) return { way, answer: { kind: "silent" } };
    found = await ask(around, way, server);
    if (found.answer.kind === "open") break;
  }
  return found;
}

function wayTo(
  { address, port }: Endpoint,
  isTls: boolean,
  login: Login | null,
  settings: BrokerSettings,
): Way {
  const { by = [], host: _, port: __, ...credentials } = login ?? {};
  const plain = {
    place: { kind: "tcp", host: address, port },
    db: 0,
    tls: isTls ? UNVERIFIED : null,
  } as const;
  const located = locate({ kind: "servers", servers: [{ ...plain, ...credentials }] }, settings);
  const [target] = located.kind === "servers" ? located.servers : [plain];
  return { target, url: null, by };
}

/** URLs whose host and port lead to this server. */
async function waysByUrl(around: Around, server: Endpoint): Promise<readonly Way[]> {
  const ways = around.clues.urls.map(async ({ name, url }): Promise<readonly Way[]> => {
    const located = locate(url.broker, around.settings);
    if (located.kind === "sentinel") return [];
    const leading = await Promise.all(
      located.servers.map(async (target) => ((await leadsTo(around, target, server)) ? [target] : [])),
    );
    const [target] = leading.flat();
    if (target?.place.kind !== "tcp") return [];
    const place = { ...target.place, address: server.address };
    return [{ target: { ...target, place }, url, by: [name] }];
  });
  return (await Promise.all(ways)).flat();
}

/** A password goes only to the server that the variables of the same group name. */
async function belongsTo(around: Around, login: Login, { address, port }: Endpoint): Promise<boolean> {
  if (login.port !== undefined && login.port !== port) return false;
  return login.host === undefined || isAt(around, login.host, address);
}

async function leadsTo(
  around: Around,
  { place }: BrokerTarget,
  { address, port }: Endpoint,
): Promise<boolean> {
  return place.kind === "tcp" && place.port === port && isAt(around, place.host, address);
}

async function isAt({ host, connectMs }: Around, name: string, address: string): Promise<boolean> {
  return name === address || (await host.addressesOf(name, connectMs())).includes(address);
}

async function bySentinels(around: Around, { name, url }: UrlVariable): Promise<readonly Found[]> {
  const { clues, settings, left, connectMs } = around;
  const located = locate(url.broker, settings);
  if (located.kind !== "sentinel") return [];
  const { connect, now, pause } = around.host;
  const isTheWorkers = () => Promise.resolve(false);
  const found = await findServer(located, {
    connect,
    now,
    pause,
    // Half the time: a server that the connections show must not wait for silent Sentinels.
    connectMs: connectMs() / 2,
    leftMs: () => left() / 2,
    isTheWorkers,
  });
  if (!found.ok) return [];
  const remote = found.value.channel.ends()?.remote ?? null;
  found.value.channel.close();
  const server = clues.inUse.servers.find(
    (one) => one.address === remote?.address && one.port === remote.port,
  );
  const way = { target: found.value.target, url, by: [name] };
  return server === undefined ? [] : [await ask(around, way, server)];
}

function socketWays({ urls, logins, sockets }: Clues): readonly Way[] {
  const byUrl = urls.flatMap(({ name, url }): readonly Way[] => {
    const { broker } = url;
    const [target] = broker.kind === "servers" ? broker.servers : [];
    return target?.place.kind === "socket" ? [{ target, url, by: [name] }] : [];
  });
  const [login] = logins;
  const byPath = sockets.map(([name, path]): Way => {
    const { by = [], host: _, port: __, ...credentials } = login ?? {};
    return {
      target: { place: { kind: "socket", path }, db: 0, tls: null, ...credentials },
      url: null,
      by: [name, ...by],
    };
  });
  return [...byUrl, ...byPath];
}
