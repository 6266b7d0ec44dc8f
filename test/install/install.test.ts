import { expect, test } from "vitest";
import { install } from "../../src/install/install.ts";
import type { Files, Left, Unwritten } from "../../src/machine/parts.ts";
import { failure } from "../../src/outcome.ts";
import { fakeHost } from "../health/fake-host.ts";

const REMOVED: Unwritten = { cause: "removed", detail: "ENOENT: no such file or directory" };

/** An installation into a folder with an unfinished file that is so long at a time, in bytes; null: it is gone. */
async function installed(
  bytesAt: (ms: number) => number | null,
  problems: readonly (Unwritten | null)[] = [],
) {
  const host = fakeHost({});
  const begin = host.now();
  const forgotten: Left[] = [];
  const names: string[] = [];
  const files: Partial<Files> = {
    look: () => failure("gone"),
    left() {
      const bytes = forgotten.length > 0 ? null : bytesAt(host.now() - begin);
      return bytes === null ? [] : [{ path: "/shared/.celery-probe.x", bytes, writtenMs: 1 }];
    },
    forget: (left) => forgotten.push(left),
    copySelf(_, unique) {
      names.push(unique);
      return problems[names.length - 1] ?? null;
    },
  };
  const done = await install("/shared/probe", host, files as Files);
  return { kind: done.kind, waitedMs: host.now() - begin, forgotten: forgotten.length, names };
}

test("install copies at once when nothing unfinished is there", async () => {
  expect(await installed(() => null)).toMatchObject({ kind: "installed", waitedMs: 0, forgotten: 0 });
});

test("install removes an unfinished file that has not grown for 2 s", async () => {
  expect(await installed(() => 7)).toMatchObject({ kind: "installed", waitedMs: 2_000, forgotten: 1 });
});

test("install does not touch an unfinished file that grows or is finished in the meantime", async () => {
  expect(await installed((ms) => ms)).toMatchObject({ kind: "installed", waitedMs: 100, forgotten: 0 });
  expect(await installed((ms) => (ms < 1_000 ? 7 : ms))).toMatchObject({ waitedMs: 1_000, forgotten: 0 });
  expect(await installed((ms) => (ms < 1_500 ? 7 : null))).toMatchObject({ waitedMs: 1_500, forgotten: 0 });
});

test("install copies up to three times, under new names, when its unfinished file is removed", async () => {
  const twice = await installed(() => null, [REMOVED, null]);
  expect(twice).toMatchObject({ kind: "installed", names: ["uuid-1", "uuid-2"] });
  const thrice = await installed(() => null, [REMOVED, REMOVED, REMOVED, null]);
  expect(thrice).toMatchObject({ kind: "failed", names: { length: 3 } });
});
