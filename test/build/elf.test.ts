import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PT, readElf, segmentOf } from "../../build/link-away/elf.ts";

/** A real executable, which is there wherever the tests run: Node's own. */
const NODE = readFileSync(process.execPath);
const elf = readElf(NODE);

/** Types of relocations (psABI of each machine): copies an object, slot of a function. */
const [COPY, SLOT] = elf.machine === "x86_64" ? [5, 7] : [1024, 1026];

test("the machine, the segments and the libraries of Node's executable", () => {
  expect(elf.machine).toBe(process.arch === "x64" ? "x86_64" : "aarch64");
  const names = elf.needed.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["libc.so.6", "libstdc++.so.6"]));
  const code = segmentOf(elf.segments, PT.LOAD);
  // The first that is loaded begins with the file's header.
  expect(code.offset).toBe(0);
  expect(elf.offsetOf(code.address + 18)).toBe(18);
  const dynamic = segmentOf(elf.segments, PT.DYNAMIC);
  expect(elf.offsetOf(dynamic.address)).toBe(dynamic.offset);
  expect(segmentOf(elf.segments, PT.TLS).memorySize).toBeGreaterThan(0);
});

test("each library's entry has the offset of its name", () => {
  const first = elf.needed[0];
  if (first === undefined) throw new Error("Node needs libraries");
  const nameAt = (value: number) => Number(NODE.readBigUInt64LE(value));
  const strings = NODE.indexOf(`\0${first.name}\0`) + 1 - nameAt(first.value);
  for (const { value, name } of elf.needed) {
    const begin = strings + nameAt(value);
    expect(NODE.toString("latin1", begin, begin + name.length + 1)).toBe(`${name}\0`);
    // DT_NEEDED
    expect(NODE.readBigUInt64LE(value - 8)).toBe(1n);
  }
});

test("functions are bound in the file, objects are copied to where only memory is", () => {
  const slot = elf.relocations.find(({ symbol, type }) => symbol === "malloc" && type === SLOT);
  expect(slot).toMatchObject({ addend: 0 });
  expect(elf.offsetOf(slot?.address ?? 0)).toBeGreaterThan(0);
  expect(NODE.readBigUInt64LE(slot?.entry ?? 0)).toBe(BigInt(slot?.address ?? 1));
  // stdio.h: FILE *stdout
  const copied = elf.relocations.find(({ symbol, type }) => symbol === "stdout" && type === COPY);
  expect(copied).toMatchObject({ size: 8, addend: 0 });
  const { address = 0 } = copied ?? {};
  expect(() => elf.offsetOf(address)).toThrow(`0x${address.toString(16)} is not loaded from the file`);
});

/** A part of Node's executable that has been tampered with. */
function damaged(bytes: number, damage: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(NODE.subarray(0, bytes));
  damage(copy);
  return copy;
}

const HEADER = 64;
const { header: DYNAMIC_HEADER } = segmentOf(elf.segments, PT.DYNAMIC);

test.each([
  ["a script", Buffer.from("#!/bin/sh\n"), "no 64-bit little-endian ELF"],
  ["nothing", Buffer.alloc(0), "no 64-bit little-endian ELF"],
  ["one of 32 bits", damaged(HEADER, (copy) => (copy[4] = 1)), "no 64-bit little-endian ELF"],
  ["one that is big-endian", damaged(HEADER, (copy) => (copy[5] = 2)), "no 64-bit little-endian ELF"],
  ["one for RISC-V", damaged(HEADER, (copy) => copy.writeUInt16LE(243, 18)), "an ELF of machine 243"],
  [
    "one that is linked statically",
    damaged(4_096, (copy) => copy.writeUInt32LE(0, DYNAMIC_HEADER)),
    "no segment of type 2",
  ],
  [
    "one whose dynamic section is empty",
    damaged(NODE.length, (copy) => copy.fill(0, segmentOf(elf.segments, PT.DYNAMIC).offset).subarray(0, 16)),
    "no dynamic entry 5",
  ],
])("%s is refused", (_, bytes, words) => {
  expect(() => readElf(bytes)).toThrow(words);
});
