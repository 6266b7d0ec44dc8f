import type { NamedSetting, SortedSettings } from "../celery/every-setting.ts";
import { isRecord, type Shown, show } from "./inspect-results.ts";
import { amount } from "./speech.ts";
import { cut, wrapped } from "./table.ts";

/** How a worker's settings are shown. */
export interface ConfReadings {
  readonly sort: (conf: unknown) => SortedSettings | null;
  /** The single setting that was asked for; the answers contain only this one. Null: all settings. */
  readonly asked: string | null;
  /** Whether the application's own settings are shown too. */
  readonly isAll: boolean;
}

/** Settings for people: Celery's, then the application's own or only their number. */
export function settingsLines(result: unknown, { sort, asked, isAll }: ConfReadings): Shown {
  if (asked !== null && isRecord(result)) {
    const lines = Object.entries(result).flatMap(settingLines);
    return { summary: lines.length === 0 ? `no setting ${asked}` : null, lines };
  }
  const sorted = sort(result);
  if (sorted === null) return { summary: null, lines: [show(result)] };
  const { celerys, applications } = sorted;
  const own = `the application's own: ${amount(applications.length, "setting")}`;
  const rest = isAll ? [own, ...applications.flatMap(settingLines)] : [`${own}; --all shows them`];
  return {
    summary: `${amount(celerys.length, "setting")} of Celery`,
    lines: [...celerys.flatMap(settingLines), ...(applications.length === 0 ? [] : ["", ...rest])],
  };
}

function settingLines([name, value]: NamedSetting): readonly string[] {
  const text = `${name} = ${show(value)}`;
  return cut(text) === text ? [text] : wrapped(`${name} = `, show(value, " ").split(" "));
}
