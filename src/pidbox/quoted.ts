/**
 * The position after the closing quote of a text in quotes. A backslash also skips the next character. Without a
 * closing quote, it is the end of the whole text. This is not a regular expression, because its stack would grow with
 * the text.
 *
 * @param at position of the opening quote. The closing quote is the same character
 */
export function endOfQuoted(text: string, at: number): number {
  const quote = text.charAt(at);
  for (let from = at + 1; ;) {
    const end = text.indexOf(quote, from);
    if (end === -1) return text.length;
    let before = end;
    while (before > from && text.charAt(before - 1) === "\\") before--;
    if ((end - before) % 2 === 0) return end + 1;
    from = end + 1;
  }
}
