import { cutMark, END_BYTES } from "../../src/broker/cut-text.ts";
import { type Exchange, takeTurns, type WireCommand } from "../../src/broker/turns.ts";
import { success } from "../../src/outcome.ts";
import type { Channel, Reply } from "../../src/broker/channel.ts";

const REFUSED: Reply = { ok: false, error: "ERR unknown command" };

/** Lists as Redis keeps them, with their times to live, for connections whose commands interleave. */
export class FakeLists {
  readonly #lists = new Map<string, readonly string[]>();
  readonly #expiring = new Set<string>();
  readonly #hear: (message: string) => void;
  readonly #wholeAtOnce: number;

  /**
   * @param hear what is published
   * @param wholeAtOnce so many elements of a reply are passed on as a whole, and of longer ones behind them the ends
   */
  constructor(hear: (message: string) => void, wholeAtOnce = Infinity) {
    this.#hear = hear;
    this.#wholeAtOnce = wholeAtOnce;
  }

  list(key: string): readonly string[] {
    return this.#lists.get(key) ?? [];
  }

  keys(): readonly { readonly key: string; readonly expires: boolean }[] {
    return [...this.#lists.keys()].map((key) => ({ key, expires: this.#expiring.has(key) }));
  }

  /** A worker's reply. */
  push(key: string, element: string): void {
    this.#keep(key, [element, ...this.list(key)]);
  }

  /** @param turn resolves when it is this connection's turn to be served */
  connect(turn: () => Promise<void>): Channel {
    let queued: WireCommand[] | null = null;
    const serve = (command: WireCommand): Reply => {
      if (command[0] === "MULTI") {
        queued = [];
        return ok("OK");
      }
      if (command[0] === "EXEC") {
        const results = (queued ?? []).map((one) => this.#run(one));
        queued = null;
        return ok(results.map((one) => (one.ok ? one.value : null)));
      }
      if (queued === null) return this.#run(command);
      queued.push(command);
      return ok("QUEUED");
    };
    const exchange: Exchange = async (commands) => {
      await turn();
      return success(commands.map(serve));
    };
    return { ...takeTurns(exchange, () => 0), ends: () => null, close: () => undefined };
  }

  #run([name, key = "", a = "", b = ""]: WireCommand): Reply {
    const list = this.list(String(key));
    switch (name) {
      case "TYPE":
        return ok(list.length === 0 ? "none" : "list");
      case "RPUSH":
        return this.#keep(String(key), [...list, String(a)]);
      case "LTRIM":
        return this.#keep(String(key), list.slice(Number(a), Number(b) + 1));
      case "LREM": {
        const at = list.indexOf(String(b));
        return this.#keep(String(key), at === -1 ? list : list.toSpliced(at, 1));
      }
      case "EXPIRE":
        if (list.length > 0) this.#expiring.add(String(key));
        return ok(1);
      case "LRANGE":
        return ok(
          list
            .slice(Number(a), Number(b) + 1)
            .map((element, at) => (at < this.#wholeAtOnce ? element : cut(element))),
        );
      case "PUBLISH":
        this.#hear(String(a));
        return ok(1);
      default:
        return REFUSED;
    }
  }

  /** An empty list is none, and its time to live goes with it. */
  #keep(key: string, list: readonly string[]): Reply {
    if (list.length > 0) this.#lists.set(key, list);
    else {
      this.#lists.delete(key);
      this.#expiring.delete(key);
    }
    return ok(list.length);
  }
}

/** As the gate passes it on. */
function cut(element: string): string {
  const { length } = element;
  if (length <= 2 * END_BYTES) return element;
  return `${element.slice(0, END_BYTES)}${cutMark(length)}${element.slice(-END_BYTES)}`;
}

function ok(value: unknown): Reply {
  return { ok: true, value };
}
