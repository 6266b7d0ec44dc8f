import { Script } from "node:vm";

/** The bundle in the form that `wrapScript` produces. */
type Wrapped = (require: NodeJS.Require, codeCache: "used" | "rejected" | undefined) => void;

/**
 * Runs the bundle with the code that V8 compiled for it before. Without a code cache, or with one that this V8 rejects,
 * it runs too, but it starts later.
 *
 * @param text ASCII, because a Latin-1 string is made without a check of its bytes
 */
export function runCached(text: Buffer, codeCache: Buffer | undefined, require: NodeJS.Require): Script {
  const script = new Script(text.toString("latin1"), { filename: "celery-probe.cjs", cachedData: codeCache });
  const run = script.runInThisContext() as Wrapped;
  const { cachedDataRejected } = script;
  run(require, cachedDataRejected === undefined ? undefined : cachedDataRejected ? "rejected" : "used");
  return script;
}
