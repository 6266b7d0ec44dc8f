import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { NodeEvidence } from "./evidence.ts";
import type { BrokerSight, Line, Looks } from "./examine.ts";
import type { CheckPlan } from "./plan.ts";

/** Examines workers that do not answer. A worker that answers is not examined. */
export interface Examination extends Looks {
  /** Starts the looks if they have not started. Resolves after the first one. See {@link Looks}. */
  readonly begin: (line: Line | null) => Promise<void>;
}

const UNSEEN: BrokerSight = { upS: null, unacked: null, brokerName: null };

/**
 * Prepares an examination. Its code is loaded only when it starts, because most runs end with a pong.
 *
 * @param noted how many seconds a node has been silent, by the state file; null: the file does not say
 */
export function prepareExamination(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  noted: (node: string, worker: WorkerProcess) => number | null,
): Examination {
  let begun: Promise<void> | null = null;
  let looks: Looks | null = null;
  let ended = false;

  async function begin(line: Line | null): Promise<void> {
    const { startLooks } = await import("./examine.ts");
    if (!ended) looks = startLooks(plan, host, deadline, line, noted);
  }

  function unexamined(): readonly NodeEvidence[] {
    return plan.targets.map(({ node, laterNode, worker }) => ({
      node,
      laterNode,
      process: { kind: "unexamined" },
      looks: [],
      heartbeats: { kind: "not-listened" },
      waiting: null,
      silentSinceS: worker === null ? null : noted(node, worker),
    }));
  }

  return {
    begin: (line) => (begun ??= plan.targets.length === 0 ? Promise.resolve() : begin(line)),
    nodes: () => looks?.nodes() ?? unexamined(),
    broker: () => looks?.broker() ?? UNSEEN,
    end() {
      ended = true;
      looks?.end();
    },
  };
}
