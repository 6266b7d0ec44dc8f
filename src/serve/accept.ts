import type { Format } from "../render/exposition.ts";

const MEDIA_TYPES: readonly (readonly [RegExp, Format])[] = [
  [/^application\/openmetrics-text$/, "openmetrics"],
  [/^text\/(?:plain|\*)$/, "text"],
];

/**
 * The format of metrics that a client requests by its `Accept` header (RFC 9110, 12.5.1). It is OpenMetrics if the
 * client likes version 1.0.0 at least as much as text. Every client reads text.
 */
export function formatFor(accept: string | undefined): Format {
  const wanted: Record<Format, number> = { text: 0, openmetrics: 0 };
  for (const range of (accept ?? "").slice(0, LONGEST).split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const format = MEDIA_TYPES.find(([known]) => known.test(type))?.[1];
    const values = new Map(parameters.map((one) => pair(one)));
    const isOther = format === "openmetrics" && (values.get("version") ?? "1.0.0") !== "1.0.0";
    if (format === undefined || isOther) continue;
    const quality = Number(values.get("q") ?? 1);
    wanted[format] = Math.max(wanted[format], Number.isFinite(quality) ? quality : 0);
  }
  return wanted.openmetrics > 0 && wanted.openmetrics >= wanted.text ? "openmetrics" : "text";
}

/** In characters. No client of metrics sends a longer header. */
const LONGEST = 1_024;

function pair(parameter: string): readonly [name: string, value: string] {
  const equals = parameter.indexOf("=");
  return [parameter.slice(0, equals), parameter.slice(equals + 1).replaceAll('"', "")];
}
