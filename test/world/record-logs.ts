/**
 * Records `test/fixtures/logs/` again: `node test/world/record-logs.ts [NAME…]`. Each file is the log of a real worker
 * or beat that failed in the way of the file's name. Paths and names of this machine are replaced.
 */
import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { hostname } from "node:os";
import type { CeleryVersion } from "./pairs.ts";
import { FAILURES, type Failure } from "./failures.ts";
import { ProcessGroup } from "./process-group.ts";
import { celeryVenv } from "./python.ts";
import { startServer } from "./server.ts";

const FOLDER = resolve(import.meta.dirname, "../fixtures/logs");
const CELERIES: readonly CeleryVersion[] = ["5.2.7", "5.7.0"];

/** Arguments of `unshare` before the folder and the program. */
const APART: { readonly [K in NonNullable<Failure["apart"]>]: readonly string[] } = {
  "read-only": [
    ...["-m", "--propagation", "private", "sh", "-c"],
    'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"',
  ],
  "no-network": ["-n", "sh", "-c", 'exec "$@"'],
};

await mkdir(FOLDER, { recursive: true });
const asked = process.argv.slice(2);
for (const [name, failure] of Object.entries(FAILURES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  for (const celery of CELERIES) {
    const file = join(FOLDER, `${name}.${celery}.log`);
    await writeFile(file, await record(failure, celery));
    process.stderr.write(`recorded ${relative(process.cwd(), file)}\n`);
  }
}

/** @throws Error if it does not fail in that way */
async function record(failure: Failure, celery: CeleryVersion): Promise<string> {
  const { also } = failure;
  const venv = await celeryVenv(celery, also === undefined ? {} : { also });
  await using server = await startServer(failure.server);
  const admin = server.client();
  await failure.prepare?.(admin, server);
  const group = await ProcessGroup.start({
    what: "failing",
    command: failure.apart === undefined ? venv.python : "unshare",
    args(folder) {
      if (failure.file !== undefined) writeFileSync(join(folder, failure.file[0]), failure.file[1]);
      const words = ["-m", "celery", ...failure.words];
      return failure.apart === undefined ? words : [...APART[failure.apart], folder, venv.python, ...words];
    },
    env: (folder) => ({
      PATH: "/usr/bin:/bin",
      HOME: folder,
      LANG: "C.UTF-8",
      PYTHONPATH: join(import.meta.dirname, "failing"),
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      FAILING_BROKER: failure.brokerUrl?.(server) ?? server.url(),
      FAILING_FOLDER: folder,
      ...failure.env,
    }),
  });
  try {
    if (failure.afterwards !== undefined) {
      await group.waitForLog(failure.ready ?? / ready\.$/m, { timeoutMs: 90_000 });
      await failure.afterwards(admin, group);
    }
    if (failure.until === undefined) await group.ended;
    else await group.waitForLog(failure.until, { timeoutMs: 90_000 });
  } finally {
    await group.stop(1_000);
  }
  return group.log
    .replaceAll(group.folder, "/srv")
    .replaceAll(join(import.meta.dirname, "failing"), "/app")
    .replaceAll(venv.folder, "/venv")
    .replaceAll(
      /\/[^\s"']{0,200}\/lib\/python3\.\d+\/(?=[a-z_]+\/|[a-z_]+\.py)(?!site-packages)/g,
      "/usr/lib/python3/",
    )
    .replaceAll(hostname(), "world");
}
