import { expect, test, vi } from "vitest";

// Nothing is forbidden to root, as whom these tests run as well: the refusal has to be played.
vi.doMock("node:fs", () => {
  const refuse = (path: string) => {
    const code = /EACCES|EPERM|ESRCH|EMFILE/.exec(path)?.[0] ?? "ENOENT";
    throw Object.assign(new Error(code), { code });
  };
  return {
    closeSync: refuse,
    openSync: refuse,
    readSync: refuse,
    readFileSync: refuse,
    readlinkSync: refuse,
    readdirSync: refuse,
  };
});
// Other files of the suite have loaded it with the true one, and go on with that.
vi.resetModules();
const { procFs: openProc } = await import("../../src/worker/proc-fs.ts");
vi.doUnmock("node:fs");
const procFs = openProc(() => 0);

test.each([
  ["EACCES", "forbidden"],
  ["EPERM", "forbidden"],
  ["ESRCH", "gone"],
  ["EMFILE", "gone"],
])("procFs takes %s for %s", (code, problem) => {
  expect(procFs.read(`/proc/${code}`)).toEqual({ ok: false, problem });
  expect(procFs.read(`/proc/${code}`, () => true)).toEqual({ ok: false, problem });
  expect(procFs.link(`/proc/${code}`)).toEqual({ ok: false, problem });
  expect(procFs.list(`/proc/${code}`)).toBeNull();
});
