import { describe, expect, test } from "vitest";
import type { BeatEvidence, BeatReason } from "../../src/beat/beat-verdict.ts";
import { failed, misused } from "../../src/commands/command.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { finding } from "../../src/doctor/levels.ts";
import type { Verdict } from "../../src/health/verdict.ts";
import type { Inspection } from "../../src/inspect/inspect-nodes.ts";
import { sortSettings } from "../../src/celery/every-setting.ts";
import type { Method } from "../../src/inspect/methods.ts";
import { beatDetails, beatJson, beatText } from "../../src/render/beat-text.ts";
import { doctorJson } from "../../src/render/doctor-json.ts";
import { PLAIN_CANVAS, summaryLines, topicLines } from "../../src/render/doctor-text.ts";
import { json, lines, page } from "../../src/render/gate.ts";
import { unknownSettingSentence } from "../../src/render/inspect-words.ts";
import { brokerLine, inspectText, remarks } from "../../src/render/inspect-text.ts";
import { unwrittenWords } from "../../src/render/install-words.ts";
import { checkJson, checkObject } from "../../src/render/json.ts";
import { reportJson, reportText } from "../../src/render/report-text.ts";
import { checkText, ignoredText } from "../../src/render/text.ts";
import { watchRows } from "../../src/render/watch-rows.ts";
import { watchLines } from "../../src/render/watch-text.ts";
import type { Report } from "../../src/report/gather-report.ts";
import { fleetView, nodeView, queueView } from "../fleet/views.ts";
import { fakeHost } from "../health/fake-host.ts";
import { planned } from "../health/planned.ts";
import { beating, evidence, known, looks, row, SEEN } from "../health/seen.ts";

/** A fence, markup, what a terminal obeys, C1, DEL, marks that turn text round or hide, half a character, a password. */
const HOSTILE =
  "a\n```\n<img src=x>\x1b]0;x\x07\x1b[31m\x9b2J\x7f\x85\u202e\u2066\u200b\u2028\u{e0001}\ud800 redis://app:s3cret@cache.internal/0";
const LONG = HOSTILE.repeat(2_000);

/** As a gate lets it through. */
const withoutPassword = (value: unknown) =>
  JSON.parse(JSON.stringify(value).replaceAll("app:s3cret@", "app:***@")) as object;

/** Whatever is shown of it, none of this stands in it but the ends of our own lines. */
const RAW = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

const FAILURE = {
  kind: "refused",
  cause: "other",
  command: "TYPE",
  detail: HOSTILE,
  where: HOSTILE,
} as const;

function checkReport(text: string, verdict: Verdict) {
  const plan = planned(fakeHost({ argv: ["--node=celery@web-1"] }));
  const connections = known([row({ command: text, flags: text })]);
  return {
    plan: {
      ...plan,
      asked: { kind: "nodes", nodes: [text, text] },
      broker: { ...plan.broker, shown: text, origin: { kind: "worker", name: text, pid: 5 } },
      writeBroker: { ...plan.broker, shown: text },
      replyTo: text,
      route: { ...plan.route, channel: text },
    },
    evidence: evidence(
      {
        node: text,
        process: { ...SEEN, words: text, pool: text },
        looks: looks(connections),
        heartbeats: beating({ version: text }),
      },
      {
        asking: {
          kind: "asked",
          pings: 2,
          via: { server: text, db: 0, tls: "none", channel: text },
          subscribers: 1,
          pongs: Array.from({ length: 30 }, () => ({ node: text, afterMs: 3, copies: 2 })),
          waitedMs: 3,
          over: true,
          cutShort: false,
        },
        otherExchange: text,
        stateFileProblem: text,
        notTaken: { because: "refused", detail: text },
        work: {
          lengths: new Map([[text, 3]]),
          ownerless: [text],
          nodes: [{ node: text, queues: [text], consumed: [text], tasks: { kind: "not-asked" } }],
        } as never,
      },
    ),
    verdict,
    isForgiven: false,
    elapsedMs: 9,
    unknownVariables: [text],
  } as const;
}

const about = (text: string) => ({ node: text, pid: 5 });
const VERDICTS: readonly ((text: string) => Verdict)[] = [
  (text) => ({ status: "healthy", reason: "alive", pongs: [{ node: text, afterMs: 3, copies: 2 }] }),
  (text) => ({
    status: "healthy",
    reason: "alive",
    pongs: [],
    shared: [{ node: text, ageS: 3, host: text, version: text }],
  }),
  (text) => ({
    status: "unknown",
    reason: "broker-refused",
    failure: { ...FAILURE, detail: text, where: text },
  }),
  (text) => ({
    status: "unknown",
    reason: "undecided",
    gap: { kind: "unrecognised", ...about(text), words: text },
  }),
  (text) => ({
    status: "unknown",
    reason: "undecided",
    gap: { kind: "misnamed", ...about(text), names: [text] },
  }),
  (text) => ({
    status: "unhealthy",
    reason: "stuck-task",
    ...about(text),
    task: text,
    id: text,
    ageS: 5,
    limitMs: 5,
  }),
  (text) => ({
    status: "unhealthy",
    reason: "not-consuming",
    ...about(text),
    queue: text,
    how: "cancelled",
    length: 3,
    pausedS: 5,
    unacked: 0,
  }),
];

const FINDINGS: readonly Finding[] = [
  finding("log", HOSTILE, {
    kind: "known",
    its: { kind: "child-killed", count: 2, hasEnded: false, last: HOSTILE },
    part: "whole",
    tasks: 0,
    knowing: [HOSTILE],
  }),
  finding("standstill", HOSTILE, {
    ...{ length: 9, nodes: [HOSTILE], slots: 1, free: 0, overS: 5, rated: null, behind: null },
    youngest: { name: HOSTILE, id: HOSTILE, ageS: 900 },
  }),
  finding("standstill", HOSTILE, {
    ...{ length: 9, nodes: [HOSTILE], slots: 1, free: 0, overS: 5, rated: null, youngest: null },
    behind: { tasks: [HOSTILE], subtasks: [HOSTILE] },
  }),
  finding("standstill", HOSTILE, {
    ...{ length: 9, nodes: [HOSTILE], slots: 1, free: 1, overS: 5, youngest: null, behind: null },
    rated: { deliveries: 1, tasks: [HOSTILE], perHour: 1 },
  }),
  finding("repeated-tasks", HOSTILE, {
    ...{ kind: "twice", nodes: [HOSTILE, HOSTILE], tasks: 2, visibilityS: 60 },
    task: { name: HOSTILE, id: HOSTILE, ageS: 900 },
  }),
  finding("repeated-tasks", HOSTILE, {
    ...{ kind: "retried", tasks: 2, retries: 60, task: { name: HOSTILE, id: HOSTILE } },
  }),
  finding("repeated-tasks", HOSTILE, { kind: "again", tasks: 2, task: { name: HOSTILE, id: HOSTILE } }),
  finding("elsewhere", HOSTILE, {
    ...{ db: 0, prefix: HOSTILE, queue: HOSTILE, length: 2, own: { db: 0, prefix: HOSTILE } },
  }),
  finding("prefetch", null, { held: 9, slots: 1, full: [HOSTILE], idle: [HOSTILE] }),
  finding("unregistered-task", null, { kind: "scheduled", entry: HOSTILE, task: HOSTILE, silent: 0 }),
  finding("siblings", HOSTILE, { kind: "shared", more: 1 }),
  finding("queue-binding", HOSTILE, {
    queue: HOSTILE,
    exchange: HOSTILE,
    type: "topic",
    routingKey: HOSTILE,
  }),
  finding("priority-lists", HOSTILE, {
    ...{ lists: [{ end: HOSTILE, length: 2 }], silent: 0 },
    read: [{ separator: HOSTILE, prioritySteps: [0] }],
  }),
  finding("queue-length", HOSTILE, { kind: "untold", queues: [HOSTILE], because: HOSTILE }),
  finding("unregistered-task", HOSTILE, {
    kind: "unknown",
    task: HOSTILE,
    knowing: [HOSTILE],
    ignorant: [HOSTILE],
    silent: 1,
  }),
  finding("broker", HOSTILE, {
    url: HOSTILE,
    from: HOSTILE,
    failure: FAILURE,
    wasWell: true,
    server: HOSTILE,
    follows: null,
    upS: 5,
  }),
];

const BEAT = {
  beats: [{ pid: 5, isEmbedded: false }],
  possible: [{ pid: 5, words: HOSTILE }],
  isInside: true,
  only: {
    ageS: 700,
    isFrozen: false,
    endedChild: null,
    schedule: { kind: "there", path: HOSTILE, writtenS: 5 },
    writtenAgoS: 900,
    maxAgeS: 600,
    answers: null,
    lock: { kind: "gone", key: HOSTILE, isNamed: true },
  },
} as unknown as BeatEvidence;

const VIEW = fleetView({
  broker: { shown: HOSTILE, trouble: { failure: FAILURE, sinceS: 1_799_999_995 }, rttS: null, reconnects: 0 },
  nodes: [nodeView({ node: HOSTILE, oldest: { name: HOSTILE, ageS: 5 } })],
  queues: [queueView({ queue: HOSTILE, length: 3, consumers: 0 })],
  nameless: 1,
});

/** Of each method, what a worker may answer. */
const ANSWERS: Readonly<Record<Method, unknown>> = {
  ping: { ok: HOSTILE },
  clock: { clock: HOSTILE },
  active: [{ name: HOSTILE, id: HOSTILE, args: HOSTILE, kwargs: { [HOSTILE]: HOSTILE } }],
  reserved: [{ name: HOSTILE, id: HOSTILE }],
  scheduled: [{ eta: HOSTILE, priority: HOSTILE, request: { name: HOSTILE, id: HOSTILE } }],
  query_task: { [HOSTILE]: [HOSTILE, { name: HOSTILE, id: HOSTILE }] },
  active_queues: [{ name: HOSTILE, exchange: { name: HOSTILE, type: HOSTILE }, routing_key: HOSTILE }],
  stats: {
    pool: { implementation: HOSTILE, processes: [HOSTILE] },
    broker: { hostname: HOSTILE },
    total: { [HOSTILE]: 2 },
  },
  registered: [HOSTILE],
  revoked: [HOSTILE],
  report: { ok: HOSTILE },
  conf: { [HOSTILE]: HOSTILE, list: [HOSTILE, HOSTILE] },
};

const INSPECTION: Inspection = {
  kind: "answered",
  results: new Map(),
  absent: [
    { kind: "silent", node: HOSTILE },
    { kind: "late", node: HOSTILE },
    { kind: "unread", node: HOSTILE },
  ],
  shared: [HOSTILE],
};

const canvas = (inColour: boolean) => {
  return { columns: Infinity, rows: Infinity, inColour, isUnicode: true, hasKeys: false };
};

test.each([
  ["at redis://app:s3cret@h/0, redis://h:6379/0", "at redis://app:***@h/0, redis://h:6379/0"],
  ["redis://:a/b@c@h;redis://:d@i/0,sentinel://x@j", "redis://:***@h;redis://:***@i/0,sentinel://***@j"],
  ["redis://:********@h and celery@web-1", "redis://:********@h and celery@web-1"],
  ["redis://[[user]:password@]host", "redis://[[user]:password@]host"],
  ["https://h/path?to=a@b", "https://h/path?to=a@b"],
])("%s is printed as %s", (text, shown) => {
  expect(lines([text])).toBe(`${shown}\n`);
});

describe("text from outside reaches a terminal as text, without the password of its URL, when it is printed by", () => {
  test.each<readonly [string, () => string]>([
    ...VERDICTS.map(
      (verdict, at) =>
        [
          `check, verdict ${at}`,
          () => page(checkText(checkReport(HOSTILE, verdict(HOSTILE)), true)),
        ] as const,
    ),
    ["a wrong command line", () => misused({ kind: "usage", sentence: HOSTILE }).stderr],
    ["a file that cannot be written", () => failed(unwrittenWords(HOSTILE, HOSTILE as never)).stderr],
    ["an unknown variable", () => lines([ignoredText(HOSTILE)])],
    [
      "doctor",
      () =>
        lines([
          ...topicLines(FINDINGS, PLAIN_CANVAS),
          ...summaryLines(FINDINGS, FINDINGS[0] ?? null, PLAIN_CANVAS),
        ]),
    ],
    [
      "beat",
      () =>
        page([
          beatText(BEAT, { status: "unhealthy", reason: "schedule-stale" }),
          ...beatDetails(BEAT, HOSTILE),
        ]),
    ],
    ["watch", () => lines(watchLines(VIEW, canvas(false)))],
    ["watch's rows", () => lines(watchRows(VIEW))],
    ["inspect's remarks", () => lines(remarks("active", INSPECTION, HOSTILE))],
    ["inspect without a broker", () => failed(brokerLine(HOSTILE, FAILURE)).stderr],
    ...Object.entries(ANSWERS).map(
      ([method, answer]) =>
        [
          `inspect ${method}`,
          () =>
            lines(
              inspectText(method as Method, new Map([[HOSTILE, answer]]), {
                nowS: 1_800_000_000,
                poolIn: () => HOSTILE,
                conf: { sort: sortSettings, asked: null, isAll: true },
              }),
            ),
        ] as const,
    ),
    [
      "inspect of one setting",
      () =>
        lines(
          inspectText(
            "conf",
            new Map<string, unknown>([
              [HOSTILE, { [HOSTILE]: HOSTILE }],
              ["without", {}],
            ]),
            {
              nowS: 0,
              poolIn: () => HOSTILE,
              conf: { sort: sortSettings, asked: HOSTILE, isAll: false },
            },
          ),
        ),
    ],
    ["a setting that no application has", () => failed(unknownSettingSentence(HOSTILE, [HOSTILE])).stderr],
    [
      "an inspect that fails",
      () =>
        lines(
          inspectText("stats", new Map([[HOSTILE, { error: HOSTILE }]]), {
            nowS: 0,
            poolIn: () => HOSTILE,
            conf: { sort: sortSettings, asked: null, isAll: true },
          }),
        ),
    ],
  ])("%s", (_, printed) => {
    const text = printed();
    expect(text).not.toMatch(RAW);
    expect(text).not.toContain("s3cret");
    expect(text).toContain("\\x0a");
  });

  test.each(["doctor", "watch"])("%s in colour has only our own sequences", (command) => {
    const shown =
      command === "doctor"
        ? topicLines(FINDINGS, { columns: null, inColour: true })
        : watchLines(VIEW, canvas(true));
    const text = lines(shown, true);
    expect(text.replace(/\x1b\[(?:\d\dm|\dm)/g, "")).not.toMatch(RAW);
    expect(text).not.toContain("s3cret");
  });

  test("a line of a megabyte is shortened, and says so", () => {
    const text = lines([LONG.repeat(10)]);
    expect(text).toContain("…");
    expect(text.length).toBeLessThan(150_000);
    expect(Buffer.byteLength(page([LONG, LONG]))).toBeLessThanOrEqual(4_096);
  });
});

describe("JSON has no invisible character, and parses to the original value, in the output of", () => {
  const REASONS: readonly BeatReason[] = ["schedule-stale", "unrecognised", "lock-gone"];
  test.each<readonly [string, () => string]>([
    ["check", () => json(checkObject(checkReport(HOSTILE, (VERDICTS[1] as (typeof VERDICTS)[0])(HOSTILE))))],
    ["doctor", () => doctorJson(FINDINGS, 5)],
    ...REASONS.map(
      (reason) => [`beat, ${reason}`, () => beatJson(BEAT, { status: "unhealthy", reason }, 5)] as const,
    ),
    ["inspect", () => json(ANSWERS)],
  ])("%s", (_, printed) => {
    const text = printed();
    expect(text).not.toMatch(RAW);
    expect(text.trimEnd()).not.toContain("\n");
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  test("an answer, in which only passwords of URLs change", () => {
    expect(JSON.parse(json(ANSWERS))).toEqual(withoutPassword(ANSWERS));
    expect(JSON.parse(json({ [HOSTILE]: LONG }))).toEqual(withoutPassword({ [HOSTILE]: LONG }));
  });

  test("a node whose name is its broker's URL, which is masked", () => {
    const url = "redis://u:s3cretpw@h";
    expect(JSON.parse(json({ [`a@${url}`]: [{ said: `"${url}"`, count: 1 }] }))).toEqual({
      "a@redis://u:***@h": [{ said: '"redis://u:***@h"', count: 1 }],
    });
  });
});

describe("the check's JSON keeps to 4,096 bytes when", () => {
  test.each(VERDICTS.map((verdict, at) => [at, verdict] as const))(
    "all of its texts are long, verdict %i",
    (_, verdict) => {
      const text = checkJson(checkReport(LONG, verdict(LONG)));
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
      const { status, reason } = verdict(LONG);
      expect(JSON.parse(text)).toMatchObject({ schema: 1, status, reason, shortened: true });
      expect(text).not.toMatch(RAW);
    },
  );

  test("a beat's schedule file has a long path", () => {
    const long = { ...BEAT, only: { ...BEAT.only, schedule: { kind: "there", path: LONG, writtenS: 5 } } };
    const text = beatJson(long as never, { status: "unhealthy", reason: "schedule-stale" }, 5);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
    expect(JSON.parse(text)).toMatchObject({ schema: 1, shortened: true });
  });

  test("nothing is long, so nothing is left out", () => {
    const report = checkReport("celery@web-1", (VERDICTS[0] as (typeof VERDICTS)[0])("celery@web-1"));
    expect(JSON.parse(checkJson(report))).not.toHaveProperty("shortened");
  });
});

describe("a report in Markdown", () => {
  const part = {
    software: HOSTILE,
    stats: { [HOSTILE]: HOSTILE },
    conf: null,
    active_queues: null,
    registered: null,
  };
  const REPORT: Report = {
    probe: { version: "0.1.0", runtime: "Node", host: HOSTILE, at_s: 1_800_000_000 },
    nodes: { [HOSTILE]: { ...part, active: null } },
    broker: { server: { [HOSTILE]: HOSTILE } },
    processes: [],
    machine: { kernel: HOSTILE },
    environment: { [HOSTILE]: HOSTILE },
  };
  const check = checkReport(HOSTILE, (VERDICTS[1] as (typeof VERDICTS)[0])(HOSTILE));

  test("keeps every text from outside in its block or its code span", () => {
    const text = reportText(REPORT, check, FINDINGS, FINDINGS[0] ?? null, (one) => one);
    expect(text).not.toMatch(RAW);
    expect(text).not.toContain("s3cret");
    // What is left when the blocks are taken out, each from its fence to the next of the same length.
    const outside = text.replace(/^(`{3,})\n(?:.*\n)*?\1$/gm, "");
    const rest = outside.replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
    expect(rest).not.toMatch(/<img|```/);
    expect(outside.match(/^## /gm)).toHaveLength(7);
    expect(outside.match(/^### /gm)).toHaveLength(1);
  });

  test("has JSON without invisible characters", () => {
    const text = reportJson(REPORT, checkObject(check), FINDINGS, (one) => one);
    expect(text).not.toMatch(RAW);
    expect(JSON.parse(text)).toMatchObject(withoutPassword({ report: "celery-probe", nodes: REPORT.nodes }));
  });
});
