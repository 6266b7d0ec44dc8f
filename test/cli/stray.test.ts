import { describe, expect, test } from "vitest";
import { takenByAny } from "../../src/cli/command-options.ts";
import { COMMAND_NAMES } from "../../src/cli/commands.ts";
import { commandOf, parse } from "../../src/cli/parse.ts";
import { sentenceOf } from "../../src/cli/stray.ts";

/** What is said of a command line, written as a shell takes it without quotes. */
function sentence(line: string): string {
  return sentenceOfWords(line.split(" ").filter((word) => word !== ""));
}

function sentenceOfWords(argv: readonly string[]): string {
  const parsed = parse(argv, {}, takenByAny(commandOf(argv)));
  return parsed.ok ? "accepted" : sentenceOf(parsed.problem);
}

const ALL = COMMAND_NAMES.join(", ");

describe("an option of Celery", () => {
  test.each([
    ["-d celery@web-1", "unknown option '-d': for celery's -d write --node celery@web-1"],
    ["-dcelery@web-1", "unknown option '-d…': for celery's -d write --node celery@web-1"],
    ["--destination celery@a,celery@b", "for celery's --destination write --node celery@a,celery@b"],
    ["--destination=celery@web-1", "for celery's --destination write --node celery@web-1"],
    ["-d celery@$HOSTNAME", "unknown option '-d': for celery's -d write --node celery@%h"],
    ["-d celery@${HOSTNAME}", "for celery's -d write --node celery@%h"],
    ["-d w1@$(hostname),w2@$HOSTNAME", "for celery's -d write --node w1@%h,w2@%h"],
    ["-d celery@$WORKER", "for celery's -d write --node NAME"],
    ["-b redis://$REDIS_HOST/0", "for celery's -b write --broker URL"],
    ["-d", "for celery's -d write --node NAME"],
    ["-d --verbose", "for celery's -d write --node NAME"],
    ["-t 10", "unknown option '-t': for celery's -t write --timeout 10s"],
    ["-t10", "for celery's -t write --timeout 10s"],
    ["-t 2.5", "for celery's -t write --timeout 2.5s"],
    ["-t soon", "for celery's -t write --timeout DURATION"],
    [
      "-b redis://:hunter2@cache/1",
      "unknown option '-b': for celery's -b write --broker redis://:***@cache/1",
    ],
    [
      "-bredis://:hunter2@cache/1",
      "unknown option '-b…': for celery's -b write --broker redis://:***@cache/1",
    ],
    ["-b hunter2", "for celery's -b write --broker URL"],
    [
      "-A proj inspect ping",
      "unknown option '-A': celery's -A has no use here: leave it out, as no application is loaded",
    ],
    ["--app=proj", "celery's --app has no use here: leave it out"],
    ["--workdir /app", "celery's --workdir has no use here"],
    ["-j", "unknown option '-j': for celery's -j write --output json"],
    ["inspect ping --json", "unknown option '--json': for celery's --json write --output json"],
    ["inspect ping -d w@h -t 5", "for celery's -d write --node w@h"],
    ["inspect ping -t 5", "for celery's -t write --timeout 5s"],
    ["-n worker@%h", "for celery's -n write --node worker@%h"],
    ["-Q mail,celery", "for celery's -Q write --queue mail,celery"],
    ["-q", "for celery's -q write --quiet"],
    ["-l info", "celery's -l has no use here: leave it out; --verbose adds what was seen"],
    ["doctor -f /var/log/worker.log", "for celery's -f write --log /var/log/worker.log"],
    ["beat -s /run/schedule", "for celery's -s write --schedule /run/schedule"],
    ["beat -d w@h", "unknown option '-d': see celery-probe help beat"],
    ["-x", "unknown option '-x': see celery-probe --help"],
  ])("%s is answered with its replacement", (line, expected) => {
    expect(sentence(line)).toContain(expected);
    expect(sentence(line)).not.toContain("hunter2");
  });
});

describe("a mistyped option", () => {
  test.each([
    ["--timout=5s", "unknown option '--timout': expected --timeout?"],
    ["--timout 5s", "unknown option '--timout': expected --timeout?"],
    ["--Timeout=5s", "expected --timeout?"],
    ["--connect_timeout=1s", "unknown option '--connect_timeout': expected --connect-timeout?"],
    ["-node w@h", "unknown option '-node': expected --node?"],
    ["-timeout=5s", "unknown option '-timeout': expected --timeout?"],
    ["-verbose", "expected --verbose?"],
    ["-quiet", "expected --quiet?"],
    ["-help", "expected --help?"],
    ["--versoin", "expected --version?"],
    ["--grace 5m", "unknown option '--grace': expected --busy-grace or --start-grace?"],
    ["--queue-length=5", "expected --max-queue-length?"],
    ["--fail-on warning", "unknown option '--fail-on': it is an option of doctor"],
    ["--log x", "unknown option '--log': it is an option of doctor and report"],
    ["watch --strict", "unknown option '--strict': it is an option of check"],
    ["beat --node w@h", "unknown option '--node': it is an option of check, inspect, doctor, watch"],
    ["--broker-url redis://cache/0", "unknown option '--broker-url': expected --broker?"],
    ["--broker_url=redis://cache/0", "unknown option '--broker_url': expected --broker?"],
    ["--redis-url redis://cache/0", "expected --broker?"],
    ["--url redis://cache/0", "expected --broker?"],
    ["--host cache", "unknown option '--host': expected --broker?"],
    ["--password hunter2", "unknown option '--password': expected --broker?"],
    ["serve --port 80", "unknown option '--port': expected --listen?"],
    ["serve --host 0.0.0.0", "unknown option '--host': expected --listen?"],
    ["serve --bind 0.0.0.0:80", "expected --listen?"],
    ["-v", "unknown option '-v': expected --verbose?"],
    ["-V", "unknown option '-V': expected --version?"],
    ["serve -v", "unknown option '-v': expected --version?"],
    ["--frobnicate", "unknown option '--frobnicate': see celery-probe --help"],
    ["—any", "unknown command '—any': it begins with a long dash, write --any"],
    [
      "doctor –fail-on",
      "unexpected word '–fail-on' after doctor: it begins with a long dash, write --fail-on",
    ],
    ["timeout=5s", "unknown command 'timeout=5s': expected --timeout=5s?"],
    ["verbose", "unknown command 'verbose': expected --verbose?"],
  ])("%s is answered with the intended option", (line, expected) => {
    expect(sentence(line)).toContain(expected);
  });
});

describe("a word instead of a command", () => {
  test.each([
    ["doctr", "unknown command 'doctr': expected doctor?"],
    ["Doctor", "unknown command 'Doctor': expected doctor?"],
    ["chek", "expected check?"],
    ["wathc --once", "unknown command 'wathc': expected watch?"],
    ["ping", "unknown command 'ping': expected inspect ping?"],
    ["active-queues", "expected inspect active_queues?"],
    ["status", "unknown command 'status': expected inspect ping?"],
    ["events", "unknown command 'events': expected watch?"],
    ["celery inspect ping", "unknown command 'celery': leave it out"],
    ["celery-probe doctor", "unknown command 'celery-probe': leave it out"],
    ["/usr/local/bin/celery-probe", "unknown command '/usr/local/bin/celery-probe': leave it out"],
    ["frob", `unknown command 'frob': expected ${ALL}`],
    ["worker@web-1", "unknown command 'worker@web-1': for a node write --node worker@web-1"],
    ["celery@%h", "unknown command 'celery@%h': for a node write --node celery@%h"],
    [
      "check worker@web-1",
      "unexpected word 'worker@web-1' after check: for a node write --node worker@web-1",
    ],
    [
      "doctor worker@web-1",
      "unexpected word 'worker@web-1' after doctor: for a node write --node worker@web-1",
    ],
    ["beat worker@web-1", "unexpected word 'worker@web-1' after beat: expected options"],
    ["report a b", "unexpected word 'b' after report [FILE]: expected options"],
    ["install a b", "unexpected word 'b' after install PATH: expected nothing more"],
    ["help inspect ping", "unexpected word 'ping' after help [COMMAND]: expected nothing more"],
    [
      "redis://cache:6379/0",
      "unknown command 'redis://cache:6379/0': for a broker write --broker redis://cache:6379/0",
    ],
    [
      "redis://:hunter2@cache",
      "unknown command 'redis://:***@cache': for a broker write --broker redis://:***@cache",
    ],
    ["doctor redis://:hunter2@cache", "after doctor: for a broker write --broker redis://:***@cache"],
    ["hunter2@cache:6379/0", `unknown command '***@cache:6379/0': expected ${ALL}`],
    ["u:hunter2@cache", `unknown command 'u:***@cache': expected ${ALL}`],
  ])("%s is answered by what it looks like", (line, expected) => {
    expect(sentence(line)).toContain(expected);
    expect(sentence(line)).not.toContain("hunter2");
  });
});

describe("several words in one, as if quoted together", () => {
  test.each([
    ["--node celery@web-1", 'unknown option \'--node…\': write each word by itself, "--node", "…"'],
    ["--timeout 5s", 'unknown option \'--timeout…\': write each word by itself, "--timeout", "…"'],
    ["-d celery@web-1", "for celery's -d write --node celery@web-1"],
    ["--busy-grace 5m", 'unknown option \'--busy-grace…\': write each word by itself, "--busy-grace", "…"'],
    ["--sentinel-password hunter2", 'write each word by itself, "--sentinel-password", "…"'],
    ["inspect ping", 'unknown command \'inspect …\': write each word by itself, "inspect", "…"'],
    ["doctor --sentinel-password hunter2", "unknown command 'doctor …': write each word by itself"],
    ["doctor --log -", 'write each word by itself, "doctor", "…"'],
    ["celery-probe --strict", "write each word by itself, and leave celery-probe out"],
    ["frob nicate", `unknown command 'frob nicate': expected ${ALL}`],
  ])("'%s' is taken apart", (word, expected) => {
    expect(sentenceOfWords([word])).toContain(expected);
    expect(sentenceOfWords([word])).not.toContain("hunter2");
  });
});

describe("a variable that was not filled in", () => {
  const SHELL = "no shell reads a command in exec form, or an env file: write CMD-SHELL or sh -c '…'";

  test.each([
    ["--timeout $TIMEOUT", `--timeout '$TIMEOUT' is a variable that nobody has filled in: ${SHELL}`],
    ["--timeout=${TIMEOUT}", `--timeout '\${TIMEOUT}' is a variable that nobody has filled in: ${SHELL}`],
    [
      "--queue mail-$SHARD",
      `--queue 'mail-$SHARD' has '$SHARD', a variable that nobody has filled in: ${SHELL}`,
    ],
    [
      "--pidfile $(RUN_DIR)/w.pid",
      "--pidfile '$(RUN_DIR)/w.pid' has '$(RUN_DIR)', a variable that nobody has filled in: Kubernetes fills $(NAME) only where env has it further up",
    ],
    [
      "--queue %(ENV_QUEUE)s",
      "--queue '%(ENV_QUEUE)s' is a variable that nobody has filled in: only supervisord's own file",
    ],
    [
      "--queue %QUEUE%",
      "--queue '%QUEUE%' is a variable that nobody has filled in: only Windows fills %NAME%",
    ],
    [
      "--queue {{queue}}",
      "--queue '{{queue}}' is a variable that nobody has filled in: its template was not rendered",
    ],
    ["--broker-env $BROKER", "--broker-env '$BROKER' is a variable that nobody has filled in"],
    [
      "--broker redis://$REDIS_HOST:6379/0",
      `--broker 'redis://$REDIS_HOST:6379/0' has '$REDIS_HOST' instead of its host, a variable that nobody has filled in: ${SHELL}`,
    ],
    ["--broker $REDIS_URL", `--broker '$REDIS_URL' is a variable that nobody has filled in: ${SHELL}`],
    ["--broker redis://%REDIS_HOST%:6379/0", "has '%REDIS_HOST%' instead of its host"],
    ["doctor --result-backend redis://$REDIS_HOST/1", "--result-backend '***' has '$REDIS_HOST', a variable"],
    ["doctor --flower http://$FLOWER:5555", "--flower 'http://$FLOWER:5555' has '$FLOWER', a variable"],
    ["--sentinel-password ${PASSWORD}", "--sentinel-password '***' is a variable that nobody has filled in"],
    ["$COMMAND", "unknown command '$COMMAND': it is a variable that nobody has filled in"],
    [
      "install $DIR/probe",
      "the word '$DIR/probe' after install has '$DIR', a variable that nobody has filled in",
    ],
    ["inspect query_task ${ID}", "the word '${ID}' after inspect is a variable that nobody has filled in"],
  ])("in %s is named", (line, expected) => {
    expect(sentence(line)).toContain(expected);
  });

  test.each([
    "--queue a$b",
    "--pidfile /run/celery/%n%I.pid",
    "--node worker@%h",
    "--fanout-prefix /{db}.",
    "--sentinel-password pa$$WORD",
    "--sentinel-password $ECRET",
    "--broker redis://:pa$WORD@cache/0",
    "--broker redis://:p%ABC%40@cache/0",
    "doctor --result-backend redis://:pa$WORD@cache/1",
  ])("is not seen in %s", (line) => {
    expect(sentence(line)).toBe("accepted");
  });
});
