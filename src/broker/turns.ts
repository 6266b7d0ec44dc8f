import { isCount } from "../numbers.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel, Command, Reply } from "./channel.ts";
import { type BrokerFailure, noAnswer, type Refused, refusedBy } from "./failure.ts";
import { kindOfReply } from "./masking.ts";
import { within } from "./within.ts";

/** What goes over the wire: the callers' commands, and commands that only this side may send. */
export type WireCommand = readonly [name: string, ...args: (string | number)[]];

/** One write and the reply to each command. Fails if not all replies come within this many milliseconds. */
export type Exchange = (
  commands: readonly WireCommand[],
  withinMs: number,
) => Promise<Outcome<readonly Reply[], BrokerFailure>>;

/** Who may send on one connection. */
interface Turns {
  readonly exchange: Exchange;
  readonly now: () => number;
  /** Resolves when the connection is free again; null: it is free now. */
  owned: Promise<void> | null;
  /** Why nothing more may be sent: a transaction may still be open. */
  spent: BrokerFailure | null;
  isFirst: boolean;
}

/**
 * Lets several callers share one connection. Their commands follow each other without waiting. Two kinds of work own
 * the connection from their first byte until their end is known: the first write, which signs in, and transactions.
 * Commands after a refused AUTH or SELECT would run as another user or in another database.
 *
 * A caller that has to wait spends its own time.
 */
export function takeTurns(exchange: Exchange, now: () => number): Pick<Channel, "send" | "transact"> {
  const turns: Turns = { exchange, now, owned: null, spent: null, isFirst: true };
  return {
    send: (commands, withinMs) =>
      inTurn(turns, withinMs, false, async (leftMs) => {
        const sent = await exchange(commands, leftMs);
        return sent.ok ? success(sent.value.map((reply, at) => counted(commands[at], reply))) : sent;
      }),
    transact: (before, queue, answerMs) =>
      inTurn(turns, answerMs(), true, (leftMs) => transaction(turns, before, queue, leftMs, answerMs)),
  };
}

async function inTurn<T>(
  turns: Turns,
  withinMs: number,
  isAlone: boolean,
  work: (leftMs: number) => Promise<Outcome<T, BrokerFailure>>,
): Promise<Outcome<T, BrokerFailure>> {
  const end = turns.now() + withinMs;
  while (turns.owned !== null) {
    if ((await within(end - turns.now(), turns.owned)).kind === "late") return failure(noAnswer(withinMs));
  }
  if (turns.spent !== null) return failure(turns.spent);
  // Nothing asynchronous may stand between the check of `owned` and this line. Otherwise two callers that waited for
  // the same end would both go on.
  const working = work(end - turns.now());
  if (isAlone || turns.isFirst) {
    const free = () => {
      turns.owned = null;
    };
    turns.owned = working.then(free, free);
  }
  turns.isFirst = false;
  return working;
}

/**
 * The server must acknowledge MULTI before we send the rest. If it refuses MULTI, the other commands would run one by
 * one, including PUBLISH.
 */
async function transaction(
  turns: Turns,
  before: readonly Command[],
  queue: (seen: readonly Reply[]) => Outcome<readonly Command[], BrokerFailure>,
  leftMs: number,
  answerMs: () => number,
): Promise<Outcome<readonly unknown[], BrokerFailure>> {
  const opened = await turns.exchange([...before, ["MULTI"]], leftMs);
  if (!opened.ok) return failure((turns.spent = opened.problem));
  const multi = opened.value[before.length];
  const isOpen = multi?.ok === true && multi.value === "OK";
  if (multi?.ok !== false && !isOpen) turns.spent = refusal("MULTI", multi);
  // A failure from the replies to `before` goes first. It says more than the refusal of MULTI.
  const queued = queue(opened.value.slice(0, before.length));
  if (!isOpen) return queued.ok ? failure(refusal("MULTI", multi)) : queued;
  // An open transaction is ended with EXEC, which it needs anyway. An ACL may not allow DISCARD.
  const commands = queued.ok ? queued.value : [];
  const sent = await turns.exchange([...commands, ["EXEC"]], answerMs());
  if (!sent.ok) return failure((turns.spent = sent.problem));
  const executed = sent.value[commands.length];
  if (!isEnd(executed)) turns.spent = refusal("EXEC", executed);
  return queued.ok ? resultsOf(commands, sent.value) : queued;
}

/** Whether this answer to EXEC ends the transaction. Servers before Redis 6.2 can refuse EXEC and leave it open. */
function isEnd(executed: Reply | undefined): boolean {
  if (executed?.ok === false) return executed.error.startsWith("EXECABORT");
  return executed !== undefined && (Array.isArray(executed.value) || executed.value === null);
}

/** EXEC says only that the transaction was aborted. The refused command says why. */
function resultsOf(
  commands: readonly Command[],
  replies: readonly Reply[],
): Outcome<readonly unknown[], BrokerFailure> {
  for (const [position, [name]] of commands.entries()) {
    const reply = replies[position];
    if (!reply?.ok || reply.value !== "QUEUED") return failure(refusal(name, reply));
  }
  const executed = replies[commands.length];
  const results: unknown = executed?.ok ? executed.value : null;
  if (!Array.isArray(results) || results.length !== commands.length)
    return failure(refusal("EXEC", executed));
  for (const [position, command] of commands.entries()) {
    const result: Reply = { ok: true, value: results[position] };
    if (!counted(command, result).ok) return failure(refusal(command[0], result));
  }
  return success(results as readonly unknown[]);
}

/** Commands whose answers are added up or shown. Every Redis answers them with a count. */
const COUNTING: ReadonlySet<string> = new Set([
  "DBSIZE",
  "HLEN",
  "HSTRLEN",
  "LLEN",
  "PUBLISH",
  "SCARD",
  "STRLEN",
  "ZCARD",
  "ZCOUNT",
]);

/** The reply, or an error if the reply should be a count and is not. */
function counted(command: Command | undefined, reply: Reply): Reply {
  if (!reply.ok || command === undefined) return reply;
  const [name, what] = command;
  // MEMORY USAGE of a key that is gone is null.
  const isSize = name === "MEMORY" && what === "USAGE" && reply.value !== null;
  const isCounting = isSize || COUNTING.has(name) || (name === "PUBSUB" && what === "NUMPAT");
  return isCounting && !isCount(reply.value) ? { ok: false, error: refusal(name, reply).detail } : reply;
}

/** The failure for an answer to `command` that a Redis does not give. */
export function refusal(command: string, reply: Reply | undefined): Refused {
  if (reply !== undefined && !reply.ok) return refusedBy(command, reply.error);
  const detail = `${command} was answered with ${kindOfReply(reply?.value)}`;
  return { kind: "refused", cause: "not-redis", command, detail };
}
