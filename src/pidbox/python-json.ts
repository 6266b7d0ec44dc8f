import { asObject, MOST, parseJson } from "./envelope.ts";
import { endOfQuoted } from "./quoted.ts";

/** Makes a value that stringifies to this text. On a runtime without it, large numbers are rounded. */
const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => unknown };

/**
 * In characters. A shorter text, such as a pong, contains none of the values that {@link parsePythonJson} looks for.
 */
const PLAIN = 100;

/** Matches a string, which is skipped, or a value that JSON does not have or JavaScript rounds. */
const TOKEN = /"|(?<![\d.eE+-])-?(?:[1-9]\d{15,}(?![\d.eE])(?!\s*:)|Infinity)|NaN/g;

/** The mark before the index of a removed number. */
const MARK = "\0";

/**
 * The value of a JSON text from Python, or `undefined` if it is not JSON or is over a limit. Python writes numbers that
 * JSON does not have. `Infinity` (a default of Celery's settings) becomes 1e999, which every parser reads as infinite.
 * `NaN` becomes null. Whole numbers that JavaScript would round keep their digits, for `JSON.stringify`.
 *
 * These numbers are taken out before the text is parsed, and put back after it. A reviver would be called for each
 * value, which takes six seconds for a million values.
 */
export function parsePythonJson(text: string): unknown {
  if (text.length < PLAIN || text.length > MOST.length) return parseJson(text);
  const pieces: string[] = [];
  const numbers: unknown[] = [];
  let written = 0;
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    const [token] = found;
    if (token === '"') {
      TOKEN.lastIndex = endOfQuoted(text, found.index);
      continue;
    }
    const number = token.replace("Infinity", "1e999");
    const isKept = token !== "NaN" && rawJSON !== undefined && !Number.isSafeInteger(Number(token));
    const plain = token === "NaN" ? "null" : number;
    pieces.push(text.slice(written, found.index), isKept ? `"\\u0000${numbers.length}"` : plain);
    written = TOKEN.lastIndex;
    if (isKept) numbers.push(rawJSON(number));
    if (numbers.length > MOST.values) return undefined;
  }
  if (written === 0) return parseJson(text);
  const parsed = parseJson(pieces.join("") + text.slice(written));
  return numbers.length === 0 ? parsed : restored(parsed, numbers);
}

/** The value with the removed numbers back in their places. */
function restored(value: unknown, numbers: readonly unknown[]): unknown {
  if (typeof value === "string") {
    return value.startsWith(MARK) ? (numbers[Number(value.slice(1))] ?? value) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  const parts = value as Record<string, unknown>;
  for (const name in parts) {
    const part = parts[name];
    if (typeof part === "object" || typeof part === "string") parts[name] = restored(part, numbers);
  }
  return value;
}

/** Whether it is a number that has kept its digits; see {@link parsePythonJson}. */
export function isRawNumber(value: unknown): boolean {
  const object = asObject(value);
  return object !== null && Object.getPrototypeOf(object) === null && typeof object["rawJSON"] === "string";
}
