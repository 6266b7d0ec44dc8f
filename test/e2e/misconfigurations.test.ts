import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, certificates } from "../world/certificates.ts";
import { startContainer, type Container } from "../world/container.ts";
import { type Sentinels, startSentinels } from "../world/sentinel.ts";
import { freePort, type Server, startServer } from "../world/server.ts";
import type { WorkerOptions } from "../world/worker-command.ts";
import { EXECUTABLE, probe } from "./probe.ts";

/** Common mistakes, and the setting that the probe's one line must name. */
let plain: Server;
let secret: Server;
let tls: Server;
let strict: Server;
let expired: Server;
let otherHost: Server;
let replica: Server;
let full: Server;
let crippled: Server;
let sentinels: Sentinels;
let files: Certificates;
let nobody: number;

const owned = new AsyncDisposableStack();
beforeAll(async () => {
  files = await certificates();
  nobody = await freePort();
  const start = async (...options: Parameters<typeof startServer>) =>
    owned.use(await startServer(...options));
  [plain, secret, tls, strict, expired, otherHost, full, crippled] = await Promise.all([
    start(),
    start({ password: "hunter2" }),
    start({ tls: { alsoPlain: true } }),
    start({ tls: { clients: "yes" } }),
    start({ tls: { certificate: "expired" } }),
    start({ tls: { certificate: "otherHost" } }),
    start({ args: ["--maxmemory", "1kb", "--maxmemory-policy", "noeviction"] }),
    start({ args: ["--rename-command", "MULTI", ""] }),
  ]);
  replica = await start({ args: ["--replicaof", "127.0.0.1", String(plain.port)] });
  sentinels = owned.use(
    await startSentinels({ masters: ["one", "two"], password: "hunter2", sentinelPassword: "sesame" }),
  );
  await plain.addUser({ username: "app", password: "pw" }, "~*", "+@all", "-publish");
}, 120_000);
afterAll(() => owned.disposeAsync());

interface Mistake {
  readonly url: () => string;
  readonly words?: () => readonly string[];
  /** The words of the line, and the setting that it names. */
  readonly says: RegExp;
}

const at = (server: Server) => `127.0.0.1:${server.port}`;
const PASSWORDS = ["--sentinel-password", "sesame"];

const MISTAKES: Readonly<Record<string, Mistake>> = {
  "another kind of broker": {
    url: () => "amqp://u:p@rabbit//",
    says: /is not a Redis broker: expected redis:/,
  },
  "no URL": { url: () => "cache:6379", says: /is not a URL: expected redis:/ },
  "Valkey's own scheme": { url: () => "valkey://cache/0", says: /write redis:\/\// },
  "the scheme of result backends": { url: () => "unix:///run/redis.sock", says: /write redis\+socket:/ },
  "a cluster": { url: () => "redis-cluster://cache/0", says: /no Redis Cluster/ },
  "a slash in the password": { url: () => "redis://:p/w@cache/0", says: /%-codes for \/ \? # @/ },
  "a port that is none": { url: () => "redis://cache:99999/0", says: /has port 99999: expected 1 to 65535/ },
  "a database that is no number": { url: () => "redis://cache/jobs", says: /database that is not a number/ },
  "the database as a parameter": {
    url: () => "redis://cache?db=3",
    says: /parameter .db. that kombu refuses/,
  },
  "a wrong word for ssl_cert_reqs": {
    url: () => "rediss://cache?ssl_cert_reqs=REQUIRED",
    says: /ssl_cert_reqs.*(none|CERT_NONE)/,
  },
  "credentials from Python": {
    url: () => "redis://cache?credential_provider=a.B",
    says: /credential_provider.*expected user and password/,
  },
  "a list of two kinds": { url: () => "sentinel://a;redis://b", says: /second URL is of another kind/ },
  "a broken alternate": {
    url: () => "redis://a;redis://b:x",
    says: /second URL has a port that is not a number/,
  },
  "a socket without a path": {
    url: () => "redis+socket://",
    says: /names no socket: expected redis\+socket:/,
  },
  "a socket over TLS": {
    url: () => "redis+socket:///run/redis.sock?ssl_cert_reqs=none",
    says: /TLS by ssl_…, which redis-py refuses on a socket/,
  },
  "an unset variable": {
    url: () => "",
    words: () => ["--broker-env", "MY_BROKER"],
    says: /--broker-env 'MY_BROKER' is not set/,
  },
  "a wrong port": {
    url: () => `redis://127.0.0.1:${nobody}/0`,
    says: /refused the connection.*host and port/,
  },
  "a wrong host name": { url: () => "redis://no-such-host.invalid/0", says: /host name of .* was not found/ },
  "a wrong password": {
    url: () => secret.url().replace("hunter2", "hunter3"),
    says: /did not accept the user name or password.*broker URL/,
  },
  "no password": {
    url: () => `redis://${at(secret)}/0`,
    says: /wants a password.*redis:\/\/\[user:password@\]host/,
  },
  "a password too many": { url: () => `redis://:pw@${at(plain)}/0`, says: /no password set.*remove it/ },
  "a database too high": { url: () => plain.url(99), says: /no such database.*number at the end/ },
  "a user without +publish": {
    url: () => plain.url(0, { username: "app", password: "pw" }),
    says: /\+publish/,
  },
  "a replica": { url: () => replica.url(), says: /read-only replica.*primary/ },
  "a Redis that is full": { url: () => full.url(), says: /out of memory.*maxmemory/ },
  "a Redis without MULTI": { url: () => crippled.url(), says: /does not know MULTI/ },
  "redis:// for a server with TLS": {
    url: () => tls.url().replace("rediss", "redis"),
    says: /speaks only TLS.*rediss:\/\/.*--tls/,
  },
  "rediss:// for a server without": {
    url: () => tls.plainUrl().replace("redis", "rediss"),
    says: /does not speak TLS.*redis:\/\//,
  },
  "no authority": {
    url: () => `${tls.url()}?ssl_cert_reqs=required`,
    says: /unknown authority.*ssl_ca_certs/,
  },
  "an expired certificate": {
    url: () => `${expired.url()}?ssl_ca_certs=${files.ca}`,
    says: /has expired or is not valid yet \(CERT_HAS_EXPIRED\); hint: renew it/,
  },
  "a certificate for another host": {
    url: () => `${otherHost.url()}?ssl_ca_certs=${files.ca}&ssl_check_hostname=true`,
    says: /for another host.*ssl_check_hostname=false/,
  },
  "no certificate of ours": { url: () => strict.url(), says: /wants one.*ssl_certfile and ssl_keyfile/ },
  "a key that is none": {
    url: () => strict.url(),
    words: () => ["--ssl-certfile", files.client.certificate, "--ssl-keyfile", files.ca],
    says: /a file for TLS with .*ssl_keyfile/,
  },
  "an authority that is not there": {
    url: () => `${tls.url()}?ssl_ca_certs=/nowhere.pem`,
    says: /cannot be used: ssl_ca_certs \(ENOENT\): \/nowhere\.pem;/,
  },
  "a socket that is not there": {
    url: () => "redis+socket:///nowhere/redis.sock",
    says: /no socket at .*unixsocket/,
  },
  "redis:// for a Sentinel": {
    url: () => `redis://:sesame@127.0.0.1:${sentinels.sentinels[0]?.port ?? 0}/0`,
    says: /is a Sentinel.*write sentinel:\/\//,
  },
  "sentinel:// for a Redis": {
    url: () => `sentinel://${at(plain)}/0`,
    says: /is not a Sentinel.*redis:\/\//,
  },
  "no name of the master": {
    url: () => sentinels.url(),
    words: () => PASSWORDS,
    says: /they know 'one', 'two'; hint: set --master-name/,
  },
  "a wrong name of the master": {
    url: () => sentinels.url(),
    words: () => [...PASSWORDS, "--master-name=three"],
    says: /they know 'one', 'two', not 'three'; hint: set --master-name/,
  },
  "no password for the Sentinels": {
    url: () => sentinels.url(),
    says: /Sentinel 127\.0\.0\.1:\d+ wants a password.*--sentinel-password/,
  },
  "a wrong password for the Sentinels": {
    url: () => sentinels.url(),
    words: () => ["--sentinel-password=sesame2"],
    says: /Sentinel 127\.0\.0\.1:\d+ did not accept.*--sentinel-password/,
  },
  "a wrong password for the master": {
    url: () => sentinels.url().replace("hunter2", "hunter3"),
    words: () => [...PASSWORDS, "--master-name=one"],
    says: /the master 'one' at 127\.0\.0\.1:\d+ did not accept the user name or password.*broker URL/,
  },
};

describe("the line names the setting", () => {
  test.each(Object.entries(MISTAKES))("when there is %s", async (_, { url, words, says }) => {
    const env = { CELERY_PROBE_BROKER: url(), CELERY_PROBE_PLACEMENT: "remote" };
    const probed = await probe(["--node", "x@y", ...(words?.() ?? [])], env);
    expect(probed.exitCode).toBe(1);
    const said = probed.stdout + probed.stderr;
    expect(said).toMatch(says);
    expect(said).not.toContain("\n");
    expect(said).not.toMatch(/hunter\d|sesame/);
    expect(probed.ms).toBeLessThan(5_200);
  });
});

/** Settings of a worker that the probe does not have. */
const DIFFERENCES: Readonly<
  Record<string, { readonly worker: Partial<WorkerOptions>; readonly says: RegExp }>
> = {
  global_keyprefix: {
    worker: { settings: { broker_transport_options: { global_keyprefix: "gp:" } } },
    says: /set --global-keyprefix 'gp:'/,
  },
  fanout_prefix: {
    worker: { settings: { broker_transport_options: { fanout_prefix: "/app1." } } },
    says: /set --fanout-prefix '\/app1\.'/,
  },
  "no fanout_prefix": {
    worker: { settings: { broker_transport_options: { fanout_prefix: false } } },
    says: /set --fanout-prefix false/,
  },
  control_exchange: {
    worker: { settings: { control_exchange: "own" } },
    says: /set --control-exchange own/,
  },
  worker_enable_remote_control: {
    worker: { settings: { worker_enable_remote_control: false }, until: "ready" },
    says: /worker_enable_remote_control/,
  },
  accept_content: {
    worker: {
      settings: { accept_content: ["pickle"], task_serializer: "pickle" },
      env: { C_FORCE_ROOT: "1" },
      until: "ready",
    },
    says: /accept_content/,
  },
};

describe("the line names the setting that differs between a worker and the probe", () => {
  let container: Container;
  beforeAll(async () => {
    container = owned.use(await startContainer());
  });

  test.each(Object.entries(DIFFERENCES))("when it is %s", async (_, { worker: options, says }) => {
    const worker = await container.startWorker({ server: plain, pool: "solo", ...options } as WorkerOptions);
    const { stdout } = await container.run(EXECUTABLE);
    await worker.stop();
    expect(stdout.trimEnd()).toMatch(says);
  });
});
