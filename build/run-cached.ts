import { Script } from "node:vm";

/** What `wrapScript` has made of the bundle. */
type Wrapped = (require: NodeJS.Require, codeCache: "used" | "rejected" | undefined) => void;

/**
 * Runs the bundle with what V8 had compiled of it before. Without a code cache, or with one that this V8 does not take,
 * it runs all the same, only later.
 *
 * @param text ASCII: a Latin-1 string is made without looking at it
 */
export function runCached(text: Buffer, codeCache: Buffer | undefined, require: NodeJS.Require): Script {
  const script = new Script(text.toString("latin1"), { filename: "celery-probe.cjs", cachedData: codeCache });
  const run = script.runInThisContext() as Wrapped;
  const { cachedDataRejected } = script;
  run(require, cachedDataRejected === undefined ? undefined : cachedDataRejected ? "rejected" : "used");
  return script;
}
