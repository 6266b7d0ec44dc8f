import { beatBroker, openBeatBroker } from "../beat/ask-broker.ts";
import { judgeBeat } from "../beat/beat-verdict.ts";
import { type BeatPlan, lookAtBeats } from "../beat/look-at-beats.ts";
import { namedKey } from "../celery/beat.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import { startDeadline } from "../deadline.ts";
import { readPidfile } from "../discovery/look-around.ts";
import type { Host } from "../host.ts";
import { beatDetails, beatJson, beatText } from "../render/beat-text.ts";
import { NOTHING, page } from "../render/gate.ts";
import type { Session } from "../session/session.ts";
import { misused, type Run } from "./command.ts";

/** No process has this pid. It stands for a pid file that does not exist. */
const NOBODY = 0;

/** The health check of a beat's container. */
export const beat: Run<CommandConfig<"beat">> = async ({ config }, host) => {
  const deadline = startDeadline(config.deadline.value, host.now);
  const named = readPidfile(config.pidfile, host);
  if (!named.ok) return misused(named.problem);
  const path = config.pidfile.value;
  const maxAge = config["max-schedule-age"].value;
  const plan: BeatPlan = {
    maxAgeS: maxAge === null ? null : maxAge / 1_000,
    settings: { schedule: config.schedule.value, scheduler: null, filename: null },
    lock: namedKey(config["redbeat-lock"].value),
    named: path === null ? null : { pid: named.value ?? NOBODY, writtenS: await writtenS(path, host) },
    isInside: /^(?:auto|inside)$/.test(config.placement.value),
  };
  let session: Session | string = "not asked";
  const evidence = await lookAtBeats(host, plan, async (process) => {
    session = await openBeatBroker(config, host, deadline, process);
    return typeof session === "string" ? null : beatBroker(session, config.timeout.value);
  });
  const verdict = judgeBeat(evidence);
  const broker = brokerText(session);
  const rows = [beatText(evidence, verdict), ...(config.verbose.value ? beatDetails(evidence, broker) : [])];
  const text = config.output.value === "json" ? beatJson(evidence, verdict, host.now()) : page(rows);
  return {
    stdout: config.quiet.value ? NOTHING : text,
    stderr: NOTHING,
    exitCode: verdict.status === "healthy" ? 0 : 1,
    isVerdict: true,
  };
};

function brokerText(session: Session | string): string {
  if (typeof session === "string") return session;
  session.close();
  return session.plan.broker.shown;
}

async function writtenS(path: string, host: Host): Promise<number | null> {
  const file = (await host.files()).look(path);
  return file.ok ? file.value.modifiedS : null;
}
