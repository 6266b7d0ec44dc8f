import type { BrokerFailure } from "../broker/failure.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import type { Outcome } from "../outcome.ts";
import type { Session } from "../session/session.ts";
import { workerNode, type WorkerProcess } from "../worker/survey.ts";
import type { Finding } from "./finding.ts";

/** What the findings are made from: gathered once, handed to every topic. */
export interface Scene {
  readonly host: Host;
  /** The health check, which ran first. */
  readonly check: CheckReport;
  /** The workers in sight with their nodes; empty where none is, or nothing can be seen. */
  readonly workers: readonly { readonly node: string; readonly process: WorkerProcess }[];
  /** The conversation with the broker, or why there is none. */
  readonly session: Outcome<Session, BrokerFailure>;
}

/** One room of the run-book: looks, and gives what it found; never throws, and never outlasts the deadline. */
export type Topic = (scene: Scene) => Promise<readonly Finding[]>;

/** The scene of a check that has run. */
export function setScene(check: CheckReport, session: Scene["session"], host: Host): Scene {
  const { place } = check.plan;
  const workers = place.kind === "inside" ? place.survey.workers : [];
  return {
    host,
    check,
    workers: workers.map((process) => ({ node: workerNode(process, host.hostname, host.env), process })),
    session,
  };
}
