import type { Reply } from "./channel.ts";
import { type BrokerFailure, type Refused, refusedBy } from "./failure.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { refusal, type WireCommand } from "./turns.ts";
import type { BrokerTarget } from "./url.ts";

/** Sends the commands in one write and returns the reply to each. */
type Send = (commands: readonly WireCommand[]) => Promise<Outcome<readonly Reply[], BrokerFailure>>;

/** What the server refused before it let us in. Not every client gets in this way. */
export interface Pardon {
  refusal: Refused | null;
}

/**
 * Signs in and sends the commands, in one write. ioredis' own handshake costs round trips. It also accepts a needless
 * password, which the worker's client does not.
 *
 * If the login is refused, the password alone is tried, as kombu before 5.2.0 and redis-py on Redis 5 do. A server
 * without a password refuses ours but runs the other commands. From redis-py 8.0 on (`HELLO 3 AUTH default …`) a worker
 * can sign in there with any password.
 */
export async function signInAnd(
  send: Send,
  target: BrokerTarget,
  commands: readonly WireCommand[],
  pardon: Pardon,
): Promise<Outcome<readonly Reply[], BrokerFailure>> {
  const greeting = handshake(target);
  const replies = await send([...greeting, ...commands]);
  if (!replies.ok) return replies;
  const answered = behind(greeting, replies.value);
  if (answered.ok) return answered;
  if (isPasswordUnasked(replies.value) && answered.problem.kind === "refused") {
    pardon.refusal = answered.problem;
    return behind(greeting.slice(1), replies.value.slice(1));
  }
  if (!isNameRefused(target, replies.value)) return answered;
  const nameless = handshake({ ...target, username: undefined });
  const again = await send([...nameless, ...commands]);
  if (!again.ok) return again;
  const admitted = behind(nameless, again.value);
  return admitted.ok ? admitted : answered;
}

/** From Redis 6.0 on: the default user has no password, but we sent one. */
function isPasswordUnasked([first]: readonly Reply[]): boolean {
  return first?.ok === false && first.error.includes("without any password configured");
}

/** Whether the user name may be wrong. It was refused, or the server is older than Redis 6 and has no users. */
function isNameRefused({ username, password }: BrokerTarget, [first, ...others]: readonly Reply[]): boolean {
  const isRefused = first?.ok === false && /^(?:WRONGPASS|ERR wrong number of arguments)/.test(first.error);
  const isClosed = others.every((reply) => !reply.ok && reply.error.startsWith("NOAUTH"));
  return isRefused && isClosed && username !== undefined && password !== undefined;
}

/** The replies after the replies to the greeting. The greeting's replies must be OK. */
function behind(
  greeting: readonly WireCommand[],
  replies: readonly Reply[],
): Outcome<readonly Reply[], BrokerFailure> {
  for (const [position, [name]] of greeting.entries()) {
    const reply = replies[position];
    if (reply === undefined || !reply.ok) return failure(refusedBy(name, reply?.error ?? ""));
    if (reply.value !== "OK") return failure(refusal(name, reply));
  }
  return success(replies.slice(greeting.length));
}

/** As in redis-py: a user without a password gets an empty one. */
function handshake({
  username,
  password,
  db,
}: Pick<BrokerTarget, "password" | "db"> & {
  readonly username?: string | undefined;
}): readonly WireCommand[] {
  const commands: WireCommand[] = [];
  if (username !== undefined) commands.push(["AUTH", username, password ?? ""]);
  else if (password !== undefined) commands.push(["AUTH", password]);
  if (db !== 0) commands.push(["SELECT", db]);
  return commands;
}
