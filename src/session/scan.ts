import type { BrokerFailure } from "../broker/failure.ts";
import type { Outcome } from "../outcome.ts";
import type { Command, Reply } from "../broker/channel.ts";

/** Sends commands in one write. */
export type Send = (commands: readonly Command[]) => Promise<Outcome<readonly Reply[], BrokerFailure>>;

/** The result of a scan. */
export interface Scanned {
  /** About how many keys were looked at. */
  readonly passed: number;
  readonly isWhole: boolean;
  /** The server's error message, if it refuses SCAN. */
  readonly refusal: string | null;
  /** Why the scan ended early, if the connection failed. */
  readonly failure: BrokerFailure | null;
}

/**
 * Goes through the keys of a database in slices of about `slice` keys. Never uses KEYS.
 *
 * @param commandsFor makes commands about a slice's keys. They are sent together with the next SCAN
 * @param onReplies receives the replies to these commands
 * @param goesOn is asked after each slice
 */
export async function scan(
  send: Send,
  { pattern, slice }: { readonly pattern: string; readonly slice: number },
  commandsFor: (keys: readonly string[]) => readonly Command[],
  onReplies: (keys: readonly string[], replies: readonly Reply[]) => void,
  goesOn: () => boolean,
): Promise<Scanned> {
  let cursor = "0";
  let passed = 0;
  let keys: readonly string[] = [];
  let isAtEnd = false;
  for (;;) {
    const about = keys.length === 0 ? [] : commandsFor(keys);
    const next: readonly Command[] = isAtEnd ? [] : [["SCAN", cursor, "MATCH", pattern, "COUNT", slice]];
    const commands = [...next, ...about];
    if (commands.length === 0) return { passed, isWhole: true, refusal: null, failure: null };
    const sent = await send(commands);
    if (!sent.ok) return { passed, isWhole: false, refusal: null, failure: sent.problem };
    if (about.length > 0) onReplies(keys, sent.value.slice(next.length));
    if (isAtEnd) return { passed, isWhole: true, refusal: null, failure: null };
    const [reply] = sent.value;
    if (reply?.ok !== true) {
      return { passed, isWhole: false, refusal: reply?.error ?? "no answer", failure: null };
    }
    const [nextCursor, found] = Array.isArray(reply.value) ? (reply.value as readonly unknown[]) : [];
    keys = Array.isArray(found) ? found.filter((key) => typeof key === "string") : [];
    cursor = typeof nextCursor === "string" ? nextCursor : "0";
    passed += slice;
    isAtEnd = cursor === "0";
    if (!isAtEnd && !goesOn()) return { passed, isWhole: false, refusal: null, failure: null };
  }
}
