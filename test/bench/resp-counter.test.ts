import { expect, test } from "vitest";
import { RespCounter } from "../../bench/resp-counter.ts";

/** Two commands in one write; the second word holds what looks like a third, and characters of several bytes. */
const SENT = Buffer.from("*1\r\n$5\r\nmulti\r\n*2\r\n$5\r\nRPUSH\r\n$19\r\n*1\r\n$4\r\nPING\r\né…\r\n");

function countedInPieces(size: number): readonly string[] {
  const counter = new RespCounter();
  for (let at = 0; at < SENT.length; at += size) counter.add(SENT.subarray(at, at + size));
  return counter.commands;
}

test.each([1, 2, 7, SENT.length])("commands are counted when they arrive in pieces of %i bytes", (size) => {
  expect(countedInPieces(size)).toEqual(["MULTI", "RPUSH"]);
});

test("a command that has not arrived whole does not count", () => {
  const counter = new RespCounter();
  counter.add(SENT.subarray(0, -1));
  expect(counter.commands).toEqual(["MULTI"]);
});

test.each(["PING\r\n", "*x\r\n", "*1\r\n+OK\r\n", "\r\n"])("what is no RESP is refused: %j", (text) => {
  expect(() => {
    new RespCounter().add(Buffer.from(text));
  }).toThrow("is no RESP");
});
