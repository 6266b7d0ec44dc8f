import { expect, test } from "vitest";
import { observe } from "../../src/watch/observe.ts";
import { type Broker, fakeHost, heartbeat, ok, type Published } from "../health/fake-host.ts";
import { planned } from "../health/planned.ts";

const NODE = "celery@dead";
const CHANNEL = "/0.celeryev/worker.heartbeat";

/** Nobody is subscribed, and every queue is empty. */
const silent: Broker = (commands) =>
  commands.map(([name]) => {
    switch (name) {
      case "TYPE":
        return ok("none");
      case "MULTI":
        return ok("OK");
      case "EXEC":
        return ok([1, "OK", 1, [""], 0]);
      case "LRANGE":
        return ok(commands.length > 1 ? "QUEUED" : [""]);
      case "LLEN":
        return ok(0);
      case "PING":
        return ok("PONG");
      default:
        return ok("QUEUED");
    }
  });

test("a node that is not heard any more is silent, is forgotten, and never comes back by itself", async () => {
  const last = 10_000;
  const end = 1_500_000;
  // Another one that is well: else the connection that hears would be made anew.
  const times = Array.from({ length: end / 2_000 }, (_, number) => (number + 1) * 2_000);
  const events = times.flatMap((time): readonly Published[] => [
    [time, CHANNEL, heartbeat("celery@well")],
    ...(time <= last ? [[time, CHANNEL, heartbeat(NODE)] as const] : []),
  ]);
  const host = fakeHost({ broker: silent, events, argv: ["--any", "--placement", "remote"] });
  const observer = observe(planned(host), planned(host).place, host, { nodes: [], queues: [] });
  const seen: [sinceS: number, state: string][] = [];
  while (host.now() < end) {
    const { nodes } = await observer.look();
    seen.push([(host.now() - last) / 1_000, nodes.find(({ node }) => node === NODE)?.state.kind ?? ""]);
    await host.pause(2_000);
  }
  observer.close();
  const states = (from: number, to: number) =>
    new Set(seen.filter(([since]) => since > from && since < to).map(([, state]) => state));
  expect(states(-4, 5)).toEqual(new Set(["alive"]));
  expect(states(10, 590)).toEqual(new Set(["silent"]));
  expect(states(610, 1_500)).toEqual(new Set([""]));
});
