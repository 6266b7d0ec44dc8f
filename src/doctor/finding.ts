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

/**
 * How bad it is. `skipped`: it could not be looked at, which is no sign of anything.
 */
export type Level = "ok" | "skipped" | "warning" | "problem";

/** What it is that is bad, where a finding may be so for several reasons: its words differ. */
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
  | "slots-free"
  | "slow-rate"
  | "past-visibility"
  | "many-failures";

/**
 * The topics of the run-book, and what each finds. A topic is registered here. The compiler then wants its look
 * (examine.ts), the level of each of its findings (levels.ts), and their words (render/findings/).
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

/** What a finding is about: a stable word, one section of docs/doctor.md each. */
export type Code = KeysOfEach<AnyTopic>;

/** Of each finding, by its code, what was seen. The words are made in render/findings/. */
export type Facts = { readonly [C in Code]: Extract<AnyTopic, Readonly<Record<C, unknown>>>[C] };

/** The answer to one question of the run-book about one thing; a code may be found of several things. */
export type FindingOf<C extends Code> = {
  readonly [K in C]: {
    readonly code: K;
    readonly level: Level;
    readonly faults: readonly Fault[];
    /** The node, queue, process or file that it is about; null: the whole. */
    readonly about: string | null;
    readonly facts: Facts[K];
  };
}[C];

export type Finding = FindingOf<Code>;
