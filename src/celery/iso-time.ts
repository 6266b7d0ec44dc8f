const MOMENT = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * Reads a time that Python's `isoformat()` wrote, in seconds since 1970. Null for any other text. The machine's own
 * clock and time zone have no influence.
 *
 * @param zone the zone of a text that names none. Null: such a text is not read
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

/** Counts in the Gregorian calendar. The year begins in March here, so the leap day is its last day. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const inYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + inYear - 719_468;
}
