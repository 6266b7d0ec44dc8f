import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { takenBy } from "../../src/cli/command-options.ts";
import { COMMAND_NAMES } from "../../src/cli/commands.ts";
import { OPTION_NAMES, option, variableOf } from "../../src/cli/options.ts";
import { commandOf, parse, TAKEN_BY_CHECK } from "../../src/cli/parse.ts";
import { sentenceOf } from "../../src/cli/stray.ts";

function config(argv: readonly string[], env: Record<string, string> = {}) {
  const parsed = parse(argv, env, TAKEN_BY_CHECK);
  if (!parsed.ok) throw new Error(sentenceOf(parsed.problem));
  if (parsed.value.kind !== "run") throw new Error(parsed.value.kind);
  return parsed.value.config;
}

function sentence(argv: readonly string[], env: Record<string, string> = {}): string {
  const parsed = parse(argv, env, TAKEN_BY_CHECK);
  return parsed.ok ? "accepted" : sentenceOf(parsed.problem);
}

/** A value that each option accepts and that is not its default. */
const SAMPLE: Record<(typeof OPTION_NAMES)[number], string> = {
  broker: "redis://cache/3",
  "broker-env": "MY_BROKER",
  "broker-write-url": "redis://writes/3",
  tls: "true",
  "ssl-cert-reqs": "required",
  "ssl-ca-certs": "/run/ca.pem",
  "ssl-certfile": "/run/client.pem",
  "ssl-keyfile": "/run/client-key.pem",
  "ssl-check-hostname": "false",
  "master-name": "mymaster",
  "sentinel-username": "watcher",
  "sentinel-password": "pw",
  "sentinel-tls": "true",
  "control-exchange": "myctl",
  "fanout-prefix": "/app1.",
  "global-keyprefix": "gp:",
  node: "w@x",
  any: "true",
  "min-nodes": "3",
  placement: "beside",
  pidfile: "/run/w.pid",
  "busy-grace": "10m",
  "start-grace": "40s",
  "on-unknown": "healthy",
  strict: "true",
  queue: "mail",
  "require-consuming": "true",
  "max-task-age": "1h",
  "max-queue-length": "mail=100",
  "state-file": "/run/s.json",
  "accept-shared": "45s",
  timeout: "3s",
  retries: "4",
  "connect-timeout": "300ms",
  deadline: "9s",
  output: "json",
  verbose: "true",
  quiet: "true",
};

describe.each(OPTION_NAMES)("--%s", (name) => {
  const standard = { value: option(name).default, origin: { kind: "default" } };

  test("has its default when it is not given", () => {
    expect(config([])[name]).toEqual(standard);
  });

  test("is read from the flag, with and without =, when it is given", () => {
    const words = option(name).argument === null ? [`--${name}`] : [`--${name}`, SAMPLE[name]];
    const read = config(words)[name];
    expect(read.origin).toEqual({ kind: "flag", name: `--${name}` });
    expect(read.value).not.toEqual(option(name).default);
    expect(config([`--${name}=${SAMPLE[name]}`])[name]).toEqual(read);
  });

  test("is read from its variable when there is no flag", () => {
    const variable = variableOf(name);
    expect(variable).toMatch(/^CELERY_PROBE_[A-Z_]+$/);
    const read = config([], { [variable]: SAMPLE[name] })[name];
    expect(read).toEqual({
      value: config([`--${name}=${SAMPLE[name]}`])[name].value,
      origin: { kind: "environment", name: variable },
    });
  });

  test("is unset when its variable is empty", () => {
    expect(config([], { [variableOf(name)]: "" })[name]).toEqual(standard);
  });

  test("takes the flag when both are given, and does not read the variable", () => {
    const words = [`--${name}=${SAMPLE[name]}`];
    expect(config(words, { [variableOf(name)]: "\n" })[name].origin.kind).toBe("flag");
  });

  test("is refused by name when its value is wrong", () => {
    // The one character that not even a path may hold.
    const shown = name === "sentinel-password" ? "\\*\\*\\*" : "\0";
    expect(sentence([`--${name}=\0`])).toMatch(new RegExp(`^--${name} '${shown}' .*: expected `));
    expect(sentence([], { [variableOf(name)]: "\0" })).toMatch(
      new RegExp(`^${variableOf(name)} '${shown}' .*: expected `),
    );
  });

  test("is refused when it is given twice, unless it repeats", () => {
    const twice = sentence([`--${name}=${SAMPLE[name]}`, `--${name}=${SAMPLE[name]}`]);
    expect(twice).toBe(option(name).repeats ? "accepted" : `--${name} is given twice: expected once`);
  });
});

test("a default is the value of its text", () => {
  for (const name of OPTION_NAMES) {
    const { defaultText, parse: read, default: standard } = option(name);
    if (defaultText !== undefined) expect(read(defaultText)).toEqual({ ok: true, value: standard });
  }
});

test("values of a repeated option are joined", () => {
  expect(config(["--node", "a@x", "--node", "b@x,c@x"]).node.value).toEqual(["a@x", "b@x", "c@x"]);
  expect(config(["--queue", "a", "--queue", "b,c"]).queue.value).toEqual(["a", "b", "c"]);
  expect(config(["--max-queue-length", "9", "--max-queue-length=a=5"])["max-queue-length"].value).toEqual([
    { queue: null, limit: 9 },
    { queue: "a", limit: 5 },
  ]);
});

test("an empty --global-keyprefix wins when the variable has one", () => {
  const read = config(["--global-keyprefix="], { CELERY_PROBE_GLOBAL_KEYPREFIX: "gp:" });
  expect(read["global-keyprefix"].value).toBe("");
});

test("--any=false wins when the variable says true", () => {
  expect(config(["--any=false"], { CELERY_PROBE_ANY: "true" }).any.value).toBe(false);
});

describe("a flag", () => {
  test.each([
    [["--any"], { CELERY_PROBE_NODE: "a@x" }, { any: true, node: [] }],
    [
      ["--node=b@x"],
      { CELERY_PROBE_ANY: "true", CELERY_PROBE_MIN_NODES: "x" },
      { any: false, node: ["b@x"] },
    ],
    [["--quiet"], { CELERY_PROBE_VERBOSE: "true" }, { quiet: true, verbose: false }],
    [["--quiet=false"], { CELERY_PROBE_VERBOSE: "true" }, { quiet: false, verbose: true }],
    [["--broker-env=MINE"], { CELERY_PROBE_BROKER: "broken" }, { "broker-env": "MINE", broker: null }],
    [["--any"], { CELERY_PROBE_PIDFILE: "/run/w.pid" }, { any: true, pidfile: null }],
    [["--min-nodes=3"], { CELERY_PROBE_REQUIRE_CONSUMING: "true" }, { "require-consuming": false }],
    [["--max-task-age=1h"], { CELERY_PROBE_ANY: "true" }, { "max-task-age": 3_600_000, any: false }],
    [["--require-consuming=false"], { CELERY_PROBE_ANY: "true" }, { "require-consuming": false, any: true }],
  ])("wins over the variable of an option that it contradicts: %j %j", (argv, env, values) => {
    const read = config(argv, env);
    for (const [name, value] of Object.entries(values))
      expect(read[name as keyof typeof read].value).toEqual(value);
  });

  test("two contradicting variables are refused", () => {
    expect(sentence([], { CELERY_PROBE_NODE: "a@x", CELERY_PROBE_ANY: "1" })).toBe(
      "CELERY_PROBE_NODE and CELERY_PROBE_ANY contradict each other: expected one of them",
    );
  });
});

test("no sentence repeats a part of a password, wherever it is in a broken URL", () => {
  const piece = fc.string({ unit: fc.constantFrom(..."/?#:;%= 1redis&[]".split("")), maxLength: 6 });
  const scheme = fc.constantFrom("redis://", "rediss://", "http://", "redis:/", "");
  fc.assert(
    fc.property(scheme, piece, piece, piece, (start, before, after, tail) => {
      const url = `${start}:${before}hunter2${after}@h${tail}`;
      for (const argv of [["--broker", url], [`--broker${url}`], [url], ["--timeout", url]]) {
        expect(sentence(argv)).not.toContain("hunter2");
      }
    }),
    { numRuns: 2_000 },
  );
});

test.each([["--help"], ["-h"], ["--bogus", "--help"], ["--timeout", "x", "--help"], ["nonsense", "-h"]])(
  "help wins even when the rest is wrong: %s %s",
  (...argv) => {
    expect(parse(argv, { CELERY_PROBE_TIMEOUT: "soon" }, TAKEN_BY_CHECK)).toEqual({
      ok: true,
      value: { kind: "help", command: "check" },
    });
  },
);

test("--version wins even when the rest is wrong", () => {
  expect(parse(["--timeout", "x", "--version"], {}, TAKEN_BY_CHECK)).toEqual({
    ok: true,
    value: { kind: "version", verbose: false },
  });
});

test("the command is check when none is named", () => {
  expect(parse([], {}, TAKEN_BY_CHECK)).toEqual(parse(["check"], {}, TAKEN_BY_CHECK));
  expect(parse(["--retries", "0", "check"], {}, TAKEN_BY_CHECK)).toMatchObject({
    ok: true,
    value: { command: "check" },
  });
});

test.each([
  [["--timout", "1s"], "unknown option '--timout': expected --timeout?"],
  [["--constructor=1"], "unknown option '--constructor': see celery-probe --help"],
  [["--__proto__"], "unknown option '--…': see celery-probe --help"],
  [["--frobnicate"], "unknown option '--frobnicate': see celery-probe --help"],
  [["-x"], "unknown option '-x': see celery-probe --help"],
  [["-hx"], "unknown option '-hx': see celery-probe --help"],
  [["--brokerredis://:hunter2@h/0"], "unknown option '--brokerredis…': see celery-probe --help"],
  [["-redis://:hunter2@h"], "unknown option '-redis…': see celery-probe --help"],
  [["--timeout", "5"], "--timeout '5' has no unit: expected a duration such as 500ms, 2s or 1m"],
  [["--timeout", "-1s"], "--timeout '-1s' is not a duration: expected a duration such as 500ms, 2s or 1m"],
  [["--timeout"], "--timeout needs a value: expected DURATION"],
  [["--pidfile="], "--pidfile '' is not a path: expected one such as /run/worker.pid"],
  [["--placement", "here"], "--placement 'here' is not accepted: expected auto, inside, beside or remote"],
  [["--on-unknown", "no"], "--on-unknown 'no' is not accepted: expected unhealthy or healthy"],
  [["--busy-grace", "300"], "--busy-grace '300' has no unit: expected a duration such as 500ms, 2s or 1m"],
  [["--queue", "a,,b"], "--queue 'a,,b' is not a queue's name: expected one such as celery"],
  [
    ["--max-queue-length", "celery"],
    "--max-queue-length 'celery' is not a limit: expected a whole number such as 1000, or a queue and a number such as celery=1000",
  ],
  [
    ["--global-keyprefix", "app*"],
    "--global-keyprefix 'app*' is not a key prefix: expected text without * ? [ ] \\, such as app1:",
  ],
  [["--retries", "x"], "--retries 'x' is not accepted: expected a whole number from 0 to 100"],
  [["frob"], `unknown command 'frob': expected ${COMMAND_NAMES.join(", ")}`],
  [["check", "check"], "unexpected word 'check' after check: expected options"],
  [["--any", "--node", "a@x"], "--node and --any contradict each other: expected one of them"],
  [
    ["--min-nodes", "2", "--node", "a@x"],
    "--node and --min-nodes contradict each other: expected one of them",
  ],
  [["--quiet", "--verbose"], "--verbose and --quiet contradict each other: expected one of them"],
])("refuses %j in one sentence", (argv, expected) => {
  expect(sentence(argv)).toBe(expected);
});

test.each(["--require-consuming", "--max-task-age=1h", "--pidfile=/run/w.pid"])(
  "refuses %s when everyone is asked, because it is about one worker",
  (word) => {
    const name = word.split("=")[0];
    const wrong = (other: string) => `${name} and ${other} contradict each other: expected one of them`;
    expect(sentence([word, "--any"])).toBe(wrong("--any"));
    expect(sentence([word, "--min-nodes=2"])).toBe(wrong("--min-nodes"));
    expect(sentence([word, "--any=false"])).toBe("accepted");
  },
);

test.each(["--any", "--min-nodes=2", "--require-consuming", "--max-task-age=1h", "--max-queue-length=9"])(
  "refuses --accept-shared with %s, because no shared verdict answers it",
  (word) => {
    const wrong = `--accept-shared and ${word.split("=")[0]} contradict each other: expected one of them`;
    expect(sentence(["--accept-shared=45s", word])).toBe(wrong);
  },
);

describe("a pid file names one process", () => {
  const several =
    "--pidfile '/run/a.pid' and --node 'a@%h,b@%h' contradict each other: expected one node, as a pid file names one process";

  test.each<[readonly string[], Record<string, string>, string]>([
    [["--node=a@%h,b@%h", "--pidfile=/run/a.pid"], {}, several],
    [["--pidfile=/run/a.pid", "--node=a@%h", "--node=b@%h"], {}, several],
    [
      ["--node=a@%h,b@%h"],
      { CELERY_PROBE_PIDFILE: "/run/a.pid" },
      several.replace("--pidfile", "CELERY_PROBE_PIDFILE"),
    ],
    [
      ["--pidfile=/run/a.pid"],
      { CELERY_PROBE_NODE: "a@%h,b@%h" },
      several.replace("--node", "CELERY_PROBE_NODE"),
    ],
    [
      [],
      { CELERY_PROBE_NODE: "a@%h,b@%h", CELERY_PROBE_PIDFILE: "/run/a.pid" },
      several.replace("--pidfile", "CELERY_PROBE_PIDFILE").replace("--node", "CELERY_PROBE_NODE"),
    ],
    [["--node=a@%h", "--pidfile=/run/a.pid"], {}, "accepted"],
    [["--node=a@%h,a@%h", "--pidfile=/run/a.pid"], {}, "accepted"],
    [["--node=a@%h", "--pidfile=/run/a.pid"], { CELERY_PROBE_NODE: "a@%h,b@%h" }, "accepted"],
  ])("by %j and %j", (argv, env, expected) => {
    expect(sentence(argv, env)).toBe(expected);
  });

  test("is refused without showing a password of either", () => {
    const said = sentence(["--pidfile=redis://:hunter2@h", "--node=redis://:hunter2@h,a"]);
    expect(said).toContain("***");
    expect(said).not.toContain("hunter2");
  });
});

test("accepts a queue's length when everyone is asked", () => {
  expect(sentence(["--any", "--max-queue-length=9", "--queue=a"])).toBe("accepted");
});

test("a wrong variable is refused by its own name", () => {
  expect(sentence([], { CELERY_PROBE_TIMEOUT: "soon" })).toBe(
    "CELERY_PROBE_TIMEOUT 'soon' is not a duration: expected a duration such as 500ms, 2s or 1m",
  );
});

test.each([
  [["--broker", "redis://:hunter2@h:99999/0"]],
  [["--broker", "redis://:hunter2"]],
  [["--broker", "http://u:hunter2@h"]],
  [["--broker", "hunter2@h"]],
  [["--broker-env", "redis://:hunter2@h"]],
  [["--node", "redis://:hunter2@h\u0007"]],
  [["hunter2@h:6379/0"]],
  [["--broker", "redis://:123/hunter2@h:1/0"]],
  [["--broker", "redis://:6379?hunter2@h/0"]],
  [["--broker", "redis://:/hunter2@h/0"]],
  [["--broker", "redis://h:6379/0?x=hunter2"]],
  [["redis://:hunter2@h"]],
  [["--timeout", "redis://:hunter2@h"]],
  [["--timeout=:hunter2@h"]],
])("never repeats a password when it refuses %j", (argv) => {
  expect(sentence(argv)).not.toContain("hunter2");
  expect(sentence(argv)).toContain("***");
});

test("unknown variables with our prefix are named", () => {
  const parsed = parse(
    [],
    { CELERY_PROBE_TIMOUT: "1s", CELERY_PROBE_TIMEOUT: "1s", OTHER: "x" },
    TAKEN_BY_CHECK,
  );
  expect(parsed).toMatchObject({ value: { unknownVariables: ["CELERY_PROBE_TIMOUT"] } });
});

describe("another command", () => {
  const told = (argv: readonly string[], env: Record<string, string> = {}) => {
    const command = commandOf(argv);
    if (command === "check") throw new Error(`${argv.join(" ")} is read as a check`);
    return parse(argv, env, takenBy(command));
  };
  const run = (argv: readonly string[], env: Record<string, string> = {}) => {
    const parsed = told(argv, env);
    if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
    return parsed.value;
  };
  const problem = (argv: readonly string[]) => {
    const parsed = told(argv);
    return parsed.ok ? "accepted" : sentenceOf(parsed.problem);
  };

  test.each([
    [["doctor"], "doctor"],
    [["--broker", "redis://cache/1", "inspect", "ping"], "inspect"],
    [["--node", "doctor"], "check"],
    [["--node", "watch", "check"], "check"],
    [["check", "doctor"], "check"],
    [[], "check"],
  ])("of %j is %s", (argv, command) => {
    expect(commandOf(argv)).toBe(command);
  });

  test("takes words, and its own options after them", () => {
    const { words, config } = run(["inspect", "query_task", "a", "--allow-risky", "b", "--timeout", "9s"]);
    expect(words).toEqual(["query_task", "a", "b"]);
    expect(config).toMatchObject({ "allow-risky": { value: true }, timeout: { value: 9_000 } });
  });

  test("has its own defaults and only its own options", () => {
    const { config } = run(["doctor"]);
    expect(config).toMatchObject({ deadline: { value: 15_000, origin: { kind: "default" } } });
    expect(Object.keys(config).sort()).toEqual(Object.keys(takenBy("doctor").options).sort());
    expect(config).not.toHaveProperty("any");
  });

  test("reads a variable with its own name if the check has the option too", () => {
    const env = {
      CELERY_PROBE_DEADLINE: "1s",
      CELERY_PROBE_DOCTOR_DEADLINE: "20s",
      CELERY_PROBE_FAIL_ON: "warning",
      CELERY_PROBE_STRICT: "true",
    };
    const { config, unknownVariables } = run(["doctor"], env);
    expect(config).toMatchObject({
      deadline: { value: 20_000 },
      "fail-on": { value: "warning" },
    });
    expect(config).not.toHaveProperty("strict");
    expect(unknownVariables).toEqual(["CELERY_PROBE_DEADLINE", "CELERY_PROBE_STRICT"]);
  });

  test.each([
    [["install", ""], "the word '' after install is empty: expected PATH"],
    [["report", ""], "the word '' after report is empty: expected [FILE]"],
    [["inspect", "ping", ""], "the word '' after inspect is empty: expected METHOD [WORD]…"],
    [["doctor", ""], "unexpected word '' after doctor: expected options"],
    [["completion"], "completion needs SHELL: see celery-probe help completion"],
    [["help", "a", "b"], "unexpected word 'b' after help [COMMAND]: expected nothing more"],
    [["doctor", "frob"], "unexpected word 'frob' after doctor: expected options"],
    [["doctor", "--strict"], "unknown option '--strict': it is an option of check"],
    [["doctor", "--fail-onn", "1"], "unknown option '--fail-onn': expected --fail-on?"],
  ])("refuses %j in one sentence", (argv, expected) => {
    expect(problem(argv)).toBe(expected);
  });

  test("each command has its own help", () => {
    expect(told(["doctor", "--bogus", "--help"])).toEqual({
      ok: true,
      value: { kind: "help", command: "doctor" },
    });
  });
});
