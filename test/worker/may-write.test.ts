import { expect, test } from "vitest";
import type { FileLook } from "../../src/machine/parts.ts";
import { mayWrite } from "../../src/worker/may-write.ts";

const APP = { uid: 1000, groups: [1000, 50] };

test.each([
  ["owner", { uid: 1000, gid: 0, mode: 0o644 }, true],
  ["owner of a read-only file, whatever others may", { uid: 1000, gid: 0, mode: 0o466 }, false],
  ["a group of its own", { uid: 0, gid: 50, mode: 0o664 }, true],
  ["a group that may not, though others may", { uid: 0, gid: 50, mode: 0o606 }, false],
  ["somebody else", { uid: 0, gid: 0, mode: 0o644 }, false],
  ["everybody", { uid: 0, gid: 0, mode: 0o1777 }, true],
])("%s", (_, look, expected) => {
  const file: FileLook = { kind: "file", bytes: 0, modifiedS: 0, ...look };
  expect(mayWrite(APP, file)).toBe(expected);
  expect(mayWrite({ uid: 0, groups: [0] }, file)).toBe(true);
});
