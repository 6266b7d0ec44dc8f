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

/** What the findings are made from: gathered once, handed to every topic. */
export interface Scene extends Answers {
  readonly config: Pick<
    CommandConfig<"doctor">,
    keyof CommandConfig<"doctor"> & keyof CommandConfig<"report">
  >;
  readonly host: Host;
  readonly deadline: Deadline;
  /** The health check, which ran first. */
  readonly check: CheckReport;
  /** The workers in sight that are asked, with their nodes; empty where none is, or nothing can be seen. */
  readonly workers: readonly { readonly node: string; readonly process: WorkerProcess }[];
  /** Whether findings may be about it: each that answers, or with `--node` those alone. */
  readonly isMeant: (node: string) => boolean;
  /** The conversation with the broker, or why it failed. */
  readonly session: Outcome<Session, BrokerFailure>;
  /** The heartbeats heard so far, the newest of each node. */
  readonly heard: () => ReadonlyMap<string, Heartbeat>;
  /** The first and the newest heartbeat of each node. */
  readonly spans: () => ReadonlyMap<string, Span>;
  /** Resolves when --observe has passed since the call, or half of the time that was left: trends need two looks. */
  readonly observed: () => Promise<void>;
}

/** One room of the run-book: looks, and gives what it found; never throws, and never outlasts the deadline. */
export type Topic = (scene: Scene) => Promise<readonly Finding[]>;

/** Why a question to the broker failed, for people. */
export function unanswered({ left }: Deadline): string {
  return left() > 0 ? "the broker did not answer" : "the time was up: a longer --deadline";
}
