/** The parts of a 64-bit little-endian ELF executable that linking changes (ELF-64 Object File Format 1.5; gABI). */
export interface Elf {
  readonly bytes: Buffer;
  readonly machine: "x86_64" | "aarch64";
  readonly segments: readonly Segment[];
  readonly needed: readonly Needed[];
  readonly relocations: readonly Relocation[];
  /** The position in the file of the byte that is loaded at `address`. @throws Error if the file does not contain it */
  readonly offsetOf: (address: number) => number;
}

/** A program header. */
export interface Segment {
  /** The position of the header itself in the file. */
  readonly header: number;
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly alignment: number;
}

/** A library that the dynamic linker must load. */
export interface Needed {
  /** The position of the entry's value in the file. */
  readonly value: number;
  readonly name: string;
}

/** What the dynamic linker must write, and where. */
export interface Relocation {
  /** The position of the entry in the file. */
  readonly entry: number;
  /** The address in memory that is written to. */
  readonly address: number;
  readonly type: number;
  readonly symbol: string;
  /** The size of the symbol, in bytes. */
  readonly size: number;
  readonly addend: number;
}

export const PT = { LOAD: 1, DYNAMIC: 2, NOTE: 4, TLS: 7 } as const;
const DT = { NEEDED: 1, PLTRELSZ: 2, STRTAB: 5, SYMTAB: 6, RELA: 7, RELASZ: 8, JMPREL: 23 } as const;
const MACHINES: Partial<Record<number, Elf["machine"]>> = { 62: "x86_64", 183: "aarch64" };

const PROGRAM_HEADER = 56;
const DYNAMIC_ENTRY = 16;
const RELA_ENTRY = 24;
const SYMBOL = 24;

/** @throws Error if the file is not a dynamically linked executable of a known machine */
export function readElf(bytes: Buffer): Elf {
  if (bytes.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") throw new Error("no 64-bit little-endian ELF");
  const machine = MACHINES[bytes.readUInt16LE(0x12)];
  if (machine === undefined) throw new Error(`an ELF of machine ${bytes.readUInt16LE(0x12)}`);
  const word = (offset: number) => Number(bytes.readBigUInt64LE(offset));
  const segments = Array.from({ length: bytes.readUInt16LE(0x38) }, (_, index): Segment => {
    const header = word(0x20) + index * PROGRAM_HEADER;
    return {
      header,
      type: bytes.readUInt32LE(header),
      offset: word(header + 8),
      address: word(header + 16),
      fileSize: word(header + 32),
      memorySize: word(header + 40),
      alignment: word(header + 48),
    };
  });
  const offsetOf = (address: number): number => {
    const segment = segments.find(
      (one) => one.type === PT.LOAD && address >= one.address && address < one.address + one.fileSize,
    );
    if (segment === undefined) throw new Error(`0x${address.toString(16)} is not loaded from the file`);
    return address - segment.address + segment.offset;
  };

  const dynamic = segmentOf(segments, PT.DYNAMIC);
  const values = new Map<number, number>();
  const libraries: number[] = [];
  for (let entry = dynamic.offset; word(entry) !== 0; entry += DYNAMIC_ENTRY) {
    if (word(entry) === DT.NEEDED) libraries.push(entry + 8);
    else values.set(word(entry), word(entry + 8));
  }
  const valueOf = (tag: number): number => {
    const value = values.get(tag);
    if (value === undefined) throw new Error(`no dynamic entry ${tag}`);
    return value;
  };
  const strings = offsetOf(valueOf(DT.STRTAB));
  const text = (offset: number) =>
    bytes.toString("latin1", strings + offset, bytes.indexOf(0, strings + offset));
  const symbols = offsetOf(valueOf(DT.SYMTAB));

  const relocations: Relocation[] = [];
  for (const [table, size] of [
    [DT.RELA, DT.RELASZ],
    [DT.JMPREL, DT.PLTRELSZ],
  ] as const) {
    const begin = offsetOf(valueOf(table));
    for (let entry = begin; entry < begin + valueOf(size); entry += RELA_ENTRY) {
      const symbol = symbols + bytes.readUInt32LE(entry + 12) * SYMBOL;
      relocations.push({
        entry,
        address: word(entry),
        type: bytes.readUInt32LE(entry + 8),
        symbol: text(bytes.readUInt32LE(symbol)),
        size: word(symbol + 16),
        addend: Number(bytes.readBigInt64LE(entry + 16)),
      });
    }
  }
  return {
    bytes,
    machine,
    segments,
    needed: libraries.map((value) => ({ value, name: text(word(value)) })),
    relocations,
    offsetOf,
  };
}

/** @throws Error if it is missing */
export function segmentOf(segments: readonly Segment[], type: number): Segment {
  const segment = segments.find((one) => one.type === type);
  if (segment === undefined) throw new Error(`no segment of type ${type}`);
  return segment;
}
