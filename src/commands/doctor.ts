import type { CommandConfig } from "../cli/command-options.ts";
import { startDeadline } from "../deadline.ts";
import { diagnose } from "../doctor/diagnose.ts";
import type { Finding } from "../doctor/finding.ts";
import { firstOf } from "../doctor/first.ts";
import { doctorJson } from "../render/doctor-json.ts";
import { type Canvas, progressLine, summaryLines, topicLines } from "../render/doctor-text.ts";
import { lines, NOTHING, ours } from "../render/gate.ts";
import { ignoredText } from "../render/text.ts";
import { misused, type Run } from "./command.ts";

/** Moves to the line's beginning and clears the line (ECMA-48). */
const ERASE = ours("\r\x1b[K");

/** Prints every finding, then the one to begin with. */
export const doctor: Run<CommandConfig<"doctor">> = async ({ config, unknownVariables }, host) => {
  const deadline = startDeadline(config.deadline.value, host.now);
  const isJson = config.output.value === "json";
  const terminal = isJson ? null : await host.terminal();
  const isSeen = terminal !== null;
  const canvas = (): Canvas => ({
    columns: terminal?.size().columns ?? null,
    inColour: isSeen && !host.env["NO_COLOR"],
  });
  const said = new Set<string>();
  // On a terminal the last line names the topics that are not finished.
  const progress = (pending: readonly string[]) =>
    terminal === null ? NOTHING : ours(ERASE + progressLine(pending, terminal.size().columns));
  if (!isJson) host.print(progress(["worker"]));
  const diagnosis = diagnose(config, host, deadline, unknownVariables, (found, pending) => {
    if (isJson) return;
    const shown = lines(topicLines(found, canvas(), said), canvas().inColour);
    host.print(ours(`${isSeen ? ERASE : ""}${shown}${pending.length > 0 ? progress(pending) : ""}`));
  });
  const done = await Promise.race([diagnosis, host.interrupted.then(() => null)]);
  // Nothing has to be cleaned up: what was written on the broker expires.
  if (done === null) return { stdout: isSeen ? ERASE : NOTHING, stderr: NOTHING, exitCode: 1 };
  if (!done.ok) return { ...misused(done.problem), stdout: isSeen ? ERASE : NOTHING };
  const { findings, end } = done.value;
  end();
  return {
    stdout: isJson
      ? doctorJson(findings, host.now())
      : lines(summaryLines(findings, firstOf(findings), canvas())),
    stderr: lines(unknownVariables.map((name) => `celery-probe: ${ignoredText(name)}`)),
    exitCode: fails(findings, config["fail-on"].value) ? 1 : 0,
  };
};

function fails(findings: readonly Finding[], from: "warning" | "problem"): boolean {
  return findings.some(({ level }) => level === "problem" || (level === "warning" && from === "warning"));
}
