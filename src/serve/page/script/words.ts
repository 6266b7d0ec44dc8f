const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** How long something has lasted, in its two largest units: `12 s`, `4 min`, `3 h 5 min`, `2 d 4 h`. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE_S) return `${whole} s`;
  if (whole < HOUR_S) return `${Math.floor(whole / MINUTE_S)} min`;
  if (whole < DAY_S) return `${Math.floor(whole / HOUR_S)} h ${Math.floor((whole % HOUR_S) / MINUTE_S)} min`;
  return `${Math.floor(whole / DAY_S)} d ${Math.floor((whole % DAY_S) / HOUR_S)} h`;
}

/** Indexed by the number of decimals. Creating one takes longer than drawing a row. */
const FORMATS = [0, 1, 2].map((digits) => new Intl.NumberFormat("en", { maximumFractionDigits: digits }));

/** A number with as many digits as are useful: `0.4`, `3.5`, `12`, `1,200`. */
export function amount(value: number): string {
  const size = Math.abs(value);
  return FORMATS[size < 1 ? 2 : size < 10 ? 1 : 0]?.format(value) ?? "";
}

/** Tasks or messages per second, or per minute if there are few. */
export function rate(perSecond: number): string {
  const isSlow = perSecond > 0 && perSecond < 0.1;
  return isSlow ? `${amount(perSecond * MINUTE_S)}/min` : `${amount(perSecond)}/s`;
}

export function milliseconds(value: number): string {
  return value < 1_000 ? `${amount(value)} ms` : `${amount(value / 1_000)} s`;
}

export function bytes(value: number): string {
  return value < 1e9 ? `${amount(value / 1e6)} MB` : `${amount(value / 1e9)} GB`;
}

/** `1 worker`, `24 workers`. */
export function count(number: number, noun: string): string {
  return `${amount(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** `is` or `are`, to match the number. */
export const are = (number: number) => (number === 1 ? "is" : "are");
