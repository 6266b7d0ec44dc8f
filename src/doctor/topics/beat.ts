import { beatBroker } from "../../beat/ask-broker.ts";
import { judgeBeat } from "../../beat/beat-verdict.ts";
import { type BeatPlan, lookAtBeats, maxAgeFor } from "../../beat/look-at-beats.ts";
import { beatSettings, type BeatSettingsTold, hasScheduleFile } from "../../celery/beat.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import type { Topic } from "../scene.ts";

/** The beats of this container. */
export const beat: Topic = async (scene) => {
  const { host, session, config, told } = scene;
  // A remote run is not about the beats on this machine.
  if (config.placement.value === "remote") return [];
  const settings = beatSettings((await told("conf")).values());
  const plan: BeatPlan = {
    maxAgeS: settings.maxIntervalS === null ? null : maxAgeFor(settings.maxIntervalS),
    settings: { schedule: null, scheduler: settings.scheduler, filename: settings.filename },
    lock: settings.lock,
    named: null,
    isInside: true,
  };
  const evidence = await lookAtBeats(host, plan, () =>
    Promise.resolve(session.ok ? beatBroker(session.value, config.timeout.value) : null),
  );
  if (evidence.beats === null || evidence.beats.length === 0) return [];
  const verdict = judgeBeat(evidence);
  const facts = { evidence, verdict };
  const found: Finding[] = [finding("beat-processes", null, facts)];
  if (evidence.only !== null && evidence.only.schedule.kind !== "none") {
    found.push(finding("beat-schedule-file", null, facts));
  }
  return [...found, ...scheduleFindings(settings)];
};

/** Needs workers that have told their settings. The beat of the same application has the same settings. */
function scheduleFindings({ scheduler, entries }: BeatSettingsTold): readonly Finding[] {
  if (entries === null) return [];
  const isElsewhere = scheduler !== null && !hasScheduleFile(scheduler);
  return [finding("beat-schedule", null, { entries: isElsewhere ? null : entries, scheduler })];
}
