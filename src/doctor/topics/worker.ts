import { poolOf } from "../../health/worker-settings.ts";
import { type Finding, finding, type Level } from "../finding.ts";
import type { Topic } from "../scene.ts";

/** The verdict of the health check, which has run. */
export const worker: Topic = ({ check, workers, host }) => {
  const { verdict } = check;
  const node = "node" in verdict ? verdict.node : null;
  const one = workers.find((other) => other.node === node) ?? workers[0];
  const pool = one === undefined ? null : poolOf(one.process, host.env);
  const blockingPool = pool !== null && /^(?:solo|gevent|eventlet)$/.test(pool) ? pool : null;
  const found: readonly Finding[] = [finding("worker", LEVEL[verdict.status], node, { check, blockingPool })];
  return Promise.resolve(found);
};

const LEVEL: { readonly [S in "healthy" | "unhealthy" | "unknown"]: Level } = {
  healthy: "ok",
  unhealthy: "problem",
  unknown: "problem",
};
