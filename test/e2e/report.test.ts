import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Container, startContainer } from "../world/container.ts";
import { startServer } from "../world/server.ts";
import { startWorker } from "../world/worker.ts";
import { EXECUTABLE, probe } from "./probe.ts";

/**
 * A secret for each place that a report reads. All have the same beginning, and some need escapes in a URL or in JSON.
 */
const MARK = "hush-";
const planted = (place: string) => `${MARK}${place}`;

const report = (container: Container, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  container.run(EXECUTABLE, ["report", ...args], env);

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "no secret of Celery %s gets into a report",
  async (celery) => {
    const password = `${planted("broker")}/@:#"é`;
    await using server = await startServer({ password });
    await using container = await startContainer();
    const encoded = encodeURIComponent(password);
    const short = "h5sh";
    const alternate = `redis://:${planted("alternate")}@127.0.0.1:1/0`;
    const log = join(container.folder, "worker.log");
    const lines = [
      `consumer: Cannot connect to redis://:${planted("log")}@cache:6379/0: refused`,
      `[ERROR/MainProcess] Authorization: Bearer ${planted("bearer")} PermissionError: [Errno 13] Permission denied`,
      `OSError: [Errno 28] No space left on device: https://hooks.example/services/${planted("log-webhook")}`,
      `ImportError: cannot import name 'mails' from ${planted("import")}`,
    ];
    writeFileSync(log, lines.join("\n"));
    await using worker = await container.startWorker({
      server,
      celery,
      brokerUrl: `redis://:${encoded}@127.0.0.1:${server.port}/0;${alternate}`,
      concurrency: 2,
      globalArgs: ["--result-backend", `redis://:${planted("argv")}@127.0.0.1:1/3`],
      settings: {
        broker_transport_options: {
          master_name: "m",
          sentinel_kwargs: { password: planted("sentinel") },
          visibility_timeout: 600,
        },
        beat_schedule: {
          nightly: {
            task: "tasks.add",
            schedule: 3_600,
            args: [planted("scheduled")],
            kwargs: { to: planted("scheduled-kw") },
            options: {
              queue: "nights",
              headers: { tenant: planted("scheduled-header") },
              shadow: planted("shadow"),
            },
          },
        },
        fernet_key: planted("fernet"),
        app_authstring: planted("authstring"),
        app_headers: { Authorization: planted("authorization"), "X-Api-Key": planted("header-key") },
        app_connection: `Server=db;Database=results;Password=${planted("connection")};Encrypt=yes`,
        app_storage: `DefaultEndpointsProtocol=https;AccountName=me;AccountKey=${planted("account")}==;EndpointSuffix=x`,
        app_header: `Authorization: Bearer ${planted("header")}`,
        app_command: `curl -H 'X-Api-Key: ${planted("curl")}' https://api.example`,
        app_chat: `https://hooks.example/services/T000/${planted("path")}`,
        app_pages: [{ page: `https://pages.example:8443/?to=redis://cache/0&page=${planted("query")}` }],
        app_words: `the word ${short} is no part of ${short}ish`,
        redis_password: planted("conf"),
        security_key_password: planted("key"),
        result_backend_transport_options: { password: planted("options") },
      },
      env: {
        CELERY_RESULT_BACKEND: `db+postgresql://me:${planted("backend")}@db/results`,
        DJANGO_SECRET_KEY: planted("django"),
        AWS_SECRET_ACCESS_KEY: planted("aws"),
        CELERY_SENTRY_DSN: `https://${planted("dsn")}@sentry.example/1`,
        REDIS_PASSWORD: planted("redis"),
        CELERY_PW: planted("pw"),
        CELERY_SIGNING_SALT: planted("salt"),
        CELERY_COOKIE: planted("cookie"),
        CELERY_LICENCE: planted("licence"),
        BROKER_POOL_AUTHSTRING: planted("pool"),
        BROKER_POOL_PHRASE: planted("phrase"),
        RESULT_BACKEND_OPTIONS: `Server=db;Password=${planted("backend-options")};`,
        CELERY_BACKEND: `Server=db;Password=${planted("env-connection")};`,
        CELERY_CHAT_URL: `https://hooks.example/services/T000/${planted("env-path")}`,
        CELERY_PAGE_URL: `https://pages.example/?page=${planted("env-query")}`,
        CELERY_SHORT_PASSWORD: short,
      },
      until: "answers",
    });
    const id = await worker.submit("shell_until", join(container.folder, planted("argument")));
    await worker.taskStarted(id);
    const env = { FLOWER_BASIC_AUTH: `me:${planted("flower-login")}`, MY_API_TOKEN: planted("token") };
    const args = ["--flower", `http://me:${planted("flower")}@127.0.0.1:1`, "--log", log];
    const file = join(container.folder, "report.md");
    const said = [
      await report(container, args, env),
      await report(container, [...args, "--output", "json"], env),
      await report(container, [...args, file], env),
    ];
    for (const { exitCode, stderr } of said) expect([exitCode, stderr]).toEqual([0, ""]);
    const texts = [...said.map(({ stdout }) => stdout), readFileSync(file, "utf8")];
    for (const text of texts) {
      // The argument's value is not in a report. A child process that the task has started is not one of the worker's
      // children.
      expect(text.match(new RegExp(`${MARK}[\\w-]+`, "g")) ?? []).toEqual([]);
      expect(text).not.toContain(encoded.slice(5));
      expect(text).not.toMatch(new RegExp(`\\b${short}\\b`));
    }
    const [text = "", json = ""] = texts;
    for (const words of [
      /^# celery-probe report\n/,
      new RegExp(`software -> celery:${celery.replaceAll(".", "\\.")} `),
      /^ok +queue-length celery: /m,
      /"task": "tasks\.add"/,
      /"visibility_timeout": 600/,
      /"options": \{\s+"queue": "nights"\s+\}/,
      /"https:\/\/hooks\.example\/\*{8}"/,
      /"page": "https:\/\/pages\.example:8443\/\*{8}"/,
      /"app_connection": "Server=db;Database=results;Password=\*{8};Encrypt=yes"/,
      new RegExp(`the word \\*{8} is no part of ${short}ish`),
      /"CELERY_CHAT_URL": "https:\/\/hooks\.example\/\*{8}"/,
      /"CELERY_BROKER_URL": "redis:\/\/:\*{8}@127\.0\.0\.1:\d+\/0;redis:\/\/:\*{8}@127\.0\.0\.1:1\/0"/,
      /"redis_version": "\d/,
      /"max-concurrency": 2/,
      new RegExp(`"id": "${id}"`),
      /"DJANGO_SECRET_KEY": "\*+"|"CELERY_RESULT_BACKEND": "db\+postgresql:\/\/me:\*+@db\/results"/,
    ]) {
      expect(text).toMatch(words);
    }
    const parsed = JSON.parse(json) as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual(
      expect.arrayContaining(["report", "schema", "check", "findings", "nodes", "broker"]),
    );
    const withArguments = await report(container, ["--with-arguments"]);
    expect(withArguments.stdout).toContain(planted("argument"));
  },
);

test.concurrent(
  "a file is written for its owner, may replace a report, and replaces no other file",
  async () => {
    await using server = await startServer();
    await using _worker = await startWorker({ server });
    await using container = await startContainer();
    const args = ["report", "--placement", "remote", "--broker", server.url(), "--deadline", "5s"];
    const file = join(container.folder, "out.md");
    for (const output of ["text", "json"]) {
      const { exitCode, stdout } = await probe([...args, "--output", output, file]);
      expect([exitCode, stdout]).toEqual([0, `${file} is written: read it before you send it`]);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    const notes = join(container.folder, "notes.md");
    writeFileSync(notes, "mine");
    const foreign = await probe([...args, notes]);
    expect([foreign.exitCode, foreign.stdout]).toEqual([1, ""]);
    expect(foreign.stderr).toBe(
      `celery-probe: ${notes} is a file that is no report, and was left as it is: expected another name`,
    );
    expect(readFileSync(notes, "utf8")).toBe("mine");
    mkdirSync(join(container.folder, "folder"));
    expect((await probe([...args, join(container.folder, "folder")])).stderr).toMatch(
      /is a folder: expected a file, or a name that is free$/,
    );
    expect((await probe([...args, join(container.folder, "no/such.md")])).stderr).toMatch(
      /could not be written: its folder is not there$/,
    );
  },
);

test.concurrent("a broker that cannot be reached is also reported", async () => {
  await using container = await startContainer();
  const { stdout, exitCode } = await report(container, [
    "--broker",
    `redis://:${planted("gone")}@127.0.0.1:1/0`,
  ]);
  expect(stdout).toMatch(/^PROBLEM +broker: .*refused/m);
  expect(stdout).toMatch(/## Broker\n\n```\ncould not be asked\n/);
  expect(stdout).not.toContain(MARK);
  expect(exitCode).toBe(0);
});
