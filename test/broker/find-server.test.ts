import { describe, expect, test } from "vitest";
import type { BrokerFailure } from "../../src/broker/failure.ts";
import { findServer } from "../../src/broker/find-server.ts";
import type { Search } from "../../src/broker/search.ts";
import type { Located } from "../../src/broker/settings.ts";
import { type BrokerTarget, placeText } from "../../src/broker/url.ts";
import { failure, type Outcome, success } from "../../src/outcome.ts";
import type { Channel, Command, Reply } from "../../src/broker/channel.ts";

/** What a server does: how long it takes to connect, and what it answers; `null` for a server that never does. */
interface Server {
  readonly connects?: BrokerFailure;
  readonly answers?: (command: Command) => Reply | null;
}

const GONE: BrokerFailure = { kind: "unreachable", cause: "connection-refused", detail: "ECONNREFUSED" };
const LATE: BrokerFailure = { kind: "unreachable", cause: "no-answer", detail: "1000 ms" };
const ok = (value: unknown): Reply => ({ ok: true, value });
const PONG = () => ok("PONG");

/** A machine on which these servers are, with a clock that goes on by 1 ms a step. */
function machine(servers: Record<string, Server>, isTheWorkers: (port: number) => boolean = () => false) {
  let now = 0;
  const log: string[] = [];
  const shares: number[] = [];
  const connect = (target: BrokerTarget, withinMs: number): Promise<Outcome<Channel, BrokerFailure>> => {
    const place = placeText(target.place);
    const server = servers[place];
    shares.push(withinMs);
    log.push(`connect ${place}`);
    now += 1;
    if (server === undefined) return Promise.resolve(failure(GONE));
    if (server.connects !== undefined) return Promise.resolve(failure(server.connects));
    const port = Number(place.split(":").at(-1));
    return Promise.resolve(
      success({
        send: (commands) => {
          now += 1;
          log.push(commands.map((words) => words.join(" ")).join(", "));
          const replies = commands.map((command) => (server.answers ?? PONG)(command));
          const all = replies.filter((reply) => reply !== null);
          return Promise.resolve(all.length === replies.length ? success(all) : failure(LATE));
        },
        ends: () => ({
          local: { address: "127.0.0.1", port: 40_000 },
          remote: { address: "127.0.0.1", port },
        }),
        transact: () => Promise.reject(new Error("nothing is changed while a server is looked for")),
        close: () => log.push(`close ${place}`),
      }),
    );
  };
  const search: Search = {
    connect,
    now: () => now,
    pause(ms) {
      now += ms;
      return Promise.resolve();
    },
    connectMs: 1_000,
    leftMs: () => 4_900 - now,
    isTheWorkers: ({ port }) => Promise.resolve(isTheWorkers(port)),
  };
  return { search, log, shares };
}

const target = (port: number): BrokerTarget => ({
  place: { kind: "tcp", host: "h", port },
  db: 2,
  tls: null,
});
const servers = (first: number, ...others: number[]): Located => ({
  kind: "servers",
  servers: [target(first), ...others.map(target)],
});

/** Which server was found, or why none was. */
async function found(broker: Located, search: Search): Promise<string> {
  const outcome = await findServer(broker, search);
  if (outcome.ok) return placeText(outcome.value.target.place);
  const { cause, where, detail } = outcome.problem;
  return `${cause} (${detail})${where === undefined ? "" : ` at ${where}`}`;
}

describe("of one server findServer", () => {
  test("asks nothing before it is used", async () => {
    const { search, log, shares } = machine({ "h:1": {} });
    expect(await found(servers(1), search)).toBe("h:1");
    expect(log).toEqual(["connect h:1"]);
    expect(shares).toEqual([1_000]);
  });

  test("says why it cannot be reached", async () => {
    expect(await found(servers(1), machine({}).search)).toBe("connection-refused (ECONNREFUSED)");
  });
});

describe("of a list findServer", () => {
  test("takes the first that answers", async () => {
    const { search, log } = machine({ "h:2": {}, "h:3": {} });
    expect(await found(servers(1, 2, 3), search)).toBe("h:2");
    expect(log.at(-1)).toBe("close h:3");
  });

  test("goes past one that takes connections and says nothing", async () => {
    const { search, log } = machine({ "h:1": { answers: () => null }, "h:2": {} });
    expect(await found(servers(1, 2), search)).toBe("h:2");
    expect(log).toContain("close h:1");
  });

  test.each(["NOAUTH Authentication required.", "LOADING Redis is loading the dataset in memory"])(
    "goes past one that takes no commands, as kombu does: %s",
    async (error) => {
      const refusing = { answers: (): Reply => ({ ok: false, error }) };
      const { search, log } = machine({ "h:1": refusing, "h:2": {} });
      expect(await found(servers(1, 2), search)).toBe("h:2");
      expect(log).toContain("close h:1");
    },
  );

  test("takes one where this user may not PING", async () => {
    const refusing = { answers: (): Reply => ({ ok: false, error: "NOPERM no permission for ping" }) };
    expect(await found(servers(1, 2), machine({ "h:1": refusing, "h:2": {} }).search)).toBe("h:1");
  });

  test("prefers the one that the worker is connected to, and closes the others", async () => {
    const { search, log } = machine({ "h:1": {}, "h:2": {}, "h:3": {} }, (port) => port === 2);
    expect(await found(servers(1, 2, 3), search)).toBe("h:2");
    expect(log.filter((line) => line.startsWith("close"))).toEqual(["close h:1"]);
    expect(log).not.toContain("connect h:3");
  });

  test("prefers one on which somebody listens for patterns, where no worker is in sight", async () => {
    const patterns = (count: number): Server => ({
      answers: ([name]) => ok(name === "PUBSUB" ? count : "PONG"),
    });
    const { search, log } = machine({ "h:1": patterns(0), "h:2": patterns(4), "h:3": patterns(4) });
    expect(await found(servers(1, 2, 3), search)).toBe("h:2");
    expect(log.filter((line) => line.startsWith("close"))).toEqual(["close h:1", "close h:3"]);
    const nobody = machine({ "h:1": patterns(0), "h:2": patterns(0) });
    expect(await found(servers(1, 2), nobody.search)).toBe("h:1");
  });

  test("names the first and its problem when none answers", async () => {
    const { search } = machine({ "h:2": { connects: LATE } });
    expect(await found(servers(1, 2), search)).toBe("connection-refused (ECONNREFUSED) at h:1");
  });

  test("shares out what is left, and keeps a share for the asking", async () => {
    const { search, shares } = machine({});
    await found(servers(1, 2, 3, 4, 5, 6, 7), search);
    expect(shares.map(Math.round)).toEqual([613, 700, 816, 979, 1_000, 1_000, 1_000]);
  });
});

/** As SENTINEL MASTERS lists a master: names and values in turn. */
function master(name: string, port: number, more: Record<string, string> = {}): string[] {
  const fields = {
    name,
    ip: "h",
    port: String(port),
    flags: "master",
    "role-reported-time": "75000",
    ...more,
  };
  return Object.entries(fields).flat();
}

const knows = (...masters: string[][]): Server => ({ answers: () => ok(masters) });
const role = (word: string): Server => ({ answers: () => ok([word, 0, []]) });

function sentinels(masterName: string | null, ...ports: number[]): Located {
  return { kind: "sentinel", sentinels: ports.map(target), masterName, master: { db: 2, tls: null } };
}

describe("of Sentinels findServer", () => {
  test("takes the master that they name, if it says itself that it is one", async () => {
    const { search, log } = machine({ "h:1": knows(master("mymaster", 9)), "h:9": role("master") });
    const outcome = await findServer(sentinels("mymaster", 1), search);
    expect(outcome).toMatchObject({ ok: true, value: { target: { db: 2 }, masterForS: 75 } });
    expect(log).toEqual(["connect h:1", "SENTINEL MASTERS", "close h:1", "connect h:9", "ROLE"]);
  });

  test("needs no name when they know only one", async () => {
    const one = machine({ "h:1": knows(master("main", 9)), "h:9": role("master") });
    expect(await found(sentinels(null, 1), one.search)).toBe("h:9");
    const two = machine({ "h:1": knows(master("main", 9), master("other", 8)) });
    expect(await found(sentinels(null, 1), two.search)).toBe("no-master (they know 'main', 'other')");
  });

  test("names the masters that they know when it is another", async () => {
    const { search } = machine({ "h:1": knows(master("main", 9)) });
    expect(await found(sentinels("mymaster", 1), search)).toBe(
      "no-master (they know 'main', not 'mymaster')",
    );
  });

  test("asks the next when one is gone", async () => {
    const { search } = machine({ "h:2": knows(master("m", 9)), "h:9": role("master") });
    expect(await found(sentinels("m", 1, 2), search)).toBe("h:9");
  });

  test("asks the next when one knows no such master, and says so when none does", async () => {
    const knowing = { "h:1": knows(), "h:2": knows(master("m", 9)), "h:9": role("master") };
    expect(await found(sentinels("m", 1, 2), machine(knowing).search)).toBe("h:9");
    expect(await found(sentinels(null, 1, 2), machine(knowing).search)).toBe("h:9");
    const none = machine({ "h:1": knows(), "h:2": knows(master("other", 9)) });
    expect(await found(sentinels("m", 1, 2), none.search)).toBe("no-master (they know 'other', not 'm')");
  });

  test("takes a master whose ROLE it may not ask", async () => {
    const refusing: Server = { answers: () => ({ ok: false, error: "NOPERM no ROLE" }) };
    const { search } = machine({ "h:1": knows(master("m", 9)), "h:9": refusing });
    expect(await found(sentinels("m", 1), search)).toBe("h:9");
  });

  test("says failover when the master is a replica for half of the time, and asks again meanwhile", async () => {
    const { search, log } = machine({ "h:1": knows(master("m", 9)), "h:9": role("slave") });
    expect(await found(sentinels("m", 1), search)).toBe(
      "failover (it says that it is a replica) at the master 'm' at h:9",
    );
    expect(log.filter((line) => line === "SENTINEL MASTERS").length).toBeGreaterThan(15);
    expect(log.filter((line) => line === "close h:9")).toHaveLength(
      log.filter((line) => line === "connect h:9").length,
    );
    expect(search.leftMs()).toBeGreaterThan(2_000);
  });

  test("connects to no master that the Sentinels cannot reach", async () => {
    const down = [...master("m", 9), "flags", "master,s_down,o_down"];
    const { search, log } = machine({ "h:1": knows(down), "h:9": role("master") });
    expect(await found(sentinels("m", 1), search)).toBe(
      "failover (the Sentinels cannot reach it) at the master 'm' at h:9",
    );
    expect(log).not.toContain("connect h:9");
  });

  test("goes on to the new master as soon as it is named", async () => {
    let asked = 0;
    const { search } = machine({
      "h:1": {
        answers: () => ok([asked++ < 3 ? master("m", 9, { flags: "master,o_down" }) : master("m", 8)]),
      },
      "h:8": role("master"),
    });
    expect(await found(sentinels("m", 1), search)).toBe("h:8");
  });

  test("says which Sentinel refuses", async () => {
    const refusing: Server = { answers: () => ({ ok: false, error: "NOAUTH Authentication required." }) };
    const { search } = machine({ "h:1": refusing });
    expect(await found(sentinels("m", 1), search)).toBe(
      "password-needed (NOAUTH Authentication required.) at Sentinel h:1",
    );
  });

  test.each(["Sentinel-Pass", "Master-Pass", "4711"])(
    "shows no password that is given as the master's name, address or port: %s",
    async (secret) => {
      const port = secret === "4711" ? 4_711 : 9;
      const posing = knows(master(`m ${secret}`, port, { ip: secret }));
      const broker: Located = {
        kind: "sentinel",
        sentinels: [{ ...target(1), password: secret === "Master-Pass" ? "Other" : secret }],
        masterName: null,
        master: { db: 2, tls: null, password: "Master-Pass" },
      };
      const place = `${secret}:${port}`;
      for (const server of [{ connects: LATE }, role("slave"), role("master"), { answers: () => null }]) {
        const outcome = await findServer(broker, machine({ "h:1": posing, [place]: server }).search);
        const said = outcome.ok ? outcome.value.shown : JSON.stringify(outcome.problem);
        expect(said).toContain("***:");
        expect(said).not.toContain(secret);
      }
    },
  );
});
