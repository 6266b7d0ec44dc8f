/**
 * Where a text in quotes ends, its closing quote included; a backslash takes the next character with it. The end of
 * the whole where nothing closes it. No regular expression: the stack of one grows with the text.
 *
 * @param at of the opening quote, which the closing one is like
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
