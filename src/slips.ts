/**
 * Counts letters that are missing, added, changed, or swapped with their neighbour (Damerau's distance, optimal
 * alignment).
 */
export function slips(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let line = 1; line <= a.length; line++) {
    const next = [line];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[line - 1] === b[column - 1];
      const isSwapped =
        line > 1 && column > 1 && a[line - 1] === b[column - 2] && a[line - 2] === b[column - 1];
      next.push(
        Math.min(
          (row[column - 1] ?? 0) + (isSame ? 0 : 1),
          (row[column] ?? 0) + 1,
          (next[column - 1] ?? 0) + 1,
          isSwapped ? (before[column - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/**
 * The name that the user most likely meant. It differs only in case and dashes, or by one typing error for every few
 * letters.
 */
export function similarTo(name: string, others: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[-_. ]/g, "");
  const [closest] = others
    .filter((other) => other !== name)
    .map((other) => {
      const allowed = Math.floor(Math.min(other.length, name.length) / 4);
      // Each extra letter is an error, so a long text is not compared letter by letter.
      const isNear = Math.abs(other.length - name.length) <= allowed;
      const made = plain(other) === plain(name) ? 0 : isNear ? slips(other, name) : Infinity;
      return { other, slips: made, allowed };
    })
    .filter(({ slips: made, allowed }) => made <= allowed)
    .sort((a, b) => a.slips - b.slips);
  return closest?.other ?? null;
}
