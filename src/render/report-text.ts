import type { Finding } from "../doctor/finding.ts";
import type { CheckReport } from "../health/report.ts";
import type { Report } from "../report/gather-report.ts";
import { findingRow } from "./doctor-json.ts";
import { findingLines, PLAIN_CANVAS, summaryLines } from "./doctor-text.ts";
import { json, lines, ours, type Printable } from "./gate.ts";
import { type Block, codeSpan, markdownBlock } from "./markdown.ts";
import { checkText } from "./text.ts";

/** The first line of a report. A file that begins in another way is not overwritten. */
export const REPORT_HEAD = "# celery-probe report";
export const REPORT_JSON_HEAD = '{"report":"celery-probe"';

/**
 * The report for people, in Markdown, as ticket systems show it. `hide` hides secrets everywhere except in its head.
 */
export function reportText(
  report: Report,
  check: CheckReport,
  findings: readonly Finding[],
  first: Finding | null,
  hide: (text: string) => string,
): Printable {
  const { probe, nodes, broker, processes, machine, environment } = report;
  const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long", timeZone: "UTC" });
  const blocks: readonly Block[] = [
    section("Health", checkText(check, true)),
    section("Findings", [...findings.flatMap(findingLines), ...summaryLines(findings, first, PLAIN_CANVAS)]),
    ...Object.entries(nodes).flatMap(([node, part]) => [
      {
        ...section("Node", part.software?.split("\n") ?? ["did not say what it runs on"]),
        about: node,
      },
      ...subsection("settings that differ from Celery's", part.conf),
      ...subsection("stats", part.stats),
      ...subsection("queues", part.active_queues),
      ...subsection("running tasks", part.active),
      ...subsection("known tasks", part.registered),
    ]),
    section("Broker", broker === null ? ["could not be asked"] : indented(broker)),
    section("Processes", processes.length === 0 ? ["no worker is in sight"] : indented(processes)),
    section("Machine", indented(machine)),
    section("Environment of the probe", indented(environment)),
  ];
  const head = [
    REPORT_HEAD,
    "",
    hide(
      `celery-probe ${probe.version} (${probe.runtime}) on ${codeSpan(probe.host)}, ${time.format(probe.at_s * 1_000)}. Passwords and the like are masked.`,
    ),
  ];
  const body = blocks.map((block) => {
    const { about } = block;
    return markdownBlock({
      ...block,
      about: about === null ? null : hide(about),
      lines: block.lines.map(hide),
    });
  });
  return ours(lines(head) + body.join(""));
}

/** The report as JSON: schema 1, to which fields are only added (docs/report.md). */
export function reportJson(
  report: Report,
  check: unknown,
  findings: readonly Finding[],
  hide: (value: unknown) => unknown,
): Printable {
  // A report is recognised by its first field.
  return json({
    report: "celery-probe",
    schema: 1,
    check: hide(check),
    findings: hide(findings.map(findingRow)),
    ...report,
  });
}

function section(title: string, shown: readonly string[]): Block {
  return { title, level: 2, about: null, lines: shown };
}

function subsection(title: string, value: unknown): readonly Block[] {
  return value === null ? [] : [{ ...section(title, indented(value)), level: 3 }];
}

function indented(value: unknown): readonly string[] {
  return JSON.stringify(value, null, 2).split("\n");
}
