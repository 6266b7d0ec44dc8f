const MOMENT = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * A moment as Python's `isoformat()` writes it, in seconds since 1970; null for any other text. It does not depend on
 * the machine's clock and zone.
 *
 * @param zone the zone of a text without one; null: such a text is no moment
 */
export function isoSeconds(text: string, zone: "UTC" | null): number | null {
  const [, year, month, day, hour, minute, second = "0", offset] = MOMENT.exec(text) ?? [];
  if (year === undefined || (offset === undefined && zone === null)) return null;
  const days = daysSince1970(Number(year), Number(month), Number(day));
  return (
    days * 86_400 + Number(hour) * 3_600 + Number(minute) * 60 + Number(second) - offsetOf(offset ?? "Z")
  );
}

function offsetOf(text: string): number {
  if (text === "Z") return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  return sign * (Number(text.slice(1, 3)) * 3_600 + Number(text.slice(-2)) * 60);
}

/** Of the Gregorian calendar, whose leap day comes last when a year begins in March. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const inYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + inYear - 719_468;
}
