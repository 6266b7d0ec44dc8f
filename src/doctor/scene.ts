import type { BrokerFailure } from "../broker/failure.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import type { Deadline } from "../deadline.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import type { Outcome } from "../outcome.ts";
import type { Span } from "../session/heartbeats.ts";
import type { Session } from "../session/session.ts";
import type { Answers } from "../session/ask-once.ts";
import type { Heartbeat } from "../celery/heartbeat.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { Finding } from "./finding.ts";

/** Everything that findings are made from. It is gathered once and handed to every topic. */
export interface Scene extends Answers {
  readonly config: Pick<
    CommandConfig<"doctor">,
    keyof CommandConfig<"doctor"> & keyof CommandConfig<"report">
  >;
  readonly host: Host;
  readonly deadline: Deadline;
  /** The report of the health check, which ran first. */
  readonly check: CheckReport;
  /** The workers in sight with their nodes. Empty if no worker runs here, or if processes cannot be seen. */
  readonly workers: readonly { readonly node: string; readonly process: WorkerProcess }[];
  /** Whether findings may be about this node. `--node` limits them to the named nodes. */
  readonly isMeant: (node: string) => boolean;
  /** The connection to the broker, or why it failed. */
  readonly session: Outcome<Session, BrokerFailure>;
  /** The newest heartbeat of each node. */
  readonly heard: () => ReadonlyMap<string, Heartbeat>;
  /** The first and the newest heartbeat of each node. */
  readonly spans: () => ReadonlyMap<string, Span>;
  /** Resolves after `--observe`, or after half of the time left if that is less. Trends need two looks. */
  readonly observed: () => Promise<void>;
}

/** One topic of the run-book: examines it and returns its findings. It never throws and ends before the deadline. */
export type Topic = (scene: Scene) => Promise<readonly Finding[]>;

/** Why a question to the broker failed, in words for people. */
export function unanswered({ left }: Deadline): string {
  return left() > 0 ? "the broker did not answer" : "the time was up: a longer --deadline";
}
