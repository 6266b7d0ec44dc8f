import type { BeatFacts } from "./facts/beat.ts";
import type { BrokerFacts } from "./facts/broker.ts";
import type { FlowerFacts } from "./facts/flower.ts";
import type { LogFacts } from "./facts/log.ts";
import type { ProcessFacts } from "./facts/process.ts";
import type { QueueFacts } from "./facts/queues.ts";
import type { ResultFacts } from "./facts/results.ts";
import type { SettingsFacts } from "./facts/settings.ts";
import type { TaskFacts } from "./facts/tasks.ts";
import type { WorkerFacts } from "./facts/worker.ts";

/** How bad a finding is. `skipped`: it could not be examined, which says neither good nor bad. */
export type Level = "ok" | "skipped" | "warning" | "problem";

/** What is wrong, for findings that several things can make bad. The words differ. */
export type Fault =
  | "may-evict"
  | "limits-turned"
  | "limits-narrow"
  | "limits-unenforced"
  | "limits-without-effect"
  | "held-back"
  | "over-own-limit"
  | "over-worker-limit"
  | "over-option"
  | "slots-held"
  | "awaits-behind"
  | "slots-free"
  | "slow-rate"
  | "past-visibility"
  | "many-failures";

/**
 * The topics, and what each finds. A new topic is added here. The compiler then asks for its look (examine.ts), the
 * level of each of its findings (levels.ts), and their words (render/findings/).
 */
export interface Topics {
  readonly broker: BrokerFacts;
  readonly worker: WorkerFacts;
  readonly settings: SettingsFacts;
  readonly beat: BeatFacts;
  readonly queues: QueueFacts;
  readonly tasks: TaskFacts;
  readonly processes: ProcessFacts;
  readonly log: LogFacts;
  readonly results: ResultFacts;
  readonly flower: FlowerFacts;
}

type AnyTopic = Topics[keyof Topics];

type KeysOfEach<T> = T extends unknown ? keyof T : never;

/** The kind of a finding: a stable word, with a section of its own in docs/doctor.md. */
export type Code = KeysOfEach<AnyTopic>;

/** What was seen, by the finding's code. render/findings/ turns it into words. */
export type Facts = { readonly [C in Code]: Extract<AnyTopic, Readonly<Record<C, unknown>>>[C] };

/** The result of one examination of one thing. Several things may have findings of one code. */
export type FindingOf<C extends Code> = {
  readonly [K in C]: {
    readonly code: K;
    readonly level: Level;
    readonly faults: readonly Fault[];
    /** The node, queue, process or file. Null: the finding is about no single one. */
    readonly about: string | null;
    readonly facts: Facts[K];
  };
}[C];

export type Finding = FindingOf<Code>;
