import { expect, test } from "vitest";
import { cellName } from "../matrix/results.ts";
import { cellsOf } from "../matrix/grid.ts";
import { runCell } from "../matrix/run-cell.ts";
import { STATES } from "../matrix/table.ts";
import { EXECUTABLE } from "./probe.ts";

/** The part of the matrix that every run of the gate makes; `npm run test:matrix` makes all of it. */
const REPRESENTATIVE = [
  "fetch-half-open-beside prefork 5.2.7",
  "children-die prefork 5.7.0",
  "rate-limited-own-key prefork 5.7.0",
  "idle gevent 5.0.5",
  "full prefork 5.2.7",
  "blocked-child solo 5.4.0",
  "blocked-cpu gevent 5.7.0",
  "hung solo 5.7.0",
  "blocked-popping solo 5.7.0",
  "hung-and-cut solo 5.7.0",
  "stopping threads 5.7.0",
  "stopping gevent 5.7.0",
  "importing prefork 5.7.0",
  "sigstop prefork 5.7.0",
  "killed solo 5.7.0",
  "main-killed prefork 5.0.5",
  "zombie prefork 5.7.0",
  "dead-beside-a-living-one prefork 5.7.0",
  "remote-control-off eventlet 5.7.0",
  "untold-full prefork 5.2.7",
  "after-a-failed-command prefork 5.4.0",
  "after-a-failed-command-untold prefork 5.4.0",
  "redis-restarted-blocked solo 5.7.0",
  "cancelled-queue prefork 5.7.0",
  "rate-limited prefork 5.7.0",
  "stuck-task prefork 5.2.7",
  "backlog prefork 5.7.0",
];

const cells = STATES.flatMap((state) => cellsOf(state).map((cell) => ({ state, cell }))).map((one) => ({
  ...one,
  name: cellName(one.state, one.cell),
}));

/** Some states must last a minute before they count. */
const WITHIN_MS = 180_000;

test.concurrent.each(REPRESENTATIVE)(
  "the cell %s of the matrix is right",
  { timeout: WITHIN_MS },
  async (wanted) => {
    const found = cells.find(({ name }) => name === wanted);
    if (found === undefined) throw new Error("there is no such cell");
    const result = await runCell(found.state, found.cell, EXECUTABLE, { shellLine: false });
    expect(result.failure).toBeNull();
    expect(result.answers.filter(({ problem }) => problem !== null)).toEqual([]);
  },
);
