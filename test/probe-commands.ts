import { COMMAND_NAMES } from "../src/cli/commands.ts";
import { allVariables, SHELLS, takenByAny } from "../src/cli/command-options.ts";
import { VARIABLE_PREFIX } from "../src/cli/options.ts";
import { commandOf, parse } from "../src/cli/parse.ts";
import { sentenceOf } from "../src/cli/stray.ts";
import { readWords } from "../src/inspect/methods.ts";
import { shellCommands } from "./shell-commands.ts";

type Environment = Readonly<Record<string, string>>;

/** A run of celery-probe that somebody has written down. */
export interface ProbeCommand {
  /** Behind `celery-probe`. */
  readonly argv: readonly string[];
  readonly env: Environment;
}

/** Options of docker, docker compose and kubectl that take no value. */
const SWITCHES =
  /^(?:-[dit]+|--(?:rm|detach|init|interactive|tty|privileged|read-only|no-deps|build|quiet))$|^--[\w-]+=/;

/** What names celery-probe, or a file of it, and does not run it. */
const MENTIONS =
  /^(?:docker (?:build|buildx|image|inspect|pull|push|tag|volume) |(?:chmod|cp|install|ls|mv|pip|pipx|sha256sum|uv) )/;

/** Whether a word is this program. */
export function isProbe(word: string): boolean {
  return /^(?:\S*\/)?celery-probe$/.test(word);
}

/** Whether it is the image of Dockerfile.sidecar. */
export function isProbeImage(image: string): boolean {
  return /^(?:\S*\/)?celery-probe(?::[\w.-]+)?$/.test(image);
}

/**
 * The runs of celery-probe in a script for a shell.
 *
 * @throws Error where a command has to do with it in a way that is not known here
 */
export function probeCommandsOf(script: string, env: Environment = {}): ProbeCommand[] {
  return shellCommands(script).flatMap((command) =>
    probeCommandsIn(command.words, { ...env, ...command.env }),
  );
}

/** The same, of one command that stands there as a list of words. */
export function probeCommandsIn(words: readonly string[], env: Environment = {}): ProbeCommand[] {
  const [head = "", ...rest] = words;
  if (isProbe(head)) return [{ argv: rest, env }];
  if (/^(?:\/bin\/)?(?:ba)?sh$/.test(head) && rest[0] === "-c") return probeCommandsOf(rest[1] ?? "", env);
  if (head === "exec" || head === "sudo") return probeCommandsIn(rest, env);
  // examples/supervisor
  if (/^python3?$/.test(head) && /(?:^|\/)restart_unhealthy\.py$/.test(rest[0] ?? ""))
    return probeCommandsIn(rest.slice(2), env);
  if (/^(?:docker|docker-compose|kubectl)$/.test(head)) {
    const inside = /^(?:\S+ )+?(?:exec|run)(?= )/.exec(words.join(" "))?.[0].split(" ");
    if (inside !== undefined && !inside.includes("build"))
      return probeCommandsInContainer(inside.at(-1) === "run", words.slice(inside.length), env);
  }
  // ECS Exec
  if (head === "aws" && words.includes("--command"))
    return probeCommandsOf(words[words.indexOf("--command") + 1] ?? "", env);
  const line = words.join(" ");
  if (words.some((word) => /(?:^|[/\s=])celery-probe(?=$|[\s"'])/.test(word)) && !MENTIONS.test(line))
    throw new Error(`what does this do with celery-probe? ${line}`);
  return [];
}

/** Behind `docker run`, `docker exec`, `docker compose exec`, `kubectl exec` and the like. */
function probeCommandsInContainer(
  isRun: boolean,
  words: readonly string[],
  env: Environment,
): ProbeCommand[] {
  const found: ProbeCommand[] = [];
  const given: Record<string, string> = { ...env };
  let entrypoint: string | null = null;
  let at = 0;
  for (; words[at]?.startsWith("-") === true; at += 1) {
    const option = words[at] ?? "";
    if (SWITCHES.test(option)) continue;
    const value = words[at + 1] ?? "";
    at += 1;
    if (option === "--env" || option === "-e") {
      const [, name = "", text = ""] = /^(\w+)=(.*)$/s.exec(value) ?? [];
      given[name] = text;
    }
    if (option === "--entrypoint") entrypoint = value;
    if (option === "--health-cmd") found.push(...probeCommandsOf(value, given));
  }
  const [subject = "", ...rest] = words.slice(at);
  const inside = rest.includes("--") ? rest.slice(rest.indexOf("--") + 1) : rest;
  if (entrypoint !== null) found.push(...probeCommandsIn([entrypoint, ...inside], given));
  else if (isRun && isProbeImage(subject)) found.push({ argv: inside, env: given });
  else found.push(...probeCommandsIn(inside, given));
  return found;
}

/** What celery-probe itself has against a command line; null: it would run it. Nothing is run. */
export function objectionTo({ argv, env }: ProbeCommand): string | null {
  const known = allVariables();
  const foreign = Object.keys(env).filter((name) => name.startsWith(VARIABLE_PREFIX) && !known.has(name));
  if (foreign.length > 0) return `no such variable: ${foreign.join(", ")}`;
  const name = commandOf(argv);
  const parsed = parse(argv, env, takenByAny(name));
  if (!parsed.ok) return sentenceOf(parsed.problem);
  if (parsed.value.kind !== "run") return null;
  const [word = "", ...others] = parsed.value.words;
  const objects = (accepted: boolean) => (accepted ? null : `${name} does not take '${word}'`);
  switch (name) {
    case "inspect":
      return objects(
        readWords([word, ...others], {
          "with-defaults": argv.includes("--with-defaults"),
          all: argv.includes("--all"),
          builtins: argv.includes("--builtins"),
        }).ok,
      );
    case "completion":
      return objects(SHELLS.some((shell) => shell === word));
    case "help":
      return objects(word === "" || COMMAND_NAMES.some((one) => one === word));
    default:
      return null;
  }
}

/** Where a command is to be read from what a page shows of a terminal: the lines behind its prompt. */
export function typedIn(console: string): string {
  return console
    .split("\n")
    .flatMap((line) => /^[$#] (.*)$/.exec(line)?.[1] ?? [])
    .join("\n");
}
