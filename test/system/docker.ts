import { delimiter, join } from "node:path";
import { execa } from "execa";
import { installMissing, searchPath } from "./debian.ts";

/** How a container, or a command in one, has ended. */
export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Compose project: a name, and the files that describe it. Later files override earlier ones. */
export interface ComposeProject {
  readonly name: string;
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Options of `docker run` for a container without any rights, as careful platforms use them. */
export const LOCKED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"] as const;

const BY_BUILDKIT = { DOCKER_BUILDKIT: "1" };

/** The first of these loads 250 MB into the engine. */
const LONGEST_MS = 240_000;

/** A build from the sources fetches packages from npm and Debian, and compiles. */
const LONGEST_BUILD_MS = 600_000;

/** The Docker command line for one engine. */
export class Docker {
  /** Added to this process' own environment, e.g. `DOCKER_HOST`. */
  readonly env: Readonly<Record<string, string>>;
  #compose: readonly [string, ...string[]] | undefined;
  #builder: string | undefined;

  constructor(env: Readonly<Record<string, string>>) {
    this.env = env;
  }

  /** The same engine, for commands that read further variables. */
  with(env: Readonly<Record<string, string>>): Docker {
    return new Docker({ ...this.env, ...env });
  }

  /** Whether a client exists, and its engine answers. */
  async answers(): Promise<boolean> {
    const { failed } = await execa("docker", ["info"], { env: this.env, reject: false, timeout: 20_000 });
    return !failed;
  }

  serverVersion(): Promise<string> {
    return this.run(["version", "--format", "{{.Server.Version}}"]);
  }

  /** Runs `docker …` and returns its stdout. @throws Error with command and both streams if it fails */
  async run(args: readonly string[], input?: string): Promise<string> {
    const stdin = input === undefined ? { stdin: "ignore" as const } : { input };
    const { stdout } = await execa("docker", args, { env: this.env, timeout: LONGEST_MS, ...stdin });
    return stdout;
  }

  /** Runs `docker …` when a failure is an answer. */
  async try(args: readonly string[]): Promise<Run> {
    const result = await execa("docker", args, {
      env: this.env,
      reject: false,
      stdin: "ignore",
      timeout: LONGEST_MS,
    });
    if (result.exitCode === undefined)
      throw new Error(`docker ${args[0] ?? ""} did not end by itself`, { cause: result });
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  }

  /**
   * Runs `docker build …` with BuildKit.
   *
   * @param folder the folder to run it in
   * @throws Error like {@link builder} and {@link run}
   */
  async build(args: readonly string[], folder: string): Promise<void> {
    const env = { ...this.env, ...BY_BUILDKIT };
    await execa(await this.builder(), ["build", ...args], {
      ...{ cwd: folder, env, stdin: "ignore", timeout: LONGEST_BUILD_MS },
    });
  }

  /**
   * The path of a client with BuildKit. A machine may have several clients. From version 23 on, they have BuildKit only
   * with the plugin buildx.
   *
   * @throws Error if there is no such client
   */
  async builder(): Promise<string> {
    this.#builder ??= await this.#findBuilder();
    return this.#builder;
  }

  async #findBuilder(): Promise<string> {
    for (const folder of searchPath().split(delimiter)) {
      const client = join(folder, "docker");
      const env = { ...this.env, ...BY_BUILDKIT };
      if (!(await execa(client, ["build", "--help"], { env, reject: false })).failed) return client;
    }
    throw new Error("no docker client on PATH can build with BuildKit: install its plugin docker-buildx");
  }

  /** Runs Compose: the client's plugin, or docker-compose 1.29 without the plugin. */
  async compose(project: ComposeProject, args: readonly string[]): Promise<string> {
    this.#compose ??= await this.#findCompose();
    const [command, ...first] = this.#compose;
    const files = project.files.flatMap((file) => ["--file", file]);
    const words = [...first, "--project-name", project.name, ...files, ...args];
    const env = { ...this.env, ...project.env };
    const { stdout } = await execa(command, words, { env, stdin: "ignore", timeout: LONGEST_MS });
    return stdout;
  }

  async #findCompose(): Promise<readonly [string, ...string[]]> {
    if ((await this.try(["compose", "version"])).exitCode === 0) return ["docker", "compose"];
    await installMissing({ "docker-compose": "docker-compose" });
    return ["docker-compose"];
  }
}
