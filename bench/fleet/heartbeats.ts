import type { Redis } from "ioredis";
import type { Server } from "../../test/world/server.ts";
import { heartbeatChannels } from "../../src/broker/keys.ts";
import { asObject, openEnvelope, parseJson } from "../../src/pidbox/envelope.ts";

/** The heartbeats of one node, as they come. */
export interface Heartbeats extends AsyncDisposable {
  /** Publishes the newest once more, as it is: fresh enough that nobody complains of clocks that drift. */
  readonly repeat: (redis: Redis) => Promise<number>;
}

/** Resolves when one has come, two seconds at the most after the worker is there. */
export async function hearHeartbeats(server: Server, node: string): Promise<Heartbeats> {
  const [channel = ""] = heartbeatChannels(0);
  const ear = server.client();
  let newest = "";
  const first = new Promise<void>((done) => {
    ear.on("message", (_channel: string, text: string) => {
      const event = asObject(parseJson(openEnvelope(text)?.body.toString("utf8") ?? ""));
      if (event?.["hostname"] !== node) return;
      newest = text;
      done();
    });
  });
  await ear.subscribe(channel);
  await first;
  return {
    repeat: (redis) => redis.publish(channel, newest),
    [Symbol.asyncDispose]: async () => {
      ear.disconnect();
      return Promise.resolve();
    },
  };
}
