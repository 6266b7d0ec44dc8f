// Finds the begin and the end of replies and their elements in RESP2 bytes.

/** The first line of an element, from its type's byte to the CRLF. */
export interface Head {
  readonly at: number;
  readonly line: number;
  /** The position after the whole element. */
  readonly end: number;
}

/** The elements of the reply that begins at `at`, the reply itself first; null: it is incomplete. */
export function elementsOf(bytes: Buffer, at = 0): readonly [Head, ...Head[]] | null {
  const line = bytes.indexOf("\r\n", at, "latin1");
  if (line === -1) return null;
  const type = bytes.toString("latin1", at, at + 1);
  const count = Number(bytes.toString("latin1", at + 1, line));
  let end = line + 2;
  const inner: Head[] = [];
  if (type === "$" && count >= 0) end += count + 2;
  for (let left = type === "*" ? count : 0; left > 0; left--) {
    const elements = elementsOf(bytes, end);
    if (elements === null) return null;
    inner.push(...elements);
    end = elements[0].end;
  }
  return end > bytes.length ? null : [{ at, line, end }, ...inner];
}

export function bulk(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

/** The bytes with one element replaced. */
export function replaced(reply: Buffer, { at, end }: Pick<Head, "at" | "end">, by: Buffer | string): Buffer {
  return Buffer.concat([reply.subarray(0, at), Buffer.from(by), reply.subarray(end)]);
}
