import type { Expected } from "../pidbox/decoding.ts";
import { type Answer, isPong, type Said } from "../pidbox/message.ts";
import { isBeat } from "../celery/node-name.ts";
import type { Pong } from "./evidence.ts";
import type { Asked } from "./asked.ts";

/** Characters of the longest reply that may be a pong: one has 500, envelope and all, and a longer is not decoded. */
const LONGEST_PONG = 65_536;

/** The nodes that have answered our pings so far. */
export interface Roll {
  /** Notes that a ping with this ticket has been published. */
  readonly sent: (ticket: string) => void;
  /** Notes nodes that were found later, and are asked too. */
  readonly add: (nodes: readonly string[]) => void;
  /** Which replies may be pongs for them. */
  readonly expected: Expected;
  /** Notes replies, each shown once, and says whether all who were asked have answered. */
  readonly see: (answers: readonly Answer[]) => boolean;
  readonly complete: () => boolean;
  readonly pongs: () => readonly Pong[];
  /** Milliseconds since the first ping. */
  readonly waitedMs: () => number;
}

/**
 * Calls the roll. A pong counts with one of our tickets and, where nodes were named, from one of them; a beat under
 * its default name counts only if it was named. A pong for an earlier ping of this run counts as well.
 */
export function startRoll(first: Asked, now: () => number): Roll {
  let asked = first;
  const sentAt = new Map<string, number>();
  const tickets = new Set<string>();
  const pongs = new Map<string, Pong>();
  /** How often each ticket was answered under each name. */
  const copies = new Map<string, number>();
  const count = (ticket: string, name: string): number => {
    const pair = JSON.stringify([ticket, name]);
    copies.set(pair, (copies.get(pair) ?? 0) + 1);
    return copies.get(pair) ?? 0;
  };

  const complete = () =>
    asked.kind === "nodes" ? asked.nodes.every((node) => pongs.has(node)) : pongs.size >= asked.atLeast;

  return {
    sent(ticket) {
      sentAt.set(ticket, now());
      tickets.add(ticket);
    },
    add(nodes) {
      if (asked.kind === "nodes") asked = { kind: "nodes", nodes: [...asked.nodes, ...nodes] };
    },
    expected: { tickets, longest: LONGEST_PONG },
    see(answers) {
      for (const { ticket, said } of answers) {
        const since = sentAt.get(ticket);
        const name = since === undefined ? null : whoPonged(said, asked);
        if (since === undefined || name === null) continue;
        const copy = count(ticket, name);
        // Among answers without a readable name, each answer to one ticket comes from another worker.
        const node = name === UNNAMED ? `${UNNAMED} ${copy}` : name;
        const known = pongs.get(node);
        pongs.set(node, {
          node,
          afterMs: known?.afterMs ?? now() - since,
          copies: name === UNNAMED ? 1 : Math.max(copy, known?.copies ?? 0),
        });
      }
      return complete();
    },
    complete,
    pongs: () => [...pongs.values()],
    waitedMs: () => now() - Math.min(now(), ...sentAt.values()),
  };
}

/** Stands for a worker whose reply is in a serialisation that is not read, where everybody was asked. */
const UNNAMED = "unnamed worker";

/** The node that sent this pong, if that node counts. */
function whoPonged(said: Said, asked: Asked): string | null {
  switch (said.kind) {
    case "read": {
      const counts = asked.kind === "nodes" ? asked.nodes.includes(said.node) : !isBeat(said.node);
      return counts && isPong(said.result) ? said.node : null;
    }
    case "unread":
      if (!said.bytes.includes("pong")) return null;
      if (asked.kind === "any") return UNNAMED;
      // One node was asked and the ticket is ours: nobody else can have it. Of several, the longest name that
      // stands in the bytes, as one name may be a part of another.
      if (asked.nodes.length === 1) return asked.nodes[0] ?? null;
      return (
        asked.nodes
          .filter((node) => said.bytes.includes(Buffer.from(node, "utf8").toString("latin1")))
          .sort((a, b) => b.length - a.length)[0] ?? null
      );
    case "over-bound":
      // A pong has 15 characters.
      return null;
    default:
      return said satisfies never;
  }
}
