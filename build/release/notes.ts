/**
 * The section of a version in CHANGELOG.md: the text below `## VERSION, DATE`.
 *
 * @throws Error if the section or its date is missing
 */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => /^\S+?(?=,|\s)/.exec(text)?.[0] === version);
  if (section === undefined)
    throw new Error(`CHANGELOG.md has no section for ${version}: expected '## ${version}, DATE'`);
  const [heading = "", ...lines] = section.split("\n");
  if (!/, \d{4}-\d\d-\d\d$/.test(heading))
    throw new Error(`CHANGELOG.md has '## ${heading}': expected '## ${version}, DATE', such as 2026-12-31`);
  return `${lines.join("\n").trim()}\n`;
}

/** @throws Error if the tag belongs to another version */
export function expectTagOf(version: string, tag: string): void {
  if (tag !== `v${version}`)
    throw new Error(`the tag is '${tag}', and package.json has version ${version}: expected v${version}`);
}
