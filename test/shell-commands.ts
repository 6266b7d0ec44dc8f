/** A command of a shell script: its words, without quotes, without redirections and variables set in front of it. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** Variables that are set for this command alone. */
  readonly env: Readonly<Record<string, string>>;
}

/** Words after which a command begins (POSIX, Shell Command Language 2.4). */
const RESERVED = new Set(["!", "{", "do", "else", "elif", "if", "then", "until", "while"]);

const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;

/**
 * The simple commands of a script, those of `$(…)` too, as far as documentation needs shells: no here-documents, no
 * backquotes, nothing is expanded.
 *
 * @throws Error for what it cannot read
 */
export function shellCommands(script: string): ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let word: string | null = null;
  let isTarget = false;
  const endWord = () => {
    if (word !== null && !isTarget) words.push(word);
    if (word !== null) isTarget = false;
    word = null;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push(withoutPrefix(words));
    words = [];
  };
  const substitute = (begin: number): number => {
    const end = closing(script, begin + 1);
    commands.push(...shellCommands(script.slice(begin + 2, end)));
    word = `${word ?? ""}${script.slice(begin, end + 1)}`;
    return end + 1;
  };

  for (let at = 0; at < script.length;) {
    const character = script[at] ?? "";
    const redirection = word === null ? /^\d*(?:<<?|>>?)(?:&\d)?/.exec(script.slice(at))?.[0] : undefined;
    if (redirection?.includes("<<") === true || character === "`")
      throw new Error(`no here-documents and no backquotes: ${script.slice(at, at + 40)}`);
    if (redirection !== undefined) {
      isTarget = !redirection.includes("&");
      at += redirection.length;
    } else if (script.startsWith("\\\n", at)) {
      at += 2;
    } else if (character === "\\") {
      word = `${word ?? ""}${script[at + 1] ?? ""}`;
      at += 2;
    } else if (script.startsWith("$(", at)) {
      at = substitute(at);
    } else if (character === "'") {
      const end = endOf(script, "'", at + 1);
      word = `${word ?? ""}${script.slice(at + 1, end)}`;
      at = end + 1;
    } else if (character === '"') {
      word ??= "";
      for (at += 1; script[at] !== '"';) {
        if (at >= script.length) throw new Error(`a quote does not end: ${script}`);
        if (script.startsWith("$(", at)) at = substitute(at);
        else {
          if (script[at] === "\\") at += 1;
          word += script[at] ?? "";
          at += 1;
        }
      }
      at += 1;
    } else if (character === "#" && word === null) {
      at = script.indexOf("\n", at) < 0 ? script.length : script.indexOf("\n", at);
    } else if (/[ \t]/.test(character)) {
      endWord();
      at += 1;
    } else if (/[\n;|&()]/.test(character)) {
      endCommand();
      at += 1;
    } else {
      word = `${word ?? ""}${character}`;
      at += 1;
    }
  }
  endCommand();
  return commands;
}

function withoutPrefix(words: readonly string[]): ShellCommand {
  const begin = words.findIndex((word) => !RESERVED.has(word));
  const rest = begin < 0 ? [] : words.slice(begin);
  const set = rest.findIndex((word) => !ASSIGNMENT.test(word));
  const env = Object.fromEntries(
    rest.slice(0, set < 0 ? rest.length : set).map((word) => {
      const [, name = "", value = ""] = ASSIGNMENT.exec(word) ?? [];
      return [name, value];
    }),
  );
  return { words: set < 0 ? [] : rest.slice(set), env };
}

/** Where the parenthesis that opens at `begin` closes. */
function closing(script: string, begin: number): number {
  let depth = 0;
  for (let at = begin; at < script.length; at += 1) {
    if (script[at] === "'") at = endOf(script, "'", at + 1);
    else if (script[at] === "(") depth += 1;
    else if (script[at] === ")" && --depth === 0) return at;
  }
  throw new Error(`a parenthesis does not close: ${script}`);
}

function endOf(script: string, character: string, from: number): number {
  const end = script.indexOf(character, from);
  if (end < 0) throw new Error(`${character} does not end: ${script}`);
  return end;
}
