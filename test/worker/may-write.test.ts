import { expect, test } from "vitest";
import type { FileLook } from "../../src/machine/parts.ts";
import { identityOf, mayWrite } from "../../src/worker/may-write.ts";
import { fakeProc } from "./fake-proc.ts";

const APP = { uid: 1000, groups: [1000, 50], overrides: false };

test.each([
  ["owner", { uid: 1000, gid: 0, mode: 0o644 }, true],
  ["owner of a read-only file, whatever others may", { uid: 1000, gid: 0, mode: 0o466 }, false],
  ["a group of its own", { uid: 0, gid: 50, mode: 0o664 }, true],
  ["a group that may not, though others may", { uid: 0, gid: 50, mode: 0o606 }, false],
  ["somebody else", { uid: 0, gid: 0, mode: 0o644 }, false],
  ["everybody", { uid: 0, gid: 0, mode: 0o1777 }, true],
])("%s", (_, look, expected) => {
  const file: FileLook = { kind: "file", isReadOnly: false, bytes: 0, modifiedS: 0, ...look };
  expect(mayWrite(APP, file)).toBe(expected);
  expect(mayWrite({ ...APP, overrides: true }, file)).toBe(true);
});

test.each([
  ["root", "Uid:\t0\t0\t0\t0", "CapEff:\t00000000a80425fb", true],
  ["root without capabilities", "Uid:\t0\t0\t0\t0", "CapEff:\t0000000000000000", false],
  ["root where the kernel tells no capabilities", "Uid:\t0\t0\t0\t0", "", true],
  ["a user", "Uid:\t0\t0\t0\t9", "CapEff:\t0000000000000000", false],
  ["a user with the capability", "Uid:\t9\t9\t9\t9", "CapEff:\t0000000000000002", true],
])("whatever the mode, %s may write: %s, %s", (_, uid, capabilities, overrides) => {
  const proc = fakeProc([], { "/proc/12/status": `${uid}\nGid:\t9\t9\t9\t9\n${capabilities}\n` });
  expect(identityOf(proc, 12)).toMatchObject({ overrides });
});
