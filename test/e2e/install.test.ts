import { execFileSync } from "node:child_process";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EXECUTABLE, probe, startProbe } from "./probe.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "celery-probe-install-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Resolves when the folder is no longer empty. */
async function begun(): Promise<void> {
  while ((await readdir(folder)).length === 0) await new Promise(setImmediate);
}

const sizeOf = async (path: string) => (await stat(path)).size;

test.each(["probe", ".", "./"])("copies itself to %s, with mode 0755, and says its version", async (name) => {
  const done = await probe(["install", join(folder, name) + (name.endsWith("/") ? "/" : "")]);
  const path = join(folder, name === "probe" ? "probe" : "celery-probe");
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
  expect(done.stdout).toMatch(/^celery-probe \d+\.\d+\.\d+ is installed as /);
  expect((await stat(path)).mode & 0o777).toBe(0o755);
  expect(await sizeOf(path)).toBe(await sizeOf(EXECUTABLE));
  const copy = await execa(path, ["--version"], { env: {}, extendEnv: false });
  expect(copy.stdout).toMatch(/^celery-probe \d/);
  expect(await readdir(folder)).toHaveLength(1);
});

test("does nothing if it is already there", async () => {
  const path = join(folder, "probe");
  await probe(["install", path]);
  const before = await stat(path);
  const again = await probe(["install", path]);
  expect(again).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/is already there as/) as unknown,
  });
  expect((await stat(path)).ino).toBe(before.ino);
});

test("repairs a copy that may not be executed, and replaces one of another version", async () => {
  const path = join(folder, "probe");
  await copyFile(EXECUTABLE, path);
  await chmod(path, 0o600);
  expect((await probe(["install", path])).stdout).toContain("and replaces another");
  await writeFile(path, (await readFile(EXECUTABLE)).subarray(0, -1));
  expect((await probe(["install", path])).stdout).toContain("and replaces another");
  expect(await sizeOf(path)).toBe(await sizeOf(EXECUTABLE));
});

test("replaces a link to another version by a file, and does not change the link's target", async () => {
  await writeFile(join(folder, "older"), (await readFile(EXECUTABLE)).subarray(0, -1));
  await symlink("older", join(folder, "probe"));
  expect((await probe(["install", join(folder, "probe")])).exitCode).toBe(0);
  expect((await lstat(join(folder, "probe"))).isFile()).toBe(true);
  expect(await sizeOf(join(folder, "older"))).toBe((await sizeOf(EXECUTABLE)) - 1);
});

test("replaces a copy that is running", async () => {
  const path = join(folder, "probe");
  await copyFile(EXECUTABLE, path);
  await chmod(path, 0o700);
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const asking = once(silent, "connection");
  const running = execa(path, ["--broker", `redis://127.0.0.1:${port}/0`, "--placement", "remote"], {
    reject: false,
  });
  const [connection] = (await asking) as [Socket];
  expect((await probe(["install", path])).stdout).toContain("and replaces another");
  connection.destroy();
  silent.close();
  expect((await running).stdout).toMatch(/^unknown: broker-/);
});

test("does not change a file that is not celery-probe", async () => {
  const path = join(folder, "precious");
  await writeFile(path, "environment: { CELERY_PROBE_TIMEOUT: 3s }");
  const done = await probe(["install", path]);
  expect(done).toMatchObject({ exitCode: 1, stdout: "" });
  expect(done.stderr).toMatch(/^celery-probe: .*precious is another program's file/);
  expect(await readFile(path, "utf8")).toBe("environment: { CELERY_PROBE_TIMEOUT: 3s }");
});

test("reports a missing folder, or another thing in the file's place", async () => {
  expect((await probe(["install", join(folder, "none/probe")])).stderr).toContain("its folder is not there");
  expect((await probe(["install", "/proc/probe"])).stderr).toMatch(/the system refused \(ENOENT/);
  await mkdir(join(folder, "celery-probe"));
  expect((await probe(["install", folder])).stderr).toContain("is a folder");
  await symlink("/dev/null", join(folder, "device"));
  expect((await probe(["install", join(folder, "device")])).stderr).toContain("is not a file");
  expect((await probe(["install", ""])).stderr).toContain("is empty: expected PATH");
});

test("reports a read-only or full file system, and a folder where this user may not write", async () => {
  const isRoot = process.getuid?.() === 0;
  // Other users may not enter the folder of the test's world. So this is root without its right to write everywhere.
  const powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
  await chmod(folder, 0o555);
  const before = isRoot ? powerless : ["env", "--"];
  const refused = await execa(before[0] ?? "", [...before.slice(1), EXECUTABLE, "install", folder], {
    reject: false,
  });
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("this user may not write there");
  if (!isRoot) return;
  await chmod(folder, 0o755);
  execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "none", folder]);
  try {
    expect((await probe(["install", folder])).stderr).toContain("the file system is read-only");
  } finally {
    execFileSync("umount", [folder]);
  }
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "none", folder]);
  try {
    expect((await probe(["install", folder])).stderr).toContain("no space is left");
    expect(await readdir(folder)).toEqual([]);
  } finally {
    execFileSync("umount", [folder]);
  }
});

test("two at once leave one complete file", async () => {
  const path = join(folder, "probe");
  const both = await Promise.all([probe(["install", path]), probe(["install", path])]);
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await sizeOf(path)).toBe(await sizeOf(EXECUTABLE));
  expect(await readdir(folder)).toEqual(["probe"]);
});

test("a killed one leaves nothing under the name, and the next one removes the rest", async () => {
  const path = join(folder, "probe");
  const running = startProbe(["install", path]);
  await Promise.race([running, begun()]);
  running.kill("SIGKILL");
  await running;
  const left = await stat(path).catch(() => null);
  expect(left === null || left.size === (await sizeOf(EXECUTABLE))).toBe(true);
  expect((await probe(["install", path])).exitCode).toBe(0);
  expect(await readdir(folder)).toEqual(["probe"]);
  expect(await sizeOf(path)).toBe(await sizeOf(EXECUTABLE));
});

test("one that was stopped for longer than others wait for it finishes correctly when it continues", async () => {
  const path = join(folder, "probe");
  const stopped = startProbe(["install", path]);
  await Promise.race([stopped, begun()]);
  stopped.kill("SIGSTOP");
  expect((await probe(["install", path])).exitCode).toBe(0);
  stopped.kill("SIGCONT");
  expect((await stopped).exitCode).toBe(0);
  expect(await readdir(folder)).toEqual(["probe"]);
  expect(await sizeOf(path)).toBe(await sizeOf(EXECUTABLE));
});
