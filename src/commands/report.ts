import type { CommandConfig } from "../cli/command-options.ts";
import { startDeadline } from "../deadline.ts";
import { diagnose } from "../doctor/diagnose.ts";
import { firstOf } from "../doctor/first.ts";
import type { Host } from "../host.ts";
import { lines, NOTHING } from "../render/gate.ts";
import { unwrittenWords } from "../render/install-words.ts";
import { checkObject } from "../render/json.ts";
import { REPORT_HEAD, REPORT_JSON_HEAD, reportJson, reportText } from "../render/report-text.ts";
import { gatherReport } from "../report/gather-report.ts";
import { hideIn } from "../report/mask.ts";
import { failed, misused, type Run } from "./command.ts";

/** Writes everything that is known, without passwords, for people who help. */
export const report: Run<CommandConfig<"report">> = async (
  { config, words: [path], unknownVariables },
  host,
) => {
  const obstacle = path === undefined ? null : await obstacleAt(path, host);
  if (obstacle !== null) return failed(obstacle);
  const deadline = startDeadline(config.deadline.value, host.now);
  const done = await Promise.race([
    diagnose(config, host, deadline, unknownVariables),
    host.interrupted.then(() => null),
  ]);
  if (done === null) return { stdout: NOTHING, stderr: NOTHING, exitCode: 1 };
  if (!done.ok) return misused(done.problem);
  const { scene, findings, end } = done.value;
  const { report, hide } = await gatherReport(config, host, done.value);
  end();
  // Sentences are made without secrets, but they may quote other texts.
  const clean =
    config.output.value === "json"
      ? reportJson(report, checkObject(scene.check), findings, (value) => hideIn(value, hide))
      : reportText(report, scene.check, findings, firstOf(findings), hide);
  if (path === undefined) return { stdout: clean, stderr: NOTHING, exitCode: 0 };
  const problem = (await host.files()).write(path, clean, host.uuid());
  if (problem !== null) return failed(unwrittenWords(path, problem));
  return { stdout: lines([`${path} is written: read it before you send it`]), stderr: NOTHING, exitCode: 0 };
};

/** Why a report may not be written to this path. Null: it may. */
async function obstacleAt(path: string, host: Host): Promise<string | null> {
  const files = await host.files();
  const obstacle = files.obstacle(path);
  if (obstacle !== null) return unwrittenWords(path, obstacle);
  const look = files.look(path);
  if (!look.ok) return look.problem === "forbidden" ? `${path} may not be looked at by this user` : null;
  const head = files.head(path, REPORT_JSON_HEAD.length);
  const isOurs =
    head.ok && (head.value === "" || head.value.startsWith(REPORT_HEAD) || head.value === REPORT_JSON_HEAD);
  return isOurs ? null : `${path} is a file that is no report, and was left as it is: expected another name`;
}
