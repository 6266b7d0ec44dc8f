import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, test } from "vitest";
import { isMap, isScalar, type Pair, parseAllDocuments, visit } from "yaml";
import { wheelName } from "../build/release/wheel.ts";
import { TARGETS } from "../build/targets.ts";
import manifest from "../package.json" with { type: "json" };
import { allVariables } from "../src/cli/command-options.ts";
import { REASONS } from "../src/health/verdict.ts";
import { EXAMPLES, membersOf, PAGES, read, ROOT } from "./pages.ts";
import { objectionTo, type ProbeCommand, probeCommandsOf, typedIn } from "./probe-commands.ts";
import { probeCommandsInDockerfile, probeCommandsInDocument, probeCommandsInIni } from "./probe-configs.ts";
import { shellCommands } from "./shell-commands.ts";

/** What is between two fences, without the indentation of the first. */
interface Block {
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** What a language's text runs celery-probe with. @throws Error for text that is not of the language */
type Reader = (text: string, folder: string) => readonly ProbeCommand[];

const READERS: Readonly<Record<string, Reader>> = {
  sh: readShell,
  console: (text, folder) => readShell(typedIn(text), folder),
  yaml(text) {
    const documents = parseAllDocuments(text, { merge: true });
    const errors = documents.flatMap((document) => document.errors);
    if (errors.length > 0) throw new Error(errors.join("\n"));
    for (const document of documents) visit(document, { Pair: expectHealthcheck });
    return probeCommandsInDocument(documents.map((document) => document.toJS() as unknown));
  },
  json: (text) => probeCommandsInDocument(JSON.parse(text)),
  dockerfile(text) {
    const whole = /^\s*FROM\s/im.test(text) ? text : `FROM scratch\n${text}`;
    const problems = validate(whole);
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    return probeCommandsInDockerfile(text);
  },
  ini: probeCommandsInIni,
  python(text) {
    execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], {
      input: text,
      stdio: ["pipe", "pipe", "pipe"],
    });
    return [];
  },
  /** What programs have written, and what is typed elsewhere than in a shell. */
  text(text) {
    if (typedIn(text) !== "") throw new Error("this is typed: expected console");
    return [];
  },
};

/** What Compose takes in a `healthcheck`. */
const HEALTHCHECK = /^(?:test|interval|timeout|retries|start_period|start_interval|disable)$/;

/** @throws Error for a setting that Compose does not know there */
function expectHealthcheck(_: unknown, { key, value }: Pair): void {
  if (!isScalar(key) || key.value !== "healthcheck" || !isMap(value)) return;
  const unknown = value.items.map((item) => String(item.key)).find((name) => !HEALTHCHECK.test(name));
  if (unknown !== undefined) throw new Error(`healthcheck has no ${unknown}`);
}

const LANGUAGES = {
  ".yaml": "yaml",
  ".json": "json",
  ".conf": "ini",
  ".service": "ini",
  ".timer": "ini",
  ".py": "python",
  ".txt": "text",
  ".sidecar": "dockerfile",
  "": "dockerfile",
} as const;

const OWN_WORDS = new Set<string>([...REASONS, ...membersOf("src/beat/beat-verdict.ts", "BeatReason")]);

const pages = PAGES.filter((page) => page.endsWith(".md")).map((page) => ({
  page,
  blocks: blocksOf(read(page)),
}));

describe.each(pages)("$page", ({ page, blocks }) => {
  test.each(blocks)("line $line: $language", ({ language, text }) => {
    expect(Object.keys(READERS)).toContain(language);
    const commands = READERS[language]?.(text, dirname(page)) ?? [];
    expect(commands.flatMap((command) => objectionTo(command) ?? [])).toEqual([]);
    expect(reasonsIn(text).filter((reason) => !OWN_WORDS.has(reason))).toEqual([]);
  });

  test("names scripts that npm has", () => {
    expect(scriptsIn(read(page)).filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
  });
});

const files = [...EXAMPLES.filter((file) => !file.endsWith(".md")), "Dockerfile.sidecar"];

test.each(files)("%s is what it should be, and celery-probe takes what it is told there", (file) => {
  const text = read(file);
  const language = LANGUAGES[extname(file) as keyof typeof LANGUAGES];
  const commands = READERS[language]?.(text, dirname(file)) ?? [];
  expect(commands.flatMap((command) => objectionTo(command) ?? [])).toEqual([]);
  const variables = [...text.matchAll(/CELERY_PROBE_[A-Z_]*[A-Z]/g)].map(([name]) => name);
  expect(variables.filter((name) => !allVariables().has(name))).toEqual([]);
  expect(scriptsIn(text).filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
});

/** What each of them runs celery-probe with: what is not found is not looked at. */
const RUNS = {
  "Dockerfile.sidecar": ["", "serve --ask /livez"],
  "examples/compose/compose.yaml": [""],
  "examples/compose/monitoring.yaml": ["serve --interval 10s"],
  "examples/compose/placements.yaml": ["", "install /probe/", "watch --interval 1m"],
  "examples/ecs/task-definition.json": ["install /probe/", ""],
  "examples/kubernetes/beside.yaml": ["watch --interval 1m", ""],
  "examples/kubernetes/monitor.yaml": ["watch --interval 1m", "--min-nodes 2"],
  "examples/kubernetes/fleet/deployment.yaml": ["serve --placement remote"],
  "examples/kubernetes/sidecar.yaml": ["serve --placement beside"],
  "examples/kubernetes/worker.yaml": ["install /probe/", "", "--on-unknown healthy", "--require-consuming"],
  "examples/supervisor/supervisord.conf": [
    "--node fast@%h --on-unknown healthy",
    "--node slow@%h --on-unknown healthy --busy-grace 10m",
  ],
  "examples/swarm/stack.yaml": [""],
  "examples/systemd/worker-probe.service": ["--node worker@%h"],
};

test.each(Object.entries(RUNS))("the runs of celery-probe in %s are found", (file, expected) => {
  const language = LANGUAGES[extname(file) as keyof typeof LANGUAGES];
  const commands = READERS[language]?.(read(file), dirname(file)) ?? [];
  expect(new Set(commands.map(({ argv }) => argv.join(" ")))).toEqual(new Set(expected));
});

describe("what is wrong is seen", () => {
  /** Of a command that is not read any further: no objection of celery-probe's own. */
  const UNKNOWN_USE = "what does this do";

  test.each([
    ["sh", "celery-probe --busy-grac 5m", /busy-grac/],
    ["sh", "CELERY_PROBE_BUSY_GRACE=5 celery-probe", /CELERY_PROBE_BUSY_GRACE/],
    ["sh", "CELERY_PROBE_BUSY_GRAC=5m celery-probe", /no such variable/],
    ["sh", "celery-probe inspect shutdown", /inspect does not take 'shutdown'/],
    ["sh", "celery-probe completion tcsh", /tcsh/],
    ["sh", "celery-probe help chek", /chek/],
    ["sh", "docker exec -it w celery-probe wach", /wach/],
    ["sh", "docker compose -f examples/compose/compose.yaml exec w celery-probe --nod x", /--nod/],
    ["sh", "kubectl exec deploy/worker -c worker -- /probe/celery-probe --verbos", /--verbos/],
    ["sh", "aws ecs execute-command --task T --command '/probe/celery-probe --verbos'", /--verbos/],
    ["sh", "docker run --rm --env CELERY_PROBE_PLACEMENT=besides celery-probe", /besides/],
    ["sh", "docker run --rm celery-probe instal /probe/", /instal/],
    ["sh", "docker run --health-cmd '/shared/celery-probe --quit' image", /--quit/],
    ["sh", "sh -c 'celery-probe --quit || exit 1'", /--quit/],
    ["sh", 'echo "$(celery-probe --quit)"', /--quit/],
    ["sh", "timeout 5 celery-probe", new RegExp(UNKNOWN_USE)],
    ["sh", "echo 'a", /unexpected EOF/],
    ["sh", "$ celery-probe", /expected console/],
    ["sh", "docker compose -f nowhere.yaml up", /no nowhere\.yaml/],
    [
      "sh",
      "docker build -f Dockerfile.sidecar -t celery-probe examples/compose",
      /no examples\/compose\/package/,
    ],
    ["sh", "docker build -f Dockerfile.sidecar --target alpine -t celery-probe .", /no stage alpine/],
    ["sh", "docker build -f Dockerfile.sidecar --build-arg LIB=musl -t celery-probe .", /no ARG LIB/],
    ["sh", "docker build -t worker examples/nowhere", /no examples\/nowhere/],
    ["sh", "pip install celery_probe-0.0.9-py3-none-manylinux_2_28_x86_64.whl", /no celery_probe-0\.0\.9/],
    ["sh", "kubectl aply -f examples/kubernetes/worker.yaml", /no subcommand aply/],
    ["sh", "sudo systemctl enabel worker.service", /no subcommand enabel/],
    ["yaml", "healthcheck:\n  start_perod: 30s", /no start_perod/],
    ["console", "$ celery-probe doctr\nhealthy", /doctr/],
    ["text", "$ celery-probe", /expected console/],
    ["yaml", "a: [", /flow/i],
    ["yaml", "healthcheck:\n  test: [celery-probe]", /expected CMD/],
    ["yaml", 'healthcheck:\n  test: ["CMD", "celery-probe", "--quit"]', /--quit/],
    ["yaml", "healthcheck:\n  test: celery-probe --quit || exit 1", /--quit/],
    ["yaml", "livenessProbe:\n  exec: { command: [/probe/celery-probe, --quit] }", /--quit/],
    ["yaml", "image: celery-probe\nargs: [instal, /probe/]", /instal/],
    ["yaml", "image: a\nenvironment: [CELERY_PROBE_NODES=a]\ncommand: celery-probe", /no such variable/],
    ["json", '{"image": "celery-probe:1", "command": ["wach"]}', /wach/],
    ["json", "{", /JSON/],
    ["dockerfile", "FROM a\nHEALTHCHEK CMD x", /HEALTHCHEK/],
    ["dockerfile", 'HEALTHCHECK --interval=1s CMD ["celery-probe", "--quit"]', /--quit/],
    ["dockerfile", "HEALTHCHECK CMD celery-probe --quit || exit 1", /--quit/],
    ["ini", "[Service]\nExecStart=/bin/sh -c 'celery-probe --quit && exit 0'", /--quit/],
    ["ini", "[program:a]\ncommand=python3 %(here)s/restart_unhealthy.py a celery-probe --quit", /--quit/],
    ["ini", "[Service]\nEnvironment=CELERY_PROBE_X=1\nExecStart=/usr/bin/celery-probe", /no such variable/],
    ["ini", "ExecStart=a", /neither a section/],
    ["python", "def", /SyntaxError/],
  ])("%s: %s", (language, text, complaint) => {
    const look = () => {
      const [objection] = (READERS[language]?.(text, "") ?? []).flatMap((one) => objectionTo(one) ?? []);
      throw new Error(objection ?? "nothing is wrong");
    };
    expect(look).toThrow(complaint);
    if (complaint.source !== UNKNOWN_USE) expect(look).not.toThrow(new RegExp(UNKNOWN_USE));
  });
});

/** @throws Error where a fence is not closed */
function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; indent: number; language: string; lines: string[] } | null = null;
  for (const [index, line] of page.split("\n").entries()) {
    const [, indent, language] = /^( *)```(.*)$/.exec(line) ?? [];
    if (indent === undefined || language === undefined) open?.lines.push(line.slice(open.indent));
    else if (open === null) open = { line: index + 1, indent: indent.length, language, lines: [] };
    else {
      blocks.push({ line: open.line, language: open.language, text: `${open.lines.join("\n")}\n` });
      open = null;
    }
  }
  if (open !== null) throw new Error(`line ${open.line}: a fence that is not closed`);
  return blocks;
}

/** The reasons of the lines that celery-probe is said to have printed. */
function reasonsIn(text: string): string[] {
  return [...text.matchAll(/(?:healthy|unhealthy|unknown): ([a-z-]+): /g)].map(([, reason]) => reason ?? "");
}

function scriptsIn(text: string): string[] {
  return [
    ...[...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, name]) => name ?? ""),
    ...[...text.matchAll(/\bnpm (start|test)\b/g)].map(([, name]) => name ?? ""),
  ];
}

function readShell(script: string, folder: string): ProbeCommand[] {
  if (typedIn(script) !== "") throw new Error("a prompt: expected console");
  execFileSync("bash", ["-n"], { input: script, stdio: ["pipe", "pipe", "pipe"] });
  for (const { words } of shellCommands(script)) expectFilesOf(words, folder);
  return probeCommandsOf(script);
}

/** Files and folders that a build makes: `dist`, and the wheels of this version. */
const WHEELS = TARGETS.map((target) => wheelName({ version: manifest.version, target }));
const isBuilt = (path: string) => /^dist(?:\/|$)/.test(path) || WHEELS.includes(basename(path));

/** What the pages type of the tools that take a first word. */
const SUBCOMMANDS: Readonly<Record<string, RegExp>> = {
  docker:
    /^(?:build|compose|exec|inspect|kill|logs|ps|restart|run|service|stack|swarm|events|update|--version)$/,
  kubectl: /^(?:apply|delete|describe|exec|get|logs|patch|rollout|scale|wait)$/,
  systemctl: /^(?:daemon-reload|enable|kill|list-timers|restart|start|status|stop)$/,
  supervisorctl: /^(?:restart|signal|start|status|stop|-c|--configuration)$/,
  npm: /^(?:ci|install|run|start|test)$/,
  pip: /^(?:install|uninstall|show)$/,
  aws: /^ecs$/,
};

/** @throws Error where a tool has no such subcommand */
function expectSubcommandOf(words: readonly string[]): void {
  const [tool = "", first = ""] = words[0] === "sudo" ? words.slice(1) : words;
  const known = SUBCOMMANDS[tool];
  if (known !== undefined && !known.test(first)) throw new Error(`${tool} has no subcommand ${first}`);
}

/** What every build takes. */
const PROXIES = new Set(["http_proxy", "https_proxy"]);

/** @throws Error where a command names a file, or a stage of a Dockerfile, that is not there */
function expectFilesOf(words: readonly string[], folder: string): void {
  const named = words.filter((word) =>
    /^[\w.-][\w./-]*\.(?:ya?ml|json|conf|service|timer|py|whl)$/.test(word),
  );
  expectSubcommandOf(words);
  for (const name of named) pathOf(name, folder);
  if (words[0] !== "docker" || words[1] !== "build") return;
  const valueOf = (...names: readonly string[]) =>
    words.find((_, index) => names.includes(words[index - 1] ?? ""));
  const context = words.at(-1) ?? "";
  const dockerfile = read(pathOf(valueOf("-f", "--file") ?? join(context, "Dockerfile"), folder));
  if (!isBuilt(context)) {
    pathOf(context, folder);
    for (const [, source = ""] of dockerfile.matchAll(/^COPY (?!--from)(\S+) /gm))
      pathOf(join(context, source), folder);
  }
  const target = valueOf("--target");
  if (target !== undefined && !new RegExp(`^FROM .* AS ${target}$`, "m").test(dockerfile))
    throw new Error(`there is no stage ${target}`);
  for (const [, name = ""] of words.join(" ").matchAll(/ --build-arg (\w+)=/g))
    if (!PROXIES.has(name) && !new RegExp(`^ARG ${name}\\b`, "m").test(dockerfile))
      throw new Error(`there is no ARG ${name}`);
}

/**
 * Of a file that a page in `folder` names from there or from the project's, relative to the project.
 *
 * @throws Error where it is in neither
 */
function pathOf(name: string, folder: string): string {
  const found = [name, join(folder, name)].find((path) => isBuilt(path) || existsSync(join(ROOT, path)));
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}
