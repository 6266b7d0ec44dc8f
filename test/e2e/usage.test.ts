import { execa } from "execa";
import { expect, inject, test } from "vitest";
import { CELERY_OPTIONS } from "../../src/cli/celery-words.ts";
import { helpText } from "../../src/cli/help.ts";
import { read } from "../pages.ts";
import { startContainer } from "../world/container.ts";
import { celeryVenv } from "../world/python.ts";
import { freePort, startServer } from "../world/server.ts";
import { BY_BUN, EXECUTABLE, probe } from "./probe.ts";

/** Wrong words must not reach a worker. There is one at the default broker of these runs. */
const { url } = inject("canaries");

const WRONG: [args: string[], env: Record<string, string>, sentence: string][] = [
  [["--timout", "1s"], {}, "unknown option '--timout': expected --timeout?"],
  [["--timeout", "5"], {}, "--timeout '5' has no unit: expected a duration such as 500ms, 2s or 1m"],
  [
    ["--timeout", "-1s"],
    {},
    "--timeout '-1s' is not a duration: expected a duration such as 500ms, 2s or 1m",
  ],
  [["--retries", "x"], {}, "--retries 'x' is not accepted: expected a whole number from 0 to 100"],
  [
    [],
    { CELERY_PROBE_TIMEOUT: "soon" },
    "CELERY_PROBE_TIMEOUT 'soon' is not a duration: expected a duration such as 500ms, 2s or 1m",
  ],
  [
    ["frobnicate"],
    {},
    "unknown command 'frobnicate': expected check, inspect, doctor, watch, serve, beat, report, install, completion, help",
  ],
  [
    ["--broker", "http://x"],
    {},
    "--broker 'http://x' is not a Redis broker: expected redis://[user:password@]host[:port][/database]",
  ],
  [["--broker", "redis://h:99999/0"], {}, "--broker 'redis://h:99999/0' has port 99999: expected 1 to 65535"],
  [
    ["--broker", "redis://h/abc"],
    {},
    "--broker 'redis://h/abc' has a database that is not a number: expected 0 or more",
  ],
  [
    ["--broker", "redis://user:hunter2@h:99999/0"],
    {},
    "--broker 'redis://user:***@h:99999/0' has port 99999: expected 1 to 65535",
  ],
  [
    [],
    { CELERY_BROKER_URL: "amqp://user:hunter2@h//" },
    "CELERY_BROKER_URL 'amqp://user:***@h//' is not a Redis broker: expected redis://[user:password@]host[:port][/database]",
  ],
  [["-d", "celery@web-1"], {}, "unknown option '-d': for celery's -d write --node celery@web-1"],
  [["doctr"], {}, "unknown command 'doctr': expected doctor?"],
  [["celery@web-1"], {}, "unknown command 'celery@web-1': for a node write --node celery@web-1"],
  [
    [],
    { CELERY_PROBE_NODE: "celery@$HOSTNAME" },
    "CELERY_PROBE_NODE 'celery@$HOSTNAME' has '$HOSTNAME', a variable that nobody has filled in: write %h for the host name",
  ],
  [["-redis://h"], {}, "unknown option '-redis…': see celery-probe --help"],
  [["--end-with=2"], {}, "unknown option '--end-with': see celery-probe --help"],
  [["--any", "--node=a@x"], {}, "--node and --any contradict each other: expected one of them"],
  [["--output", "yaml"], {}, "--output 'yaml' is not accepted: expected text or json"],
];

test.each(WRONG)("%j %j gets one sentence on stderr and exit 1", async (args, env, sentence) => {
  const probed = await probe(args, { CELERY_BROKER_URL: url, CELERY_PROBE_PLACEMENT: "remote", ...env });
  expect(probed).toMatchObject({ exitCode: 1, stdout: "", stderr: `celery-probe: ${sentence}` });
});

test("an empty variable counts as unset", async () => {
  const env = { CELERY_BROKER_URL: url, CELERY_PROBE_TIMEOUT: "", CELERY_PROBE_BROKER: "", BROKER_URL: "" };
  const probed = await probe(["--any", "--verbose"], env);
  expect(probed).toMatchObject({ exitCode: 0, stderr: "" });
  expect(probed.stdout).toContain("(from CELERY_BROKER_URL)");
});

test("--help is printed even when the other words are wrong", async () => {
  const probed = await probe(["--timeout", "x", "--help"], { CELERY_PROBE_TIMEOUT: "soon" });
  expect(probed).toMatchObject({ exitCode: 0, stdout: helpText("0.1.0", "check").trimEnd(), stderr: "" });
  const ofDoctor = await probe(["help", "doctor"]);
  expect(ofDoctor).toMatchObject({ exitCode: 0, stdout: helpText("0.1.0", "doctor").trimEnd(), stderr: "" });
});

test("--version prints name and version", async () => {
  expect(await probe(["--version"])).toMatchObject({ exitCode: 0, stdout: "celery-probe 0.1.0", stderr: "" });
});

test("--version prints the runtime when it is verbose, and that V8 uses the code cache", async () => {
  const runtime = BY_BUN
    ? /^Bun [\d.]+, linux \w+, code cache none, commit (?:[0-9a-f]{12}\+?|unknown)$/
    : /^Node 24[\d.]+, linux \w+, code cache used, commit (?:[0-9a-f]{12}\+?|unknown)$/;
  const { stdout, exitCode } = await probe(["--verbose", "--version"]);
  expect(stdout.split("\n")).toEqual(["celery-probe 0.1.0", expect.stringMatching(runtime)]);
  expect(exitCode).toBe(0);
});

test("check, doctor and beat use the same names in JSON, and their pages say how", async () => {
  const env = { CELERY_BROKER_URL: `redis://127.0.0.1:${await freePort()}/0` };
  const told = async (command: string): Promise<Readonly<Record<string, unknown>>> => {
    const { stdout } = await probe([command, "--placement", "remote", "--output", "json"], env);
    const object = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    expect(object).toMatchObject({ schema: 1, elapsed_ms: expect.any(Number) as unknown });
    return object;
  };
  const words = { message: expect.any(String) as unknown, hint: expect.any(String) as unknown };
  const verdict = { status: "unknown", reason: expect.any(String) as unknown, ...words };
  expect(await told("check")).toMatchObject(verdict);
  const beat = await told("beat");
  expect(beat).toMatchObject(verdict);
  const doctor = await told("doctor");
  const [broker = {}] = doctor["findings"] as readonly object[];
  expect(broker).toMatchObject({ code: "broker", level: "problem", ...words });
  const quoted = (keys: readonly string[]) => keys.map((key) => `"${key}"`).join(", ");
  const [schema, ...others] = Object.keys(beat);
  expect(read("docs/beat.md")).toContain(`{"${schema ?? ""}": 1, ${quoted(others)}}`);
  expect(read("docs/doctor.md")).toContain(`"findings": [{${quoted(Object.keys(broker))}}], "elapsed_ms"}`);
});

test("a worker whose name no shell expanded answers to that name", async () => {
  await using server = await startServer();
  await using container = await startContainer();
  const literal = "left@$HOSTNAME";
  await using _worker = await container.startWorker({ server, celery: "5.7.0", name: literal });
  const asked = (node: string) =>
    container.run(EXECUTABLE, ["--node", node], { CELERY_BROKER_URL: server.url() });
  expect(await asked(literal)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^healthy: alive: left@\$HOSTNAME /) as unknown,
  });
  expect(await asked("other@$HOSTNAME")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("write %h for the host name") as unknown,
  });
});

test("celery itself has every option that the probe explains", async () => {
  const { celery } = await celeryVenv("5.7.0");
  const commands = [["inspect"], ["worker"], ["beat"], []];
  const pages = await Promise.all(
    commands.map((words) =>
      execa(celery, [...words, "--help"], {
        extendEnv: false,
        env: { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" },
      }),
    ),
  );
  const theirs = new Set(
    pages.flatMap(({ stdout }) => stdout.match(/(?<=^|[\s,])--?[A-Za-z][\w-]*/gm) ?? []),
  );
  expect(Object.keys(CELERY_OPTIONS).filter((option) => !theirs.has(option))).toEqual([]);
  // Every option of celery's inspect, which the old line uses, is explained too.
  const inspect = pages[0]?.stdout.match(/(?<=^|[\s,])--?[A-Za-z][\w-]*/gm) ?? [];
  const ours = new Set([...Object.keys(CELERY_OPTIONS), "--timeout", "--help"]);
  expect(inspect.filter((option) => !ours.has(option))).toEqual([]);
});
