import type { BrokerFailure } from "../broker/failure.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import type { Deadline } from "../deadline.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import type { Outcome } from "../outcome.ts";
import type { Span } from "../session/heartbeats.ts";
import type { Session } from "../session/session.ts";
import type { Heartbeat } from "../celery/heartbeat.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { InHand } from "./facts/tasks.ts";
import type { TooLarge } from "./facts/worker.ts";
import type { Finding } from "./finding.ts";

/** What the findings are made from: gathered once, handed to every topic. */
export interface Scene {
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
  /** The workers that have answered a ping to everybody. */
  readonly answering: () => Promise<readonly string[]>;
  /** Every node that the broker has heard of: nodes that answered, and nodes with heartbeats. */
  readonly nodes: () => Promise<readonly string[]>;
  /**
   * What answering nodes say of themselves, by full node name, each asked once a run. Nodes with an answer in another
   * format, or a late one, are missing. `active` is asked only of nodes whose version shows that it is safe.
   */
  readonly told: (method: TellingMethod) => Promise<ReadonlyMap<string, unknown>>;
  /** The tasks that they run, as they tell in `active`, with their ages when they were asked. */
  readonly inHand: () => Promise<InHand>;
  /** Celery's, of each node that told it by a heartbeat or when it was asked. */
  readonly versions: () => Promise<ReadonlyMap<string, string>>;
  /** How many more workers are subscribed than have answered with a name of their own. */
  readonly silent: () => Promise<number>;
  /** A node for each further answer to the ping in its name: of workers that share one. */
  readonly repeated: () => Promise<readonly string[]>;
  /** Answers so far that were more than is read. */
  readonly overBound: () => readonly TooLarge[];
  /** The heartbeats heard so far, the newest of each node. */
  readonly heard: () => ReadonlyMap<string, Heartbeat>;
  /** The first and the newest heartbeat of each node. */
  readonly spans: () => ReadonlyMap<string, Span>;
  /** Resolves when --observe has passed since the call, or half of the time that was left: trends need two looks. */
  readonly observed: () => Promise<void>;
}

export type TellingMethod = "stats" | "active_queues" | "active" | "registered" | "conf" | "report";

/** One room of the run-book: looks, and gives what it found; never throws, and never outlasts the deadline. */
export type Topic = (scene: Scene) => Promise<readonly Finding[]>;

/** Why a question to the broker failed, for people. */
export function unanswered({ left }: Deadline): string {
  return left() > 0 ? "the broker did not answer" : "the time was up: a longer --deadline";
}
