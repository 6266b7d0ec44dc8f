import { DEFAULT_COMMAND } from "../cli/commands.ts";
import type { Taken, TakenOption } from "./commands-taken.ts";

/** For zsh 5. The script is sourced, or it is saved in a folder of `fpath` as `_celery-probe`. */
export function zshScript(commands: readonly Taken[]): string {
  const names = commands.map(({ name }) => name);
  const general = commands.find(({ name }) => name === DEFAULT_COMMAND);
  return [
    "#compdef celery-probe",
    "# zsh completion for celery-probe: source <(celery-probe completion zsh)",
    "_celery_probe() {",
    "  local command word previous=${words[CURRENT-1]}",
    "  local -a options commands",
    "  if [[ $PREFIX == --*=* ]]; then previous=${PREFIX%%=*}; compset -P '*='; fi",
    "  for word in ${words[2,CURRENT-1]}; do",
    `    case $word in (${names.join("|")}) command=$word; break ;; esac`,
    "  done",
    `  case \${command:-${DEFAULT_COMMAND}}:$previous in`,
    ...commands.flatMap(({ name, options }) =>
      options.flatMap(({ flag, value }) => {
        if (value === "none") return [];
        const reply =
          value === "files" ? "_files; " : value === "any" ? "" : `compadd -- ${value.join(" ")}; `;
        return [`    (${name}:${flag}) ${reply}return ;;`];
      }),
    ),
    "  esac",
    "  case $command in",
    ...commands.map(({ name, options, words }) => {
      const first =
        words === "files" ? "_files; " : words.length > 0 ? `compadd -- ${words.join(" ")}; ` : "";
      return `    (${name}) ${first}options=(${described(options)}) ;;`;
    }),
    "    (*)",
    `      commands=(${commands.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(" ")})`,
    "      _describe -t commands command commands",
    `      options=(${described(general?.options ?? [])}) ;;`,
    "  esac",
    "  _describe -o -t options option options",
    "}",
    'if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _celery_probe "$@"; else compdef _celery_probe celery-probe; fi',
    "",
  ].join("\n");
}

function described(options: readonly TakenOption[]): string {
  return options.map(({ flag, summary }) => quoted(`${flag}:${summary}`)).join(" ");
}

/** The first colon separates word and description, so later ones need no escape. Quotes would end a word. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
