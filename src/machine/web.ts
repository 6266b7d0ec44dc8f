import { failure, success } from "../outcome.ts";
import type { Web } from "./parts.ts";

/** More of a page is not read, in bytes. */
const LONGEST = 4_000_000;

/** Fetches by Node's own client; a proxy of the environment is not used. */
export const web: Web = async (url, headers, withinMs) => {
  try {
    const signal = AbortSignal.timeout(withinMs);
    const response = await fetch(url, { headers, signal, redirect: "manual" });
    const body = await response.text();
    return success({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: body.slice(0, LONGEST),
    });
  } catch (error) {
    return failure(wordsOf(error));
  }
};

/** `fetch` hides what went wrong behind "fetch failed". */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  return error.cause instanceof Error ? error.cause.message : error.message;
}
