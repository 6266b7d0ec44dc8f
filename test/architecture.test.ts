import { cruise, type IForbiddenRuleType } from "dependency-cruiser";
import { expect, test } from "vitest";

/**
 * The files that import a library, and which: of ioredis' exceptions, defaults and replies, and of the width of a
 * character, one file each knows. uuid names the lists of replies, and is the randomness of the host.
 */
const LIBRARIES = {
  "src/broker/redis.ts": "ioredis",
  "src/broker/keys.ts": "uuid",
  "src/main.ts": "uuid",
  "src/render/width.ts": "string-width",
};

/** The rooms of src/ and their arrows: `main → app → commands → health → session → discovery → worker → celery → pidbox → broker`. */
const RULES: IForbiddenRuleType[] = [
  {
    name: "no-circles",
    comment: "two files that need each other are one file, or one of them stands in the wrong room",
    severity: "error",
    from: {},
    to: { circular: true },
  },
  {
    name: "src-stands-alone",
    comment: "tests, measurements and scripts need the product, and never the other way round",
    severity: "error",
    from: {},
    to: { path: "^(test|bench|build|scripts)/" },
  },
  {
    name: "every-import-is-found",
    comment: "what cannot be resolved is seen by no other rule",
    severity: "error",
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: "no-other-library",
    comment: "start-up is what a probe costs: LIBRARIES has the files that may import one, and which",
    severity: "error",
    from: { pathNot: `^(${Object.keys(LIBRARIES).join("|")}|node_modules/)` },
    to: { path: "node_modules/", pathNot: "node_modules/@types/" },
  },
  ...Object.entries(LIBRARIES).map(([file, library]) => ({
    name: `${library}-alone-in-${file}`,
    comment: "a file that knows one library knows no other",
    severity: "error" as const,
    from: { path: `^${file}` },
    to: { path: "node_modules/", pathNot: `node_modules/(${library}|@types)/` },
  })),
  {
    name: "only-main-takes-from-the-machine",
    comment: "clocks, randomness, environment and files come in as `host`; node:util is the one pure module",
    severity: "error",
    from: {
      pathNot:
        "^src/(main|machine/(bind|connection-limit|files|https?-server|names|regular-file|spare-memory|terminal|web)|worker/proc-fs|broker/(tls|other-way))\\.ts$",
    },
    to: { dependencyTypes: ["core"], pathNot: "^(node:)?util$" },
  },
  {
    name: "nobody-needs-main",
    comment: "main.ts is the outermost room",
    severity: "error",
    from: {},
    to: { path: "^src/main\\.ts$" },
  },
  {
    name: "only-main-needs-app",
    comment: "app.ts tells the story of the rooms; a room that calls it tells its own",
    severity: "error",
    from: { pathNot: "^src/main\\.ts$" },
    to: { path: "^src/app\\.ts$" },
  },
  {
    name: "only-main-knows-the-machine",
    comment: "connections, /proc and files come in as `host`; tests give another one",
    severity: "error",
    from: { pathNot: "^src/(main|broker/redis|machine/(files|http-server))\\.ts$" },
    to: {
      path: "^src/(broker/(redis|tls|other-way)|machine/(bind|connection-limit|files|https?-server|names|spare-memory|terminal|web)|worker/proc-fs)\\.ts$",
    },
  },
  {
    name: "files-are-opened-in-one-place",
    comment:
      "a path from outside may be a pipe, a device or somebody's link: machine/regular-file.ts alone opens one, and " +
      "of the others only those that give the machine to the story ask it",
    severity: "error",
    from: { pathNot: "^src/(main|broker/tls|machine/files)\\.ts$" },
    to: { path: "^src/machine/regular-file\\.ts$" },
  },
  {
    name: "one-file-reads-proc",
    comment: "what is read of /proc and of cgroups is read through ProcFiles, which a test can fake",
    severity: "error",
    from: { path: "^src/worker/", pathNot: "^src/worker/proc-fs\\.ts$" },
    to: { path: "^(node:)?fs" },
  },
  {
    name: "the-judge-is-pure",
    comment:
      "evidence goes in, a verdict comes out; who gathers may ask the judge, and never the other way round",
    severity: "error",
    from: { path: "^src/health/(judge|main-loop|verdict|exit-code)" },
    to: { path: "^src/(host|deadline|discovery/look-around|health/(check|examine|hear|gather|state-file))" },
  },
  {
    name: "protocol-rooms-know-no-product",
    comment:
      "broker, pidbox, celery and worker know Redis and Celery, and neither options nor verdicts nor words",
    severity: "error",
    from: { path: "^src/(broker|pidbox|celery|worker)/" },
    to: { path: "^src/(cli|discovery|health|session|render)/" },
  },
  {
    name: "the-broker-knows-no-mailbox",
    comment: "pidbox speaks through the broker's Channel, and never the other way",
    severity: "error",
    from: { path: "^src/broker/" },
    to: { path: "^src/(pidbox|celery|worker)/" },
  },
  {
    name: "celery-sees-no-process",
    comment:
      "what Celery says is read of command lines, environments and answers; who has them is the worker's room",
    severity: "error",
    from: { path: "^src/celery/" },
    to: { path: "^src/worker/" },
  },
  {
    name: "the-mailbox-knows-no-worker",
    comment: "pidbox knows the control protocol; what a process or an answer means is read elsewhere",
    severity: "error",
    from: { path: "^src/pidbox/" },
    to: { path: "^src/(celery|worker)/" },
  },
  {
    name: "discovery-comes-first",
    comment: "who is here and which broker is theirs is settled before anybody is asked or judged",
    severity: "error",
    from: { path: "^src/discovery/" },
    to: { path: "^src/(health|session)/" },
  },
  {
    name: "sessions-judge-nobody",
    comment: "a session needs brokers, naming and time; nodes, rules and graces are the check's",
    severity: "error",
    from: { path: "^src/session/" },
    to: { path: "^src/health/" },
  },
  {
    name: "cli-reads-words-only",
    comment: "the command line is read before anything is planned, asked or said",
    severity: "error",
    from: { path: "^src/cli/" },
    to: { path: "^src/(celery|discovery|health|session|render|pidbox|worker)/" },
  },
  {
    name: "health-says-no-sentence",
    comment: "evidence and verdicts are data; the words are made in render/",
    severity: "error",
    from: { path: "^src/(celery|discovery|health|session|fleet|inspect|doctor|beat|report)/" },
    to: { path: "^src/(render|commands)/" },
  },
  {
    name: "commands-are-independent",
    comment: "a room that two commands need is neither's",
    severity: "error",
    from: { path: "^src/(broker|celery|discovery|health|pidbox|session|worker)/" },
    to: { path: "^src/(fleet|inspect|doctor|serve|beat|report)/" },
  },
  {
    name: "the-page-is-sent",
    comment: "the page's script runs in a browser: build/page.ts makes text of it, and no room calls it",
    severity: "error",
    from: { path: "^src/", pathNot: "^src/serve/page/script/" },
    to: { path: "^src/serve/page/script/" },
  },
  {
    name: "the-page-stands-alone",
    comment: "whatever the page's script imports is sent to every browser",
    severity: "error",
    from: { path: "^src/serve/page/script/" },
    to: { pathNot: "^src/serve/page/script/" },
  },
  {
    name: "render-sees-types",
    comment: "render turns a report into words and does nothing else",
    severity: "error",
    from: { path: "^src/render/" },
    to: {
      path: "^src/(health|doctor|inspect|beat|report|broker|celery|discovery|pidbox|session|worker)/",
      dependencyTypesNot: ["type-only"],
    },
  },
];

test("src keeps its arrows", async () => {
  const { output } = await cruise(["src"], {
    ruleSet: { forbidden: RULES },
    validate: true,
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    // As Node resolves the `exports` of a package: without them uuid is not found.
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["node", "import", "default"] },
  });
  if (typeof output === "string") throw new Error(output);
  const broken = output.summary.violations.map(({ rule, from, to }) => {
    const reason = RULES.find(({ name }) => name === rule.name)?.comment ?? "";
    return `${from} → ${to}: ${rule.name}: ${reason}`;
  });
  expect(output.summary.totalCruised).toBeGreaterThan(20);
  expect(broken).toEqual([]);
  const imports = output.modules.flatMap(({ source, dependencies }) =>
    dependencies.flatMap(({ module, resolved }) =>
      resolved.startsWith("node_modules/") ? [[source, module]] : [],
    ),
  );
  expect(Object.fromEntries(imports)).toEqual(LIBRARIES);
});
