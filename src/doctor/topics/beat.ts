import { beatBroker } from "../../beat/ask-broker.ts";
import { judgeBeat } from "../../beat/beat-verdict.ts";
import { type BeatPlan, lookAtBeats, maxAgeFor } from "../../beat/look-at-beats.ts";
import { asObject } from "../../pidbox/envelope.ts";
import { type Finding, finding } from "../finding.ts";
import type { Topic } from "../scene.ts";

/** The beats of this container, if there is one. */
export const beat: Topic = async (scene) => {
  const { host, session, config, told } = scene;
  // From afar what runs on this machine is somebody else's.
  if (config.placement.value === "remote") return [];
  const settings = settingsIn(await told("conf"));
  const plan: BeatPlan = {
    maxAgeS: settings.maxIntervalS === null ? null : maxAgeFor(settings.maxIntervalS),
    settings: { schedule: null, scheduler: settings.scheduler, filename: settings.filename },
    lockKey: settings.lockKey,
    named: null,
    isInside: true,
  };
  const evidence = await lookAtBeats(host, plan, () =>
    Promise.resolve(session.ok ? beatBroker(session.value, config.timeout.value) : null),
  );
  if (evidence.beats === null || evidence.beats.length === 0) return [];
  const verdict = judgeBeat(evidence);
  const facts = { evidence, verdict };
  const isBad = verdict.status !== "healthy";
  const isFiles = verdict.reason.startsWith("schedule-");
  const found: Finding[] = [finding("beat-processes", isBad && !isFiles ? "problem" : "ok", null, facts)];
  if (evidence.only !== null && evidence.only.schedule.kind !== "none") {
    found.push(finding("beat-schedule-file", isBad && isFiles ? "problem" : "ok", null, facts));
  }
  return [...found, ...scheduleFindings(settings, await told("conf"))];
};

/** The beat's settings, by what workers say of theirs. */
function settingsIn(conf: ReadonlyMap<string, unknown>) {
  const all = [...conf.values()].map(asObject);
  const text = (name: string) =>
    all.map((one) => one?.[name]).find((value) => typeof value === "string") ?? null;
  const interval = all
    .map((one) => one?.["beat_max_loop_interval"])
    .find((value) => typeof value === "number");
  return {
    scheduler: text("beat_scheduler"),
    filename: text("beat_schedule_filename"),
    lockKey: text("redbeat_lock_key"),
    maxIntervalS: interval === undefined || interval <= 0 ? null : interval,
  };
}

/** Only where workers have told their settings, which are the beat's as well where they are of one application. */
function scheduleFindings(
  { scheduler }: { readonly scheduler: string | null },
  conf: ReadonlyMap<string, unknown>,
): readonly Finding[] {
  const told = [...conf.values()].map(asObject).filter((one) => one !== null);
  if (told.length === 0) return [];
  if (scheduler !== null && !/PersistentScheduler|^persistent$/.test(scheduler)) {
    return [finding("beat-schedule", "ok", null, { entries: null, scheduler })];
  }
  const entries = Math.max(...told.map((one) => Object.keys(asObject(one["beat_schedule"]) ?? {}).length));
  return [finding("beat-schedule", entries === 0 ? "warning" : "ok", null, { entries, scheduler })];
}
