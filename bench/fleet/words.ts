/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (columns: readonly string[]) => `| ${columns.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

/** A share of one core: `0.24 %`, `31 %`. */
export function percent(share: number): string {
  return `${digits(share * 100)} %`;
}

/** CPU time: `509 µs`, `9.5 ms`. */
export function cpuTime(seconds: number): string {
  return Math.abs(seconds) < 0.001 ? `${digits(seconds * 1e6)} µs` : `${digits(seconds * 1e3)} ms`;
}

/** `86 kB/s`, `23 MB/s`; a kB is 1,000 bytes. */
export function byteRate(perSecond: number): string {
  return perSecond < 1e6 ? `${digits(perSecond / 1e3)} kB/s` : `${digits(perSecond / 1e6)} MB/s`;
}

/** `1,000` */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Two digits that count, and all of a larger whole number. */
export function digits(value: number): string {
  if (Math.abs(value) >= 10) return whole(value);
  if (value === 0) return "0";
  const places = Math.max(0, 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}

/** `0.44–0.60 %` would hide that they are two numbers: `0.44 % to 0.60 %`, or one where both read the same. */
export function span(low: string, high: string): string {
  return low === high ? low : `${low} to ${high}`;
}
