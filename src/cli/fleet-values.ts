import { failure, success } from "../outcome.ts";
import { durationFrom, type ValueParser } from "./values.ts";

/** Values of options that only `watch` and `serve` take. */

/** The time from one look, or one question, to the next. A shorter one would ask the broker and its workers without a pause. */
export const interval = durationFrom(100);

/** Paths of `serve` whose status answers a probe; see serve/router.ts. */
const OF_PROBES = /^\/(?:(?:livez|readyz|health)(?:\/[!-~]+)?|fleet\?(?:[!-~]*&)?min=\d{1,6})$/;

/** A path of `serve` that gives a verdict, with its query. */
export const probePath: ValueParser<string> = (text) => {
  if (!text.startsWith("/")) return failure(`is not a path of serve: ${PROBE_PATHS}`);
  return OF_PROBES.test(text) ? success(text) : failure(`gives no verdict: ${PROBE_PATHS}`);
};

const PROBE_PATHS =
  "expected /livez, /readyz or /health, alone or with /local or /NODE behind it, or /fleet?min=N; the address is --listen";
