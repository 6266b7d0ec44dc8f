import { expect, test } from "vitest";
import { run } from "../../src/app.ts";
import type { FileLook, HttpListener, HttpServer, ListenProblem } from "../../src/machine/parts.ts";
import { failure, success } from "../../src/outcome.ts";
import { fakeHost } from "../health/fake-host.ts";

/** What a run is given, and a server that listens or does not. */
interface Case {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly problem?: ListenProblem;
  readonly files?: Readonly<Record<string, string>>;
  readonly mode?: number;
}

/** How `serve` ends that SIGTERM reaches as soon as it has spoken of its broker, and what it said and did before. */
async function served({ argv, env = {}, problem, files = {}, mode = 0o600 }: Case) {
  const host = fakeHost({
    argv: ["serve", "--broker", "redis://redis/0", ...argv],
    env,
    connect: { kind: "unreachable", cause: "connection-refused", detail: "ECONNREFUSED" },
  });
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<string>();
  const asked: Parameters<HttpServer["listen"]>[] = [];
  let closed = 0;
  const listener: HttpListener = { shown: "http://127.0.0.1:9540", close: () => (closed += 1) };
  const look = (): FileLook => ({
    kind: "file",
    uid: 0,
    gid: 0,
    mode,
    bytes: 9,
    modifiedS: 0,
    isReadOnly: false,
  });
  const ending = await run({
    ...host,
    interrupted,
    print(text) {
      if (text.includes("broker: ")) interrupt("SIGTERM");
      return host.print(text);
    },
    readFile: (path) =>
      path in files ? success(files[path] ?? "") : failure({ kind: "gone", detail: "ENOENT" }),
    files: () =>
      Promise.resolve({ look: () => success(look()) } as unknown as Awaited<ReturnType<typeof host.files>>),
    httpServer: () =>
      Promise.resolve({
        listen(...how: Parameters<HttpServer["listen"]>) {
          asked.push(how);
          return Promise.resolve(problem === undefined ? success(listener) : failure(problem));
        },
      }),
  });
  return { ending, printed: host.printed, asked, closed };
}

const TOKEN = "0123456789abcdef0123";

test("it says where it listens, continues while the broker is down, and exits with 0 on SIGTERM", async () => {
  const { ending, printed, asked, closed } = await served({ argv: [] });
  expect(ending).toStrictEqual({ stdout: "", stderr: "", exitCode: 0 });
  expect(printed[0]).toBe("listening on http://127.0.0.1:9540\n");
  expect(printed.slice(1).join("")).toMatch(
    /^2027-01-15T08:00:00\.000Z broker: redis.* refused the connection\n$/,
  );
  expect(asked[0]?.slice(0, 2)).toEqual([{ kind: "tcp", host: "127.0.0.1", port: 9_540 }, null]);
  expect(closed).toBe(1);
});

test("token and certificate are read from files, and the key from the certificate's file by default", async () => {
  const files = { "/t": TOKEN, "/c": "CERT", "/k": "KEY" };
  const argv = ["--http-token-file", "/t", "--http-cert=/c"];
  expect((await served({ argv, files })).asked[0]?.[1]).toEqual({ cert: "CERT", key: "CERT" });
  const { asked } = await served({ argv: [...argv, "--http-key=/k"], files });
  expect(asked[0]?.[1]).toEqual({ cert: "CERT", key: "KEY" });
  const answer = asked[0]?.[2];
  const status = (headers: Readonly<Record<string, string>>) =>
    answer?.({ method: "GET", target: "/metrics", headers }).status;
  expect([status({}), status({ authorization: `Bearer ${TOKEN}` })]).toEqual([401, 200]);
});

const at = (cause: ListenProblem["cause"], detail = ""): Pick<Case, "problem"> => ({
  problem: { cause, detail },
});
const ENV = { CELERY_PROBE_LISTEN: "0.0.0.0:80", CELERY_PROBE_HTTP_TOKEN_FILE: "/t" };

test.each<[what: string, given: Case, sentence: string]>([
  [
    "no address",
    { argv: ["--listen", "9540"] },
    "--listen '9540' is not an address: expected one such as 127.0.0.1:9540, [::1]:9540 or /run/celery-probe.sock",
  ],
  [
    "a port in use",
    { argv: [], ...at("in-use") },
    "--listen '127.0.0.1:9540' is in use by another program: end it, or name another with --listen",
  ],
  [
    "a port that only root may use",
    { argv: [], env: { CELERY_PROBE_LISTEN: "0.0.0.0:80" }, ...at("forbidden", "EACCES") },
    "CELERY_PROBE_LISTEN '0.0.0.0:80' may not be used by this user (EACCES): expected a port from 1024 on, or a writable folder",
  ],
  [
    "an address of another machine",
    { argv: ["--listen=[::2]:1"], ...at("no-address", "EADDRNOTAVAIL") },
    "--listen '[::2]:1' is not an address of this machine (EADDRNOTAVAIL): expected 127.0.0.1, or 0.0.0.0 for all",
  ],
  [
    "a missing folder",
    { argv: ["--listen=/no/x"], ...at("no-folder") },
    "--listen '/no/x' is in a folder that does not exist: create it, or name another with --listen",
  ],
  [
    "a file in the way",
    { argv: ["--listen=/etc/hosts"], ...at("occupied") },
    "--listen '/etc/hosts' is a file, not a socket: remove it, or name another path with --listen",
  ],
  [
    "a file that is not a certificate",
    { argv: ["--http-cert=/c"], files: { "/c": "x" }, ...at("tls", "no start line") },
    "--http-cert and --http-key cannot be used (no start line): expected a certificate and its key in PEM",
  ],
  [
    "a missing certificate",
    { argv: ["--http-cert=/c"] },
    "--http-cert '/c' cannot be read (ENOENT): expected a file in PEM",
  ],
  [
    "a missing key",
    { argv: ["--http-cert=/c", "--http-key=/k"], files: { "/c": "x" } },
    "--http-key '/k' cannot be read (ENOENT): expected a file in PEM",
  ],
  [
    "a key without a certificate",
    { argv: ["--http-key=/k"] },
    "--http-key '/k' has no certificate: expected --http-cert too",
  ],
  [
    "a certificate for a socket",
    { argv: ["--http-cert=/c", "--listen=/s"] },
    "--http-cert needs an address: expected --listen HOST:PORT, as a socket speaks no TLS",
  ],
  [
    "a token that others can read",
    { argv: [], env: ENV, files: { "/t": TOKEN }, mode: 0o644 },
    "CELERY_PROBE_HTTP_TOKEN_FILE '/t' can be read by every user (mode 0644): set 0440 or less, in Kubernetes by defaultMode: 0440",
  ],
])("%s is one clear line and exit code 1", async (_, given, sentence) => {
  const { ending, printed } = await served(given);
  expect(ending).toStrictEqual({ stdout: "", stderr: `celery-probe: ${sentence}\n`, exitCode: 1 });
  expect(printed).toEqual([]);
});
