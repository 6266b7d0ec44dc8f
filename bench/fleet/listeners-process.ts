// A process of scripted subscribers: what a worker is to Redis, without a worker's cost. It reads and does not look.
// Arguments: port, channel, how many. It says how many listen, and ends when its parent is gone.
import { connect } from "node:net";
import { setPriority } from "node:os";

/** At once: the server's backlog of connections that wait to be accepted is 511. */
const AT_ONCE = 100;

const [port = "", channel = "", count = ""] = process.argv.slice(2);
// Real subscribers have processors of their own: these stand back for a real worker and for Redis.
setPriority(19);
process.on("disconnect", () => process.exit());

/** All sockets read into it. */
const buffer = Buffer.allocUnsafe(65_536);
// As a worker: PSUBSCRIBE, with the channel as the pattern (kombu/transport/redis.py, `Channel._subscribe`).
const subscription = ["PSUBSCRIBE", channel]
  .map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  .join("");

let listening = 0;
while (listening < Number(count)) {
  const batch = Math.min(AT_ONCE, Number(count) - listening);
  await Promise.all(Array.from({ length: batch }, subscribe));
  listening += batch;
}
process.send?.({ listening });

function subscribe(): Promise<void> {
  return new Promise((done) => {
    const socket = connect({
      host: "127.0.0.1",
      port: Number(port),
      onread: {
        buffer,
        callback: () => {
          done(); // the confirmation is the first that comes
          return true;
        },
      },
    });
    socket.on("error", fail);
    socket.on("close", fail);
    socket.write(`*2\r\n${subscription}`);
  });
}

/** A subscriber that is gone would make the rest look cheap. */
function fail(error: unknown): never {
  console.error(`a subscriber lost its connection: ${String(error)}`);
  process.exit(1);
}
