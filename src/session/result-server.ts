import type { BrokerFailure } from "../broker/failure.ts";
import { findServer } from "../broker/find-server.ts";
import type { Located } from "../broker/settings.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { Send } from "./scan.ts";

/** A connection to the server that keeps the results. */
interface ResultServer {
  readonly send: Send;
  readonly close: () => void;
}

/** Each command, and the connection itself, may take `connectMs` milliseconds. */
export async function connectToResults(
  located: Located,
  host: Host,
  deadline: Deadline,
  connectMs: number,
): Promise<Outcome<ResultServer, BrokerFailure>> {
  const isTheWorkers = () => Promise.resolve(false);
  const found = await findServer(located, { ...host, connectMs, leftMs: deadline.left, isTheWorkers });
  if (!found.ok) return found;
  const { channel } = found.value;
  return success({
    send: (commands) => channel.send(commands, deadline.atMost(connectMs)),
    close: () => {
      channel.close();
    },
  });
}
