import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");

/** A file of the project. */
export function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The files of the examples. */
export const EXAMPLES = readdirSync(join(ROOT, "examples"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
  .sort();

/** Everything that is written for readers, pictures included. */
export const PAGES = [
  ...readdirSync(ROOT).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"))
    .filter((file) => !file.endsWith(".png"))
    .map((file) => `docs/${file}`),
  ...EXAMPLES.filter((file) => file.endsWith(".md")),
];

/** The words of a union of strings in the sources, or of the `kind` fields of one of objects. */
export function membersOf(file: string, type: string): string[] {
  const source = read(file);
  const text = source.slice(source.indexOf(`export type ${type} =`)).split(/;\n\n/, 1)[0] ?? "";
  const pattern = text.includes("kind: ") ? /readonly kind: "([a-z-]+)"/g : /\| "([a-z-]+)"/g;
  return [...text.matchAll(pattern)].map(([, word]) => word ?? "");
}
