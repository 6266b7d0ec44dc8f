import { expect, test } from "vitest";
import type { HttpStream } from "../../src/machine/parts.ts";
import { startEvents } from "../../src/serve/events.ts";
import { fakeClock } from "../health/fake-clock.ts";
import { fleet } from "./fleet.ts";

/** Events of views that are counted, on a clock of their own. */
function started() {
  const clock = fakeClock(0);
  const listeners = new Set<() => void>();
  const source = {
    view: () => fleet([]),
    onView(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  let views = 0;
  const events = startEvents(source, () => Buffer.from(`view ${++views}`), clock);
  const look = () => {
    for (const listener of listeners) listener();
  };
  return { clock, events, look, listeners };
}

function client(isBehind = false): HttpStream & { readonly said: string[] } {
  const said: string[] = [];
  return { said, send: (bytes) => said.push(Buffer.from(bytes).toString()), isBehind: () => isBehind };
}

test("a client is told when it comes and when a look has ended, at most once a second, until it goes", async () => {
  const { clock, events, look } = started();
  const one = client();
  const leave = events.add(one);
  look();
  look();
  await clock.pause(999);
  look();
  await clock.pause(1);
  look();
  leave();
  await clock.pause(2_000);
  look();
  expect(one.said).toEqual(["view 1", "view 2", "view 3"]);
  events.close();
});

test("a comment comes after 15 s without a view, except to a client that is behind", async () => {
  const { clock, events, look } = started();
  const [prompt, slow] = [client(), client(true)];
  events.add(prompt);
  events.add(slow);
  await clock.pause(15_001);
  expect(prompt.said).toEqual(["view 1", ": still here\n\n"]);
  expect(slow.said).toEqual(["view 2"]);
  look();
  await clock.pause(14_998);
  expect(prompt.said.at(-1)).toBe("view 3");
  events.close();
});

test("nobody is told anything at the end", async () => {
  const { clock, events, look, listeners } = started();
  const one = client();
  events.add(one);
  events.close();
  expect(listeners.size).toBe(0);
  look();
  await clock.pause(40_000);
  expect(one.said).toEqual(["view 1"]);
});
