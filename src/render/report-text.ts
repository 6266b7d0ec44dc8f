import type { Finding } from "../doctor/finding.ts";
import type { CheckReport } from "../health/report.ts";
import type { Report } from "../report/gather-report.ts";
import { findingLines, summaryLines } from "./doctor-text.ts";
import { findingWords } from "./findings/finding-words.ts";
import { checkText } from "./text.ts";

/** What a report begins with: a file that begins otherwise is not written over. */
export const REPORT_HEAD = "# celery-probe report";
export const REPORT_JSON_HEAD = '{"report":"celery-probe"';

/** The report for people, in Markdown, as tickets show it; `hide` takes secrets out of all but its head. */
export function reportText(
  report: Report,
  check: CheckReport,
  findings: readonly Finding[],
  hide: (text: string) => string,
): string {
  const { probe, nodes, broker, processes, machine, environment } = report;
  const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long", timeZone: "UTC" });
  const body = [
    "",
    `celery-probe ${probe.version} (${probe.runtime}) on ${probe.host}, ${time.format(probe.at_s * 1_000)}. Passwords and the like are masked.`,
    ...section("Health", checkText(check, true)),
    ...section("Findings", [
      ...findings.flatMap((one) => findingLines(one, false)),
      ...summaryLines(findings),
    ]),
    ...Object.entries(nodes).flatMap(([node, part]) => [
      ...section(
        `Node ${node}`,
        part.software === null ? ["did not say what it runs on"] : part.software.split("\n"),
      ),
      ...subsection("settings that differ from Celery's", part.conf),
      ...subsection("stats", part.stats),
      ...subsection("queues", part.active_queues),
      ...subsection("tasks in hand", part.active),
      ...subsection("tasks that it knows", part.registered),
    ]),
    ...section("Broker", broker === null ? ["could not be asked"] : json(broker)),
    ...section("Processes", processes.length === 0 ? ["no worker is in sight"] : json(processes)),
    ...section("Machine", json(machine)),
    ...section("Environment of the probe", json(environment)),
    "",
  ].join("\n");
  return `${REPORT_HEAD}\n${hide(body)}`;
}

/** The same for programs: schema 1, to which fields are only added (docs/report.md). */
export function reportJson(
  report: Report,
  check: unknown,
  findings: readonly Finding[],
  hide: (value: unknown) => unknown,
): string {
  const rows = findings.map((finding) => {
    const { code, level, about } = finding;
    return { code, level, about, ...findingWords(finding) };
  });
  return `${REPORT_JSON_HEAD},${JSON.stringify({ schema: 1, check: hide(check), findings: hide(rows), ...report }).slice(1)}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return ["", `## ${title}`, "", "```", ...lines, "```"];
}

function subsection(title: string, value: unknown): readonly string[] {
  return value === null ? [] : ["", `### ${title}`, "", "```", ...json(value), "```"];
}

function json(value: unknown): readonly string[] {
  return JSON.stringify(value, null, 2).split("\n");
}
