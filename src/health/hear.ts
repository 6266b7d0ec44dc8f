import { heartbeatChannels, heartbeatPatterns, type Whence, whenceOf } from "../broker/keys.ts";
import type { BrokerTarget } from "../broker/url.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { Listener } from "../broker/channel.ts";
import { decodeHeartbeat, type Heartbeat } from "../celery/heartbeat.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import { namesOf } from "../discovery/targets.ts";
import type { Called } from "../discovery/identify.ts";
import type { Beats, Hearing } from "./evidence.ts";
import type { CheckPlan } from "./plan.ts";

/** Listens to the heartbeats of the asked nodes. */
export interface Ear {
  /**
   * What has been heard of a node.
   *
   * @param names the names that it may have
   * @param worker its process, if it is in sight. A heartbeat carries the number that the worker itself sees
   */
  readonly hearing: (names: readonly string[], worker: WorkerProcess | null) => Hearing;
  /** The nodes whose heartbeats have been heard, each with the number of its process as that process sees it. */
  readonly called: () => readonly Called[];
  /** Both ends of our own connection for listening; null until it is open. */
  readonly ends: () => ReturnType<Listener["ends"]>;
  readonly close: () => void;
}

/**
 * The most other names that are kept, each with its process number and its place. A broker has fewer connections for
 * workers than this.
 */
const MOST_OTHERS = 10_000;

/** For one node in one place: its last heartbeat and the number of heartbeats. */
interface Heard {
  readonly beat: Heartbeat;
  readonly whence: Whence;
  readonly count: number;
  /** See {@link Beats}. After a single heartbeat it is not known yet. */
  readonly isIdle: boolean;
}

/** Starts to listen. At first nothing has been heard. */
export function openEar(plan: CheckPlan, host: Host, deadline: Deadline, target: BrokerTarget): Ear {
  const heard = new Map<string, Heard>();
  let listener: Listener | null = null;
  let refused = false;
  let closed = false;
  let sinceMs = 0;

  const isAsked = (node: string) => plan.targets.some((one) => namesOf(one).includes(node));
  const topics = { broad: heartbeatPatterns(), exact: heartbeatChannels(target.db, plan.naming) };
  const hear = (channel: string, text: string) => {
    const beat = decodeHeartbeat(channel, text);
    const whence = beat === null ? null : whenceOf(channel, target.db, plan.naming);
    if (beat === null || whence === null || whence.kind === "other-database") return;
    const key = JSON.stringify([beat.node, beat.pid, whence]);
    const before = heard.get(key);
    if (before === undefined && heard.size >= MOST_OTHERS && !isAsked(beat.node)) return;
    const isIdle =
      beat.active === 0 &&
      (before === undefined || (before.isIdle && before.beat.processed === beat.processed));
    heard.set(key, { beat, whence, count: (before?.count ?? 0) + 1, isIdle });
  };
  void host.listen(target, hear, topics, deadline.atMost(plan.connectTimeout)).then((opened) => {
    refused = !opened.ok;
    if (!opened.ok) return;
    if (closed) opened.value.close();
    listener = opened.value;
    sinceMs = host.now();
  });

  return {
    called: () => [...heard.values()].filter(isExpected).map(({ beat: { node, pid } }) => ({ node, pid })),
    hearing(names, worker) {
      if (refused) return { kind: "refused" };
      if (listener === null) return { kind: "not-listened" };
      const all = [...heard.values()].filter(({ beat }) => worker === null || beat.pid === worker.innerPid);
      const own = all.filter(({ beat }) => names.includes(beat.node));
      const best = own.find(isExpected) ?? own[0];
      // A broken connection receives nothing more, so its silence proves nothing.
      if (best === undefined && listener.ends() === null) return { kind: "refused" };
      const namesake = all.find(
        (one) => isExpected(one) && !names.includes(one.beat.node) && !isAsked(one.beat.node),
      );
      return {
        kind: "listened",
        forMs: host.now() - sinceMs,
        own: best === undefined ? null : beatsOf(best),
        // Every container has a process 1, so that number identifies no process.
        namesake: worker === null || worker.innerPid === 1 ? null : (namesake?.beat.node ?? null),
      };
    },
    ends: () => listener?.ends() ?? null,
    close() {
      closed = true;
      listener?.close();
    },
  };
}

function isExpected({ whence }: Heard): boolean {
  return whence.kind === "expected";
}

function beatsOf({ beat, whence, count, isIdle }: Heard): Beats {
  const { active, processed, version } = beat;
  return { count, active, processed, isIdle: isIdle && count > 1, version, whence };
}
