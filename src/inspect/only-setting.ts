import { findSetting, settingsLike, sortSettings } from "../celery/every-setting.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Inspection } from "./inspect-nodes.ts";

/**
 * Reduces answers to `conf` to one setting.
 *
 * @param name any of the setting's names
 * @returns similar settings, if workers answered and no application has this one
 */
export function onlySetting(name: string, inspection: Inspection): Outcome<Inspection, readonly string[]> {
  if (inspection.kind === "refused") return success(inspection);
  // Answers that report a failure stay as they are.
  const confs = [...inspection.results].filter(([, conf]) => sortSettings(conf) !== null);
  const found = confs.map(([node, conf]) => [node, findSetting(conf, name)] as const);
  if (confs.length > 0 && found.every(([, setting]) => setting === null)) {
    const all = confs.map(([, conf]) => conf);
    return failure(settingsLike(name, all));
  }
  const narrowed = found.map(
    ([node, setting]) => [node, Object.fromEntries(setting === null ? [] : [setting])] as const,
  );
  return success({ ...inspection, results: new Map([...inspection.results, ...narrowed]) });
}
