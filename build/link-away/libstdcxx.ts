import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { installMissing } from "../../test/system/debian.ts";
import { hostTarget } from "../targets.ts";
import { type Elf, PT, readElf, type Relocation, segmentOf } from "./elf.ts";

/**
 * The address where the code is loaded. Bun's executables are loaded at fixed addresses, which end far below it. The
 * linked code needs no relocation.
 */
const ADDRESS = 0x1000_0000;

/** The largest page of the machines that we build for, in bytes. */
const PAGE = 0x1_0000;

/** One segment, which is read and executed. There is no second header for data. */
const LAYOUT = `SECTIONS {
  . = ${ADDRESS};
  .code : { *(.text .text.*) *(.rodata .rodata.*) *(.data.rel.ro .data.rel.ro.*) *(.got .got.*) }
  .data : { *(.data .data.*) *(.bss .bss.* COMMON) *(.tdata .tdata.* .tbss .tbss.*) }
  /DISCARD/ : { *(.eh_frame*) *(.comment) *(.note*) *(.gcc_except_table*) }
}`;

/** The functions that stand-ins.c calls. */
const LIBC_FUNCTIONS = [
  "abort",
  "strcmp",
  "clock_gettime",
  "sched_yield",
  "pthread_cond_init",
  "pthread_cond_destroy",
  "pthread_cond_signal",
  "pthread_cond_broadcast",
  "pthread_cond_wait",
];

/** The exports of libstdc++: C++ names of `std` and `__cxxabiv1`, and names of the C++ ABI. Two belong to libc. */
const OF_LIBSTDCXX =
  /^(?:_ZN?K?S|_ZTVN10__cxxabiv1|__dynamic_cast$|__once_proxy$|__cxa_(?!finalize$|thread_atexit_impl$))/;

/** Variables of each thread that std::call_once uses. */
const ONCE_CALLABLE = "_ZSt15__once_callable";
const ONCE_CALL = "_ZSt11__once_call";

/** Types of relocations (psABI of each machine): copy of an object, offset from the thread pointer, function slots. */
const TYPES = {
  x86_64: { copy: 5, threadOffset: 18, slots: [6, 7] },
  aarch64: { copy: 1024, threadOffset: 1030, slots: [1025, 1026] },
} as const satisfies Record<Elf["machine"], object>;

/** On arm64, atomic operations call libgcc without this flag. */
const OWN_FLAGS = { x86_64: [], aarch64: ["-mno-outline-atomics"] } as const satisfies Record<
  Elf["machine"],
  object
>;

/** `PF_R | PF_X` */
const READ_EXECUTE = 5;

/**
 * Puts what Bun for musl takes from libstdc++ into the executable itself, so that it needs only musl. Images of Alpine
 * have no libstdc++. When the dynamic linker starts, everything that Bun needs from libstdc++ is already bound.
 *
 * Some parts are linked from libstdc++.a of Debian's compiler, which has them in objects that need no C library. The
 * others are linked from stand-ins.c. The segment of the build id becomes the code's segment. The two variables of the
 * thread go before Bun's on x86-64 and after them on arm64. So none of Bun's variables moves.
 *
 * @throws Error if Bun needs unknown parts of libstdc++, or if the compiler is not available
 */
export async function linkLibstdcxx(executable: string): Promise<void> {
  const elf = readElf(await readFile(executable));
  const wanted = elf.relocations.filter(({ symbol }) => OF_LIBSTDCXX.test(symbol));
  const once = placeOnce(elf);
  const { code, addresses } = await linked(elf, wanted, once.get(ONCE_CALL) ?? 0);
  for (const relocation of wanted) bind(elf, relocation, code, addresses, once);
  forgetLibrary(elf);
  await writeFile(executable, withSegment(elf, code));
}

/** The compiler's version, for example `12.2.0`. */
export async function libstdcxxVersion(): Promise<string> {
  return (await execa(await compilerTool("x86_64", "g++"), ["-dumpfullversion"])).stdout;
}

/** A tool of GNU's compiler for a machine. It is installed if it is missing. */
async function compilerTool(machine: Elf["machine"], name: string): Promise<string> {
  const prefix = `${machine}-linux-gnu-`;
  const isOwn = hostTarget("glibc").machine === machine;
  await installMissing({ [`${prefix}g++`]: isOwn ? "g++" : `g++-${machine.replace("_", "-")}-linux-gnu` });
  return prefix + name;
}

/** Compiles and links the wanted symbols; `addresses` are addresses in memory. */
async function linked(
  elf: Elf,
  wanted: readonly Relocation[],
  onceCall: number,
): Promise<{ readonly code: Buffer; readonly addresses: ReadonlyMap<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), "celery-probe-link-"));
  const run = async (name: string, args: readonly string[]) =>
    (await execa(await compilerTool(elf.machine, name), args, { cwd: folder })).stdout;
  try {
    await run("gcc", [
      ...["-Os", "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-fno-pie"],
      ...["-fno-stack-protector", "-fno-asynchronous-unwind-tables", ...OWN_FLAGS[elf.machine]],
      ...LIBC_FUNCTIONS.map((name) => `-DSLOT_${name}=0x${slotOf(elf, name).toString(16)}`),
      `-DONCE_CALL=(${onceCall}l)`,
      ...["-c", join(import.meta.dirname, "stand-ins.c"), "-o", "stand-ins.o"],
    ]);
    await writeFile(join(folder, "layout.ld"), LAYOUT);
    const names = wanted.map(({ symbol }) => symbol).filter((name) => !isOnce(name));
    await run("ld", [
      ...["-static", "-nostdlib", "--gc-sections", "--no-warn-rwx-segments", "-e", "0", "-T", "layout.ld"],
      ...["-o", "linked", "stand-ins.o", await run("g++", ["-print-file-name=libstdc++.a"])],
      ...new Set(names.map((name) => `--undefined=${name}`)),
    ]);
    const size = /^\.data\s+(\d+)/m.exec(await run("size", ["-A", "linked"]))?.[1] ?? "0";
    if (size !== "0") throw new Error(`what Bun wants of libstdc++ has ${size} bytes of data: expected none`);
    await run("objcopy", ["-O", "binary", "-j", ".code", "linked", "code"]);
    const table = (await run("nm", ["linked"])).matchAll(/^([0-9a-f]{16}) \w (\S+)$/gm);
    return {
      code: await readFile(join(folder, "code")),
      addresses: new Map(Array.from(table, ([, address = "", name = ""]) => [name, parseInt(address, 16)])),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Does the dynamic linker's work, so that nothing is left for it. */
function bind(
  { bytes, machine, offsetOf }: Elf,
  { entry, address, type, symbol, size, addend }: Relocation,
  code: Buffer,
  addresses: ReadonlyMap<string, number>,
  once: ReadonlyMap<string, number>,
): void {
  const { copy, threadOffset, slots } = TYPES[machine];
  const value = isOnce(symbol) ? once.get(symbol) : addresses.get(symbol);
  if (value === undefined) throw new Error(`Bun wants ${symbol} of libstdc++, which was not linked`);
  const offset = offsetOf(address);
  if (type === copy) code.copy(bytes, offset, value - ADDRESS, value - ADDRESS + size);
  else if (type === threadOffset || slots.some((slot) => slot === type))
    bytes.writeBigInt64LE(BigInt(value + addend), offset);
  else throw new Error(`Bun wants ${symbol} of libstdc++ by a relocation of type ${type}`);
  // Type 0 with no symbol means nothing (R_X86_64_NONE, R_AARCH64_NONE).
  bytes.writeBigUInt64LE(0n, entry + 8);
}

/**
 * Makes room for the two variables of std::call_once among the variables of each thread. Returns their offsets from the
 * thread pointer. Bun's own offsets are fixed in its code. On x86-64 they count from the end (variant II of ELF
 * Handling for Thread-Local Storage), on arm64 from the beginning (variant I). The initial values of the two do not
 * matter, because they are written before they are read.
 */
function placeOnce({ bytes, machine, segments }: Elf): ReadonlyMap<string, number> {
  const { header, offset, address, fileSize, memorySize, alignment } = segmentOf(segments, PT.TLS);
  const set = (field: number, value: number) => bytes.writeBigUInt64LE(BigInt(value), header + field);
  const room = 16;
  if (machine === "x86_64") {
    set(8, offset - room);
    set(16, address - room);
    set(24, address - room);
    set(32, fileSize + room);
    set(40, memorySize + room);
    const size = room + memorySize;
    const first = -(size + modulo(-(address + memorySize), alignment));
    return new Map([
      [ONCE_CALLABLE, first],
      [ONCE_CALL, first + 8],
    ]);
  }
  const begin = memorySize + modulo(-memorySize, 8);
  set(40, begin + room);
  const gap = 16;
  const first = gap + modulo(address - gap, alignment) + begin;
  return new Map([
    [ONCE_CALLABLE, first],
    [ONCE_CALL, first + 8],
  ]);
}

/** Names musl, which every program needs, twice, because an entry cannot be removed. */
function forgetLibrary({ bytes, needed }: Elf): void {
  const [library, musl] = [/^libstdc\+\+\.so/, /^libc\.musl-/].map((name) =>
    needed.find((one) => name.test(one.name)),
  );
  if (library === undefined || musl === undefined || needed.length !== 2)
    throw new Error(`expected libstdc++ and musl, found ${needed.map(({ name }) => name).join(", ")}`);
  bytes.copy(bytes, library.value, musl.value, musl.value + 8);
}

/** The file with the code as its last segment. It has no section headers, because they describe another file. */
function withSegment({ bytes, segments }: Elf, code: Buffer): Buffer {
  const loaded = segments.filter(({ type }) => type === PT.LOAD);
  const end = Math.max(...loaded.map(({ offset, fileSize }) => offset + fileSize));
  if (Math.max(...loaded.map(({ address, memorySize }) => address + memorySize)) > ADDRESS)
    throw new Error(`the executable reaches 0x${ADDRESS.toString(16)}`);
  const begin = end + modulo(-end, PAGE);
  const { header } = segmentOf(segments, PT.NOTE);
  bytes.writeUInt32LE(PT.LOAD, header);
  bytes.writeUInt32LE(READ_EXECUTE, header + 4);
  const fields = [begin, ADDRESS, ADDRESS, code.length, code.length, PAGE];
  for (const [index, value] of fields.entries())
    bytes.writeBigUInt64LE(BigInt(value), header + 8 + index * 8);
  bytes.writeBigUInt64LE(0n, 0x28);
  bytes.writeUInt16LE(0, 0x3c);
  bytes.writeUInt16LE(0, 0x3e);
  return Buffer.concat([bytes.subarray(0, end), Buffer.alloc(begin - end), code]);
}

/** The place where the dynamic linker writes the address of a function of libc. */
function slotOf({ machine, relocations }: Elf, name: string): number {
  const slot = relocations.find(
    ({ symbol, type }) => symbol === name && TYPES[machine].slots.some((one) => one === type),
  );
  if (slot === undefined) throw new Error(`Bun does not import ${name}`);
  return slot.address;
}

function isOnce(symbol: string): boolean {
  return symbol === ONCE_CALLABLE || symbol === ONCE_CALL;
}

/** The remainder, never negative. */
function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
