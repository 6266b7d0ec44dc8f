/** The last bytes of a stream, in one piece of memory. A pipe may bring one byte at a time. */
export interface LastBytes {
  readonly add: (chunk: Uint8Array) => void;
  /** As UTF-8. If the first character was cut in the middle, the text begins with U+FFFD. */
  readonly text: () => string;
}

/** @param most how many bytes are kept */
export function keepLastBytes(most: number): LastBytes {
  // Twice as many, so that each byte is moved at most once.
  const room = Buffer.allocUnsafeSlow(2 * most);
  let end = 0;
  return {
    add(chunk) {
      const last = chunk.subarray(-most);
      if (end + last.length > room.length) {
        const kept = most - last.length;
        room.copyWithin(0, end - kept, end);
        end = kept;
      }
      room.set(last, end);
      end += last.length;
    },
    text: () => room.toString("utf8", Math.max(0, end - most), end),
  };
}
