import { describe, expect, test } from "vitest";
import { parseClientList } from "../src/broker/client-list.ts";
import { hiding } from "../src/broker/masking.ts";
import { parseBrokerUrl, redact } from "../src/broker/url.ts";
import { knownLines } from "../src/celery/known-lines.ts";
import { maskText } from "../src/inspect/mask-text.ts";
import { secrecyOf } from "../src/inspect/secret-names.ts";
import { decodeReply } from "../src/pidbox/message.ts";
import { parsePythonJson } from "../src/pidbox/python-json.ts";
import { line } from "../src/render/gate.ts";
import { hiderOf, maskedVariable, maskedWords, passwordsIn, scrub } from "../src/report/mask.ts";
import { readCommandLine } from "../src/worker/command.ts";
import { decodeHeartbeat } from "../src/celery/heartbeat.ts";
import { expressionsIn } from "./expressions.ts";

/**
 * Text from a broker, a log, /proc, the environment or a command line may be long and hostile. What is linear takes
 * eight times as long for eight times as much, what is quadratic 64 times.
 */
const [SHORT, LONG] = [10_000, 80_000];
const MOST_GROWTH = 24;

/** Milliseconds of this thread below which nobody asks how they grow: quadratic takes more for a short text. */
const FAST_MS = 2;

/** Milliseconds that a tenth of a short text may take. */
const TOO_SLOW_MS = 50;

function cpuMs(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** The factor by which the time grows from a short text to a long one; 0 where the short one takes none. */
function growth(work: (text: string) => unknown, shape: string): number {
  const texts = [SHORT, LONG].map((length) => shape.repeat(Math.ceil(length / shape.length)));
  const best = (text: string, rounds: number) =>
    Math.min(...Array.from({ length: rounds }, () => cpuMs(() => work(text))));
  const [short = "", long = ""] = texts;
  // Cubic never comes back from a short text.
  if (cpuMs(() => work(short.slice(0, SHORT / 10))) > TOO_SLOW_MS) return Infinity;
  if (cpuMs(() => work(short)) < FAST_MS) return 0;
  const shortMs = best(short, 3);
  if (shortMs < FAST_MS) return 0;
  const first = best(long, 1) / shortMs;
  // One run may have met the garbage collector: only what is slow each time is slow.
  return first > MOST_GROWTH ? best(long, 3) / shortMs : first;
}

/** Texts that are repeated: what has made expressions slow, here or elsewhere. */
const SHAPES = [
  ...Array.from("aA0f ._-:/@%#?&=;,'\"`\\()[]{}<>|*+~$^!\0\n\té€"),
  ..."a. .a 0. 0.0. 01 aA a: :a a/ // /a a@ @a a= =a a_ a- -- a' 'a' \" a\" '' \"\" \\\" \\' '\\ [] {} () (( [{ {[ [, ,[ {\"a\":".split(
    " ",
  ),
  ...[
    "://",
    "a://",
    "a://b@",
    "redis://",
    "redis://:a@b;",
    "https://a/b,",
    "a=",
    "password=",
    "password='",
    "pass",
    "secret",
  ],
  ...[
    "token",
    "'a':",
    "'password':",
    "'password':[",
    "key: ",
    "Bearer ",
    "Token a ",
    "eyJ",
    "eyJ-",
    "eyJa.",
    "SG.",
    "sk_",
    "xox",
  ],
  ...[
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "-----END ",
    "12345678901234567",
    "Infinity",
    "NaN ",
    "-Infinity,",
  ],
  ...[
    "celery",
    "python",
    "[celeryd: ",
    "(",
    "-------------- a@",
    "a@b ready",
    "Cannot connect to ",
    "%(",
    "::ffff:",
    "1.2.3.4",
  ],
  ...[
    "Traceback (most recent call last):\n",
    '  File "/venv/bin/celery", line 1\n',
    'Traceback (most recent call last):\n  File "/venv/bin/celery", line 1\n',
    "[2026-11-25 10:00:00,000: ERROR/MainProcess] a\n",
    "[2026-11-25 10:00:00,000: WARNING/MainProcess] --- Logging error ---\n",
    "a-1  | ERROR a\n",
    '{"level": "ERROR", "message": "a"}\n',
  ],
  ...["id=1 addr=", "127.0.0.1:1 ", "db0:", "%41%", "::", "[::1]:"],
];

/** What a pattern itself names: its words, its characters alone and in pairs. */
function shapesOf({ source }: RegExp): readonly string[] {
  const plain = source.replace(/\\([dsSwWbBnrtpPu])|\(\?<?[:=!]/g, " ").replaceAll("\\", "");
  const words = plain.match(/[\w:/@.= -]{2,}/g) ?? [];
  const characters = [...new Set([...Array.from(plain.replace(/[A-Za-z]{2,}/g, "")), "a", "1", " "])].slice(
    0,
    16,
  );
  const pairs = characters.flatMap((one) => characters.map((other) => one + other));
  return [...new Set([...words, ...words.map((word) => word.trim()), ...characters, ...pairs])].filter(
    (shape) => shape !== "",
  );
}

describe("expressions of src", () => {
  const all = expressionsIn("src");
  // The others look at a bounded number of characters from each place.
  const open = all.filter(({ pattern }) => /[*+]|\{\d+,\}/.test(pattern.source));

  test("are found when they stand there", () => {
    expect(all.length).toBeGreaterThan(150);
    expect(all.map(({ place }) => place.split(":")[0])).toContain("src/inspect/secret-forms.ts");
  });

  test.each(open)(
    "$place takes time in proportion when a text is long: $pattern",
    ({ pattern }) => {
      const flags = pattern.flags.replace("g", "");
      const [once, every] = [new RegExp(pattern, flags), new RegExp(pattern, `${flags}g`)];
      const work = (text: string) => {
        once.lastIndex = 0;
        return [once.exec(text), text.replace(every, "")];
      };
      const shapes = new Set([...SHAPES, ...shapesOf(pattern)]);
      const slow = [...shapes].filter((shape) => growth(work, shape) > MOST_GROWTH);
      expect(slow).toEqual([]);
    },
    60_000,
  );
});

/** A kombu message whose body is that. */
const message = (body: string) =>
  JSON.stringify({
    body,
    "content-type": "application/json",
    headers: { ticket: "t" },
    properties: {},
  });

const hide = hiderOf(["a long one", "secret-", "short", "a@b"]);

test.each<readonly [string, (text: string) => unknown]>([
  ["maskText", maskText],
  ["secrecyOf", secrecyOf],
  ["scrub", (text) => scrub({ [text]: text }, hide)],
  ["maskedWords", (text) => maskedWords(["celery", text, `--a=${text}`])],
  ["maskedVariable", (text) => maskedVariable("SOME_URL", text)],
  ["passwordsIn", passwordsIn],
  ["hiding", hiding("a long one")],
  ["redact", redact],
  ["parseBrokerUrl", (text) => [parseBrokerUrl(text), parseBrokerUrl(`redis://h/0?${text}`)]],
  ["parsePythonJson", (text) => [parsePythonJson(text), parsePythonJson(`"${text}`)]],
  ["decodeReply", (text) => [decodeReply(text), decodeReply(message(text))]],
  ["decodeHeartbeat", (text) => [decodeHeartbeat("c", text), decodeHeartbeat("c", message(text))]],
  ["parseClientList", parseClientList],
  [
    "readCommandLine",
    (text) =>
      ["", "[celeryd: a:MainProcess] ", "python\0-m\0celery\0worker\0"].map((head) =>
        readCommandLine(head + text),
      ),
  ],
  ["knownLines", knownLines],
  ["line", line],
])(
  "%s takes time in proportion when a text is long",
  (_, work) => {
    const slow = SHAPES.filter((shape) => growth(work, shape) > MOST_GROWTH);
    expect(slow).toEqual([]);
  },
  60_000,
);
