import { DEFAULT_COMMAND } from "../cli/commands.ts";
import type { Taken } from "./commands-taken.ts";

/** For bash 4 and newer. Does not need bash-completion. */
export function bashScript(commands: readonly Taken[]): string {
  const names = commands.map(({ name }) => name);
  return [
    "# bash completion for celery-probe: source <(celery-probe completion bash)",
    "_celery_probe() {",
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i",
    "  # bash takes --option=value for three words.",
    '  if [[ $cur == "=" ]]; then cur=; elif [[ $prev == "=" ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi',
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    "    case ${COMP_WORDS[i]} in",
    `      ${names.join("|")}) command=\${COMP_WORDS[i]}; break ;;`,
    "    esac",
    "  done",
    "  COMPREPLY=()",
    `  case \${command:-${DEFAULT_COMMAND}}:$prev in`,
    ...commands.flatMap(({ name, options }) =>
      options.flatMap(({ flag, value }) => {
        if (value === "none") return [];
        const reply = value === "files" ? files() : value === "any" ? "" : fromWords(value);
        return [`    ${name}:${flag}) ${reply === "" ? "" : `${reply}; `}return ;;`];
      }),
    ),
    "  esac",
    "  case $command in",
    ...commands.map(({ name, options, words }) => {
      const flags = options.map(({ flag }) => flag);
      const all = words === "files" ? flags : [...words, ...flags];
      const more = words === "files" ? `; [[ $cur == -* ]] || ${files()}` : "";
      return `    ${name}) ${fromWords(all)}${more} ;;`;
    }),
    `    *) ${fromWords([...names, ...(commands.find(({ name }) => name === DEFAULT_COMMAND)?.options ?? []).map(({ flag }) => flag)])} ;;`,
    "  esac",
    "}",
    "complete -F _celery_probe celery-probe",
    "",
  ].join("\n");
}

function fromWords(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$cur"))`;
}

function files(): string {
  return 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
}
