import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { commandOf } from "./proc.ts";

/**
 * The e2e tests on a kernel that does not let them make namespaces. Files that need a container are left out. The rest
 * runs only if no other Celery program is in sight.
 */

const ROOT = join(import.meta.dirname, "../..");
const CONTAINER = join(import.meta.dirname, "container.ts");

/** The e2e files that need a container, directly or through their imports; relative to the project's root. */
export function filesWithContainers(): string[] {
  const folder = join(ROOT, "test/e2e");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .filter((name) => reaches(join(folder, name), CONTAINER, new Set()))
    .map((name) => relative(ROOT, join(folder, name)));
}

function reaches(file: string, wanted: string, seen: Set<string>): boolean {
  if (file === wanted) return true;
  if (seen.has(file)) return false;
  seen.add(file);
  const imports = readFileSync(file, "utf8").matchAll(/^(?:import|\}) (?!type).*from "(\..+\.ts)";$/gm);
  return Array.from(imports, ([, path = ""]) => resolve(dirname(file), path)).some((path) =>
    reaches(path, wanted, seen),
  );
}

/** The Celery programs in sight, each with its process number. */
export function celeryInSight(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, words: commandOf(Number(pid)).join(" ") }))
    .filter(({ words }) => /python.*\bcelery\b|^\[?celery/.test(words))
    .map(({ pid, words }) => `process ${pid} (${words.slice(0, 80)})`);
}
