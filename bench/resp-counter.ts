/**
 * Counts the commands in what a client sends to Redis: RESP arrays of bulk strings, in any pieces.
 * The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export class RespCounter {
  /** Names, in the order in which they were sent. */
  readonly commands: string[] = [];
  #bytes: Buffer = Buffer.alloc(0);

  /** @throws Error for what is no array of bulk strings */
  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let read = readCommand(this.#bytes); read !== null; read = readCommand(this.#bytes)) {
      this.commands.push(read.name);
      this.#bytes = this.#bytes.subarray(read.end);
    }
  }
}

/** The first command, or null where it has not arrived whole. */
function readCommand(bytes: Buffer): { readonly name: string; readonly end: number } | null {
  const array = readLength(bytes, 0, "*");
  if (array === null) return null;
  let { end } = array;
  let name = "";
  for (let word = 0; word < array.length; word++) {
    const bulk = readLength(bytes, end, "$");
    if (bulk === null || bytes.length < bulk.end + bulk.length + 2) return null;
    if (word === 0) name = bytes.toString("utf8", bulk.end, bulk.end + bulk.length).toUpperCase();
    end = bulk.end + bulk.length + 2;
  }
  return { name, end };
}

function readLength(bytes: Buffer, start: number, sign: "*" | "$"): { length: number; end: number } | null {
  const end = bytes.indexOf("\r\n", start);
  if (end === -1) return null;
  const line = bytes.toString("latin1", start, end);
  if (!line.startsWith(sign) || !/^.\d+$/.test(line)) {
    throw new Error(`${JSON.stringify(line)} is no RESP: expected ${sign} and a length`);
  }
  return { length: Number(line.slice(1)), end: end + 2 };
}
