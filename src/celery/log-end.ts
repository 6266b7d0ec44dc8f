/** Lines that are looked at: those of a log have 50 characters and more, so that its 4 MB are no more than 80,000. */
const MOST_LINES = 200_000;

/** What stands at the end of a text, without blank lines: 4 MB of them would be four million texts, 300 MB. */
export function endOf(text: string): { readonly text: string; readonly isWhole: boolean } {
  const filled = text.replace(/\n\s*\n/g, "\n");
  let from = filled.length;
  for (let lines = 0; lines <= MOST_LINES; lines++) {
    if (from <= 0) return { text: filled, isWhole: true };
    from = filled.lastIndexOf("\n", from - 1);
  }
  return { text: filled.slice(from + 1), isWhole: false };
}
