/** What has come last of a stream, in one piece of memory: a pipe may bring a byte at a time. */
export interface LastBytes {
  readonly add: (chunk: Uint8Array) => void;
  /** As UTF-8; what was cut inside a character begins with U+FFFD. */
  readonly text: () => string;
}

/** @param most how many are kept */
export function keepLastBytes(most: number): LastBytes {
  // Twice as many, so that each byte is moved once at most.
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
