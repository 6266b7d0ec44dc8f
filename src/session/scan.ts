import type { BrokerFailure } from "../broker/failure.ts";
import type { Outcome } from "../outcome.ts";
import type { Command, Reply } from "../broker/channel.ts";

/** Sends commands in one write. */
export type Send = (commands: readonly Command[]) => Promise<Outcome<readonly Reply[], BrokerFailure>>;

/** How far a scan has come. */
export interface Scanned {
  /** Keys passed by, about. */
  readonly passed: number;
  readonly isWhole: boolean;
  /** The server's words, where it permits no SCAN. */
  readonly refusal: string | null;
  /** Why it ended early, where the connection failed. */
  readonly failure: BrokerFailure | null;
}

/**
 * Goes through the keys of a database in slices, never with KEYS: each call looks at `slice` of them.
 *
 * @param commandsFor what to send about the keys of a slice, together with the next SCAN
 * @param onReplies gets the replies to these
 * @param goesOn asked after each slice
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
