import type { Expected } from "../pidbox/decoding.ts";
import { type Answer, isPong, type Said } from "../pidbox/message.ts";
import { isBeat } from "../celery/node-name.ts";
import type { Pong } from "./evidence.ts";
import type { Asked } from "./asked.ts";

/**
 * The longest reply that may be a pong, in characters. A pong with its envelope has 500. A longer reply is not decoded.
 */
const LONGEST_PONG = 65_536;

/** The nodes that have answered our pings so far. */
export interface Roll {
  /** Notes that a ping with this ticket has been published. */
  readonly sent: (ticket: string) => void;
  /** Adds nodes that were found later and are asked too. */
  readonly add: (nodes: readonly string[]) => void;
  /** The replies that may be pongs for these pings. */
  readonly expected: Expected;
  /** Notes replies, each of which is given once. Returns whether all asked nodes have answered. */
  readonly see: (answers: readonly Answer[]) => boolean;
  readonly complete: () => boolean;
  readonly pongs: () => readonly Pong[];
  /** Milliseconds since the first ping. */
  readonly waitedMs: () => number;
}

/**
 * Keeps count of the nodes that answer. A pong counts if it has one of our tickets. If nodes were named, it must come
 * from one of them. A beat under its default name counts only if it was named. A pong for an earlier ping of this run
 * counts too.
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
        // If answers to one ticket have no readable name, each comes from another worker.
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

/** Stands for a worker whose reply has a serialisation that we do not read, if all workers were asked. */
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
      // Only one node was asked, and the ticket is ours, so no other node can have it. If several nodes were asked,
      // take the longest name that the bytes contain, because one name may be a part of another.
      if (asked.nodes.length === 1) return asked.nodes[0] ?? null;
      return (
        asked.nodes
          .filter((node) => said.bytes.includes(Buffer.from(node, "utf8").toString("latin1")))
          .sort((a, b) => b.length - a.length)[0] ?? null
      );
    case "over-bound":
      // A pong has 15 characters, so this is not a pong.
      return null;
    default:
      return said satisfies never;
  }
}
