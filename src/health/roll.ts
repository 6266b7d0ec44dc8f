import { type Answer, isPong } from "../pidbox/message.ts";
import { isBeat } from "../worker/node-name.ts";
import type { Pong } from "./evidence.ts";
import type { Asked } from "./plan.ts";

/** Who has answered our pings so far. */
export interface Roll {
  /** Notes that a ping with this ticket has been published. */
  readonly sent: (ticket: string) => void;
  /** Notes the replies found and says whether all who were asked have answered. */
  readonly see: (answers: readonly Answer[]) => boolean;
  readonly complete: () => boolean;
  readonly pongs: () => readonly Pong[];
  /** Milliseconds since the first ping. */
  readonly waitedMs: () => number;
}

/**
 * Calls the roll. A pong counts with one of our tickets and, where nodes were named, from one of them; a beat
 * counts only if it was named. A pong that arrives for an earlier ping of this run counts as well.
 */
export function startRoll(asked: Asked, now: () => number): Roll {
  const sentAt = new Map<string, number>();
  const pongs = new Map<string, Pong>();

  const complete = () =>
    asked.kind === "nodes" ? asked.nodes.every((node) => pongs.has(node)) : pongs.size >= asked.atLeast;

  return {
    sent(ticket) {
      sentAt.set(ticket, now());
    },
    see(answers) {
      const copies = new Map<string, number>();
      for (const answer of answers) {
        const since = sentAt.get(answer.ticket);
        const node = whoPonged(answer, asked);
        if (since === undefined || node === null) continue;
        const pair = `${answer.ticket} ${node}`;
        const copy = (copies.get(pair) ?? 0) + 1;
        copies.set(pair, copy);
        const known = pongs.get(node);
        pongs.set(node, {
          node,
          afterMs: known?.afterMs ?? now() - since,
          copies: Math.max(copy, known?.copies ?? 0),
        });
      }
      return complete();
    },
    complete,
    pongs: () => [...pongs.values()],
    waitedMs: () => now() - Math.min(now(), ...sentAt.values()),
  };
}

/** The node whose pong this is, if it is one of those that count. */
function whoPonged({ said }: Answer, asked: Asked): string | null {
  if (asked.kind === "any") {
    return said !== null && isPong(said.result) && !isBeat(said.node) ? said.node : null;
  }
  // The body could not be read, but only one node was asked and the ticket is ours: nobody else can have it.
  if (said === null) return asked.nodes.length === 1 ? (asked.nodes[0] ?? null) : null;
  return isPong(said.result) && asked.nodes.includes(said.node) ? said.node : null;
}
