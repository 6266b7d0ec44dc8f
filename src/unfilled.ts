/** Variables that were not filled in: their notations, and the program that should have filled them in. */

const NOTATIONS = [
  { by: "kubernetes", pattern: /\$\([A-Za-z_][\w .-]{0,63}\)/ },
  { by: "shell", pattern: /\$\{[A-Za-z_]\w{0,63}\}|\$[A-Z_][A-Z0-9_]{0,63}/ },
  { by: "template", pattern: /\{\{ {0,4}[\w.]{1,64} {0,4}\}\}/ },
  { by: "supervisord", pattern: /%\([A-Za-z_]\w{0,63}\)s/ },
  // In percent-encoding, two percent signs are closer together.
  { by: "windows", pattern: /%[A-Z_][A-Z0-9_]{2,63}%/ },
] as const;

/** An unfilled variable as it is written. */
export interface Unfilled {
  readonly name: string;
  readonly by: (typeof NOTATIONS)[number]["by"];
}

/** The first one in the text; null: the text contains none. */
export function unfilled(text: string): Unfilled | null {
  // These searches spare a good text all others. They also spare each check the compilation of an expression.
  if (!text.includes("$") && !text.includes("%") && !text.includes("{{")) return null;
  for (const { by, pattern } of NOTATIONS) {
    const name = pattern.exec(text)?.[0];
    if (name !== undefined) return { name, by };
  }
  return null;
}

/** Whether it stands for the name of this host. */
export function isHostName({ name }: Unfilled): boolean {
  return /host_?name|computername|pod_name/i.test(name);
}

/**
 * What is wrong with a text that contains it, as a phrase to follow the quoted text.
 *
 * @param where such as ` instead of its host`
 * @param hint what to do; default: it depends on the notation
 */
export function unfilledWords(
  { name, by }: Unfilled,
  text: string,
  { where = "", hint = WHO_FILLS[by] }: { readonly where?: string; readonly hint?: string } = {},
): string {
  const fact = name === text ? "is a variable" : `has '${name}'${where}, a variable`;
  return `${fact} that nobody has filled in: ${hint}`;
}

const WHO_FILLS: Readonly<Record<Unfilled["by"], string>> = {
  kubernetes:
    "Kubernetes fills $(NAME) only where env has it further up, and no shell reads a command in exec form",
  shell: "no shell reads a command in exec form, or an env file: write CMD-SHELL or sh -c '…'",
  template: "its template was not rendered",
  supervisord: "only supervisord's own file fills %(ENV_NAME)s",
  windows: "only Windows fills %NAME%: write $NAME where a shell reads it",
};
