import { expect, test } from "vitest";
import { type LogLevel, recordsOf } from "../../src/celery/log-records.ts";

test.each<readonly [string, LogLevel | null]>([
  ["[2026-11-25 10:00:00,000: ERROR/MainProcess] words", "error"],
  ["[2026-11-25 10:00:00,000: INFO/ForkPoolWorker-1] shop.mail[1]: ERROR in the upload", "info"],
  ["\x1b[31;1m[2026-11-25 10:00:00,000: CRITICAL/MainProcess] words\x1b[0m", "critical"],
  ["worker-1  | [2026-11-25 10:00:00,000: WARNING/MainProcess] words", "warning"],
  ["2026-11-25T10:00:00.123456789Z [2026-11-25 10:00:00,000: DEBUG/MainProcess] words", "debug"],
  ["2026-11-25T10:00:00.123456789+01:00 stderr F [2026-11-25 10:00:00,000: ERROR/MainProcess] w", "error"],
  ["Nov 25 10:00:00 web-1 celery[12]: [2026-11-25 10:00:00,000: ERROR/MainProcess] words", "error"],
  ["ERROR:shop.tasks:words", "error"],
  ["2026-11-25 10:00:00,000 shop.tasks ERROR words", "error"],
  ["2026-11-25 10:00:00,000 - shop - WARNING - words", "warning"],
  ["2026-11-25 10:00:00.000 | SUCCESS  | shop.tasks:mail:12 - words", "info"],
  ["2026-11-25T10:00:00.000000Z [error    ] words   [shop] task=mail", "error"],
  ["\x1b[2m2026-11-25T10:00:00Z\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] words", "info"],
  ['ts=2026-11-25T10:00:00Z level=error msg="INFO of the upload"', "error"],
  ['{"level": "INFO", "message": "words"}', "info"],
  ['{"message": "ERROR of the upload", "exc_info": "Traceback", "levelname": "INFO"}', "info"],
  ['{"severity": "ERROR", "message": "words"}', "error"],
  ['{"@timestamp": "2026-11-25T10:00:00Z", "log.level": "warning", "message": "words"}', "warning"],
  ['{"@timestamp": "2026-11-25T10:00:00Z", "log": {"level": "error"}, "message": "words"}', "error"],
  ['{"event": "words", "level": "critical", "timestamp": "2026-11-25T10:00:00Z"}', "critical"],
  ['{"levelno": 20, "level": 20, "message": "words"}', "info"],
  ['{"level": 40, "msg": "words"}', "error"],
  [
    '{"text": "words", "record": {"level": {"icon": "i", "name": "INFO", "no": 20}, "message": "words"}}',
    "info",
  ],
  ['{"message": "words"}', null],
  ['{"message": "cut', null],
  ["words", null],
  ["ValueError: ERROR 5", null],
  ["shop.errors.PaymentError: INFO", null],
])("the level of %j is %j", (line, level) => {
  expect(recordsOf(line)).toMatchObject([{ level }]);
});

const TRACEBACK = [
  "Traceback (most recent call last):",
  '  File "/app/shop.py", line 1, in mail',
  "OSError: words",
];

test("a traceback belongs to the record before it, not to the next", () => {
  const lines = [
    "[2026-11-25 10:00:00,000: INFO/MainProcess] words",
    ...TRACEBACK,
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    ...TRACEBACK,
    "[2026-11-25 10:00:00,000: ERROR/MainProcess] more",
  ];
  expect(recordsOf(lines.join("\r\n"))).toEqual([
    { level: "info", isCrash: false, text: lines.slice(0, -1).join("\n") },
    { level: "error", isCrash: false, text: lines.at(-1) },
  ]);
});

test("a traceback that ended the program does not belong to the record above it", () => {
  const crash = [
    "Traceback (most recent call last):",
    '  File "/venv/bin/celery", line 8, in <module>',
    "OSError: w",
  ];
  const found = recordsOf(["INFO:celery:words", ...crash, "words"].join("\n"));
  expect(found).toEqual([
    { level: "info", isCrash: false, text: "INFO:celery:words" },
    { level: null, isCrash: true, text: crash.join("\n") },
    { level: null, isCrash: false, text: "words" },
  ]);
});

test("lines without a level are one record each, and a whole traceback is one", () => {
  expect(recordsOf(["a", "b", ...TRACEBACK, "c"].join("\n")).map(({ text }) => text)).toEqual([
    "a",
    "b",
    TRACEBACK.join("\n"),
    "c",
  ]);
});
