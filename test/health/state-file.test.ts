import { describe, expect, test } from "vitest";
import { gather } from "../../src/health/check.ts";
import type { NodeEvidence } from "../../src/health/evidence.ts";
import { openStateFile, readStateFile } from "../../src/health/state-file.ts";
import { fakeProc } from "../worker/fake-proc.ts";
import { brokerWith, fakeHost, reply } from "./fake-host.ts";
import { procWith, WORKER } from "./fake-worker.ts";
import { configured, planned, planning } from "./planned.ts";
import { ASKED, beating, evidence, looks, NODE, NOBODY, PONG, processLook, RULES } from "./seen.ts";

const PATH = "/run/probe.json";
/** Seconds of the machine's uptime. */
const NOW = 1_000_000;
const UPTIME = { "/proc/uptime": `${NOW}.70 0.00\n` };
const KEY = `${NODE} 12 700`;

const stateText = (since: Record<string, unknown>) =>
  `${JSON.stringify({ schema: 2, silent_since: since })}\n`;

/** A file with this text; `undefined`: none, `null`: one that may not be read. */
function opened(text: string | null | undefined, writeProblem?: string) {
  const proc = fakeProc([], { ...UPTIME, ...(text === undefined ? {} : { [PATH]: text }) });
  const problem = writeProblem === undefined ? {} : { writeProblem };
  const argv = [`--state-file=${PATH}`];
  const host = fakeHost({ argv, proc: () => proc, ...problem });
  const file = readStateFile(configured(host)["state-file"], host);
  if (!file.ok) throw new Error(file.problem.sentence);
  return { state: openStateFile(file.value, host), host };
}

const worker = { pid: 12, startTicks: 700 } as Parameters<ReturnType<typeof openStateFile>["silentForS"]>[1];

/** Connected, and for how long it has been silent cannot be seen: what the file is for. */
const silent: Partial<NodeEvidence> = {
  looks: looks({ kind: "unknown", because: "translated", established: true, elsewhere: [] }),
};
const answered = { asking: { ...ASKED, pongs: [PONG] } };
const answeredAtOnce = evidence({ process: { kind: "unexamined" }, looks: [] }, answered);

describe("the state file", () => {
  test("is neither read nor written when none was asked for", () => {
    const host = fakeHost({});
    const state = openStateFile(null, host);
    expect(state.silentForS(NODE, worker)).toBeNull();
    expect(state.note(evidence(silent), RULES)).toBeNull();
    expect(host.written).toEqual([]);
  });

  test("tells for how long a process has been silent when it was noted", () => {
    const { state } = opened(stateText({ [KEY]: NOW - 360, "celery@web-1 13 700": NOW, odd: "x" }));
    expect(state.silentForS(NODE, worker)).toBe(360);
    expect(state.silentForS("celery@web-2", worker)).toBeNull();
    expect(state.silentForS(NODE, { ...worker, startTicks: 701 })).toBeNull();
  });

  test.each([
    ["there is none", undefined],
    ["it may not be read", null],
    ["it is no JSON", "{"],
    ["it is another's", '{"silent_since":{}}'],
    ["its form is of another version", JSON.stringify({ schema: 1, silent_since: { [KEY]: NOW - 9 } })],
    ["its note is no number", stateText({ [KEY]: "9" })],
    ["its note lies in the future", stateText({ [KEY]: NOW + 9 })],
  ])("tells nothing when %s", (_, text) => {
    expect(opened(text).state.silentForS(NODE, worker)).toBeNull();
  });

  test.each([
    ["there is none", undefined],
    ["it is empty", ""],
    ["a crash of the machine has left zeros", "\0".repeat(90)],
    ["it is of another version", JSON.stringify({ schema: 1, notes: [] })],
  ])("notes now when a worker is silent for a time that cannot be seen and %s", (_, text) => {
    const { state, host } = opened(text);
    expect(state.note(evidence(silent), RULES)).toBeNull();
    expect(host.written).toEqual([[PATH, stateText({ [KEY]: NOW })]]);
  });

  test.each([
    ["busy", 60],
    ["hung", 400],
  ])("keeps what it noted first when the worker is %s by it", (_, forS) => {
    const { state, host } = opened(stateText({ [KEY]: NOW - forS }));
    state.note(evidence({ ...silent, silentSinceS: forS }), RULES);
    expect(host.written).toEqual([]);
  });

  test.each([
    ["answers after it was looked at", evidence(silent, answered)],
    ["answers at once", answeredAtOnce],
    ["is gone", evidence({ process: NOBODY })],
    ["turns without an answer", evidence({ heartbeats: beating({ active: 1 }) })],
  ])("is removed when the worker %s", (_, seen) => {
    const { state, host } = opened(stateText({ [KEY]: NOW - 60 }));
    state.note(seen, RULES);
    expect(host.written).toEqual([[PATH, null]]);
  });

  test.each([
    ["is stopped", 60, evidence({ looks: looks(null, processLook({ state: "stopped" })) }), 0],
    ["shows its silence by its connections", null, evidence(), 90],
    ["has written since, by its connections", 400, evidence(), 90],
  ])("notes anew since when a worker may be silent at the earliest when it %s", (_, noted, seen, forS) => {
    const { state, host } = opened(noted === null ? undefined : stateText({ [KEY]: NOW - noted }));
    state.note(seen, RULES);
    expect(host.written).toEqual([[PATH, stateText({ [KEY]: NOW - forS })]]);
  });

  test.each([88, 92])(
    "is not written when its connections show the same silence, and it notes %d s",
    (forS) => {
      const { state, host } = opened(stateText({ [KEY]: NOW - forS }));
      state.note(evidence(), RULES);
      expect(host.written).toEqual([]);
    },
  );

  test("is left as it is when nothing is known of the worker", () => {
    const { state, host } = opened(stateText({ [KEY]: NOW - 60 }));
    state.note(evidence({}, { asking: { kind: "no-time" } }), RULES);
    expect(host.written).toEqual([]);
  });

  test("keeps the notes of other nodes when one answers", () => {
    const other = { "celery@web-10 30 900": NOW - 5 };
    const { state, host } = opened(stateText({ [KEY]: NOW - 60, ...other }));
    state.note(answeredAtOnce, RULES);
    expect(host.written).toEqual([[PATH, stateText(other)]]);
  });

  test("forgets the process before when the node is another process and answers", () => {
    const { state, host } = opened(stateText({ [`${NODE} 9 100`]: NOW - 60 }));
    state.note(answeredAtOnce, RULES);
    expect(host.written).toEqual([[PATH, null]]);
  });

  test.each([
    ["may not be read", null, /^it could not be read \(EACCES\)$/],
    ["is no JSON", "SECRET_KEY = 1", /^it holds what celery-probe has not written: expected /],
    [
      "is nested deeper than a stack",
      `{"schema":2,"silent_since":{"odd":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
      /^it holds what celery-probe has not written: /,
    ],
    ["is JSON of another program", '{"debug":true}', /^it holds what celery-probe has not written: /],
  ])("is not replaced, which every run says, when it %s", (_, text, because) => {
    const { state, host } = opened(text);
    expect(state.note(evidence(silent), RULES)).toMatch(because);
    expect(state.note(answeredAtOnce, RULES)).toMatch(because);
    expect(host.written).toEqual([]);
  });

  test("drops foreign notes", () => {
    const { state, host } = opened(`{"schema":2,"silent_since":{"odd":[[]],"${KEY}":${NOW - 60}}}`);
    expect(state.silentForS(NODE, worker)).toBe(60);
    state.note(answeredAtOnce, RULES);
    expect(host.written).toEqual([[PATH, null]]);
  });

  test("is refused when it is no regular file", () => {
    const host = fakeHost({ argv: [`--state-file=${PATH}`], odd: { [PATH]: "a device" } });
    expect(planning(host)).toMatchObject({
      problem: {
        sentence: `--state-file '${PATH}' is a device: expected a file of its own, or a name that is free`,
      },
    });
  });

  test("says in the system's words what went wrong when it cannot be written", () => {
    const { state } = opened(undefined, "EROFS: read-only file system");
    expect(state.note(evidence(silent), RULES)).toBe("EROFS: read-only file system");
  });
});

test("a silence counts from its own beginning when the worker answered since the one before", async () => {
  const proc = procWith([{ ...WORKER, pid: 12 }], {
    ...UPTIME,
    [PATH]: stateText({ [`${NODE} 12 5000`]: NOW - 3_000 }),
  });
  const host = fakeHost({
    argv: [`--state-file=${PATH}`],
    broker: brokerWith(1, () => [reply(NODE, "uuid-1")]),
    proc: () => proc,
  });
  const { stateFileProblem } = await gather(planned(host), host);
  expect(stateFileProblem).toBeNull();
  expect(host.written).toEqual([[PATH, null]]);
});
