import { isProbeImage, type ProbeCommand, probeCommandsIn, probeCommandsOf } from "./probe-commands.ts";

type Environment = Readonly<Record<string, string>>;

/**
 * The runs of celery-probe in a Compose file, a manifest of Kubernetes or a task definition of ECS, or a part of one:
 * health checks, probes, and commands of its image.
 */
export function probeCommandsInDocument(node: unknown, outer: Environment = {}): ProbeCommand[] {
  if (Array.isArray(node)) return node.flatMap((one) => probeCommandsInDocument(one, outer));
  if (!isRecord(node)) return [];
  const env = { ...outer, ...environmentOf(node["environment"] ?? node["env"]) };
  const found: ProbeCommand[] = [];
  const check = node["healthcheck"] ?? node["healthCheck"];
  if (isRecord(check)) found.push(...ofTest(check["test"] ?? check["command"], env));
  if (isRecord(node["exec"])) found.push(...ofWords(node["exec"]["command"], env));
  if (typeof node["image"] === "string") found.push(...ofContainer(node, env));
  const others = Object.entries(node).filter(
    ([key]) => !["healthcheck", "healthCheck", "exec"].includes(key),
  );
  return [...found, ...others.flatMap(([, value]) => probeCommandsInDocument(value, env))];
}

/** `["CMD", …]`, `["CMD-SHELL", …]`, `["NONE"]`, or text for a shell. */
function ofTest(test: unknown, env: Environment): ProbeCommand[] {
  if (!Array.isArray(test)) return ofWords(test, env);
  const [kind, ...words] = test.map(String);
  if (kind === "CMD-SHELL") return ofWords(words[0], env);
  if (kind === "CMD") return ofWords(words, env);
  if (kind === "NONE") return [];
  throw new Error(`a health check begins with ${kind ?? "nothing"}: expected CMD, CMD-SHELL or NONE`);
}

/** Of the image of Dockerfile.sidecar whatever is said behind its entrypoint; of others what runs celery-probe. */
function ofContainer(node: Readonly<Record<string, unknown>>, env: Environment): ProbeCommand[] {
  const image = interpolated(String(node["image"]));
  const { entrypoint, command, args } = node;
  const isKubernetes = args !== undefined || "imagePullPolicy" in node;
  const replaced = isKubernetes ? command : entrypoint;
  const behind = isKubernetes ? args : command;
  if (isProbeImage(image) && replaced === undefined) return [{ argv: wordsOf(behind), env }];
  return [...ofWords(replaced, env), ...ofWords(behind, env)];
}

function ofWords(command: unknown, env: Environment): ProbeCommand[] {
  if (typeof command === "string") return probeCommandsOf(interpolated(command), env);
  return probeCommandsIn(wordsOf(command), env);
}

function wordsOf(command: unknown): string[] {
  if (typeof command === "string") return interpolated(command).split(/\s+/);
  return Array.isArray(command) ? command.map((word) => interpolated(String(word))) : [];
}

/** Compose's map or list of `NAME=value`; the `{ name, value }` of Kubernetes and ECS. */
function environmentOf(given: unknown): Environment {
  const pairs = Array.isArray(given)
    ? given.map((one): [string, unknown] => {
        if (isRecord(one)) return [String(one["name"]), one["value"]];
        return assignment(String(one));
      })
    : Object.entries(isRecord(given) ? given : {});
  return Object.fromEntries(pairs.map(([name, value]) => [name, interpolated(textOf(value))]));
}

/** Of `NAME=value`. */
function assignment(text: string): [name: string, value: string] {
  const [name = "", ...value] = text.split("=");
  return [name, value.join("=")];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

/** As Compose does where nothing is set: `${NAME:-default}`, and `$$` for `$`. */
function interpolated(text: string): string {
  return text.replaceAll(/\$\{\w+:?-([^}]*)\}/g, "$1").replaceAll("$$", "$");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The instructions of a Dockerfile that run something when its image does. */
export function probeCommandsInDockerfile(dockerfile: string): ProbeCommand[] {
  const lines = dockerfile
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  return lines.flatMap((line) => {
    const [, words] = /^\s*(?:HEALTHCHECK\s.*?CMD|CMD|ENTRYPOINT|RUN)\s+(.*)$/i.exec(line) ?? [];
    if (words === undefined) return [];
    return words.startsWith("[") ? probeCommandsIn(JSON.parse(words) as string[]) : probeCommandsOf(words);
  });
}

/**
 * The runs of celery-probe in units of systemd and in supervisord's configuration.
 *
 * @throws Error for a line that is neither section nor setting
 */
export function probeCommandsInIni(text: string): ProbeCommand[] {
  const settings: (readonly [string, string])[] = [];
  let hasSection = false;
  for (const line of text.replaceAll(/\\\n/g, " ").split("\n")) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    if (/^\[[^\]]+\]$/.test(line)) hasSection = true;
    else {
      const [, key, value] = /^([A-Za-z_.]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined || !hasSection)
        throw new Error(`neither a section nor a setting of one: ${line}`);
      settings.push([key, value]);
    }
  }
  const env = Object.fromEntries(
    settings.filter(([key]) => key === "Environment").map(([, value]) => assignment(value)),
  );
  return settings
    .filter(([key]) => /^(?:command|Exec\w+)$/.test(key))
    .flatMap(([, value]) => probeCommandsOf(value.replaceAll(/%\(here\)s/g, ".").replaceAll("%%", "%"), env));
}
