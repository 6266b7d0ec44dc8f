import { poolOf } from "../../celery/worker-settings.ts";
import { finding } from "../levels.ts";
import type { Topic } from "../scene.ts";

/** The verdict of the health check, which has already run. */
export const worker: Topic = ({ check, workers, host }) => {
  const { verdict } = check;
  const node = "node" in verdict ? verdict.node : null;
  const one = workers.find((other) => other.node === node) ?? workers[0];
  const pool = one === undefined ? null : poolOf(one.process, host.env);
  const blockingPool = pool !== null && /^(?:solo|gevent|eventlet)$/.test(pool) ? pool : null;
  return Promise.resolve([finding("worker", node, { check, blockingPool })]);
};

/** Other workers of this broker. Their answers do not show that the worker here is well. */
export const siblings: Topic = async ({ check, config, session, ...scene }) => {
  const { asked } = check.plan;
  if (!session.ok) return [];
  const repeated = await scene.repeated();
  const shared = [...Map.groupBy(repeated.filter(scene.isMeant), (node) => node)].map(([node, { length }]) =>
    finding("siblings", node, { kind: "shared", more: length }),
  );
  if (asked.kind === "any" || config.node.value.length > 0) return shared;
  const answering = await scene.answering();
  const { asking } = check.evidence;
  // A worker may answer by another name than the name that was asked.
  const known = new Set([
    ...asked.nodes,
    ...(asking.kind === "asked" ? asking.pongs.map(({ node }) => node) : []),
    ...("node" in check.verdict ? [check.verdict.node] : []),
  ]);
  const others = answering.filter((node) => !known.has(node));
  const own = asked.nodes.filter((node) => !answering.includes(node));
  const silent = Math.max(0, (await scene.silent()) - own.length - repeated.length);
  if (others.length === 0 && silent === 0) return shared;
  return [...shared, finding("siblings", null, { kind: "others", answering: others, silent })];
};

/** Answers that were too large. Call it after all questions. */
export const answers: Topic = (scene) =>
  Promise.resolve(
    scene
      .overBound()
      .filter(({ node }) => node === null || scene.isMeant(node))
      .map((one) => finding("large-answer", one.node, one)),
  );
