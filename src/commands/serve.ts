import type { BrokerFailure } from "../broker/failure.ts";
import { DEFAULT_GRACE_MS } from "../celery/worker-settings.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import type { Origin } from "../cli/options.ts";
import { label } from "../cli/usage.ts";
import { localCheck } from "../fleet/check-local.ts";
import { collect } from "../fleet/collector.ts";
import { findFleet } from "./find-fleet.ts";
import type { Host } from "../host.ts";
import type { HttpListener } from "../machine/parts.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { lines, NOTHING, page } from "../render/gate.ts";
import { statement } from "../render/statement.ts";
import { listenSentence, sharingSentence } from "../render/serve-words.ts";
import { isoTime } from "../render/speech.ts";
import { ask } from "../serve/ask.ts";
import { changeLog } from "../serve/change-log.ts";
import { type Events, startEvents } from "../serve/events.ts";
import { eventOf, router } from "../serve/router.ts";
import type { OwnUsage } from "../serve/metrics.ts";
import type { Source } from "../serve/source.ts";
import { startSharing } from "../serve/share.ts";
import { LONGEST_TOKEN, tokenOf } from "../serve/token.ts";
import { cpuMs, residentBytes } from "../worker/usage.ts";
import { type Ending, failed, misused, type Run } from "./command.ts";

type ServeConfig = CommandConfig<"serve">;

/** In milliseconds. How often queue lengths and heartbeats are read into the view. */
const LOOK_EVERY_MS = 2_000;

/** In bytes. Certificates with their chains are shorter. */
const LONGEST_PEM = 1_000_000;

const DONE: Ending = { stdout: NOTHING, stderr: NOTHING, exitCode: 0 };

/** Watches the fleet and answers over HTTP until a signal ends it. No problem of the broker ends it. */
export const serve: Run<ServeConfig> = (told, host) =>
  told.config.ask.value === null
    ? Promise.race([serveAll(told, host), host.interrupted.then(() => DONE)])
    : askRunning(told.config, told.config.ask.value, host);

/** The health check of a container that runs `serve`: prints the answer and exits with 0 or 1. */
async function askRunning(config: ServeConfig, path: string, host: Host): Promise<Ending> {
  const isTls = config["http-cert"].value !== null;
  const said = await ask(config.listen.value, path, isTls, await host.askPlace());
  if (!said.ok) return failed(said.problem);
  const { line, isOk } = said.value;
  return { stdout: page([line]), stderr: NOTHING, exitCode: isOk ? 0 : 1, isVerdict: true };
}

const serveAll: Run<ServeConfig> = async ({ config }, host) => {
  const contradiction = whyNotShared(config);
  if (contradiction !== null) return failed(contradiction);
  const secrets = await readSecrets(config, host);
  if (!secrets.ok) return failed(secrets.problem);
  const { placement, "busy-grace": grace } = config;
  const found = await findFleet(config, host);
  if (!found.ok) return misused(found.problem);
  const { plan, place, named } = found.value;
  const collector = collect(plan, place, host, {
    nodes: named,
    queues: config.queue.value,
    roundEveryMs: config.interval.value,
    lookEveryMs: Math.min(LOOK_EVERY_MS, config.interval.value),
    graceMs: grace.value ?? DEFAULT_GRACE_MS,
    // A sidecar asks only its own worker. If N sidecars each asked everyone, each worker would get N pings per
    // interval.
    local: {
      isAlone: placement.value === "beside",
      check: localCheck(config, host, grace.value, statement),
    },
  });
  const events = startEvents(collector, eventOf(host.version), host);
  const listener = await listen(config, secrets.value, { source: collector, events }, host);
  if (listener.ok) {
    host.print(lines([`listening on ${listener.value.shown}`]));
    logChanges(collector, host);
    if (config.share.value) startSharing(collector, host, config.interval.value, sharingLog(host));
    await host.interrupted;
    listener.value.close();
  }
  events.close();
  collector.close();
  return listener.ok ? DONE : failed(listener.problem);
};

/**
 * Why verdicts cannot be shared. Checks would not find workers that this `serve` does not watch. Several such `serve`
 * would overwrite each other's verdicts.
 */
function whyNotShared({ share, node, placement }: ServeConfig): string | null {
  if (!share.value) return null;
  const contradicts = (origin: Origin, value: string) =>
    `${label(share.origin)} and ${label(origin)} '${value}' contradict each other: expected a serve of the whole fleet, without `;
  if (node.value.length > 0) return `${contradicts(node.origin, node.value.join(","))}--node`;
  return placement.value === "beside"
    ? `${contradicts(placement.origin, "beside")}a sidecar's --placement beside; --placement remote is one`
    : null;
}

/** Prints a problem with sharing once, and prints when sharing works again. */
function sharingLog(host: Host): (problem: BrokerFailure | null) => void {
  let said: string | null = null;
  return (problem) => {
    const words = problem === null ? null : sharingSentence(problem);
    if (words === said) return;
    said = words;
    host.print(lines([`${isoTime(host.epochSeconds())} ${words ?? "verdicts are shared again"}`]));
  };
}

interface Secrets {
  readonly token: string | null;
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

async function readSecrets(config: ServeConfig, host: Host): Promise<Outcome<Secrets, string>> {
  const { "http-token-file": tokenFile, "http-cert": cert, "http-key": key } = config;
  const token = tokenFile.value === null ? success(null) : await readToken(tokenFile.value, host);
  if (!token.ok) return failure(`${label(tokenFile.origin)} '${tokenFile.value ?? ""}' ${token.problem}`);
  if (cert.value === null) {
    return key.value === null
      ? success({ token: token.value, tls: null })
      : failure(`${label(key.origin)} '${key.value}' has no certificate: expected --http-cert too`);
  }
  if (config.listen.value.kind === "socket") {
    return failure(
      `${label(cert.origin)} needs an address: expected --listen HOST:PORT, as a socket speaks no TLS`,
    );
  }
  const texts: string[] = [];
  for (const { value, origin } of [cert, key.value === null ? cert : key]) {
    const text = host.readFile(value ?? "", LONGEST_PEM, "followed");
    if (!text.ok) {
      const problem = `cannot be read (${text.problem.detail}): expected a file in PEM`;
      return failure(`${label(origin)} '${value ?? ""}' ${problem}`);
    }
    texts.push(text.value);
  }
  const [certText = "", keyText = ""] = texts;
  return success({ token: token.value, tls: { cert: certText, key: keyText } });
}

async function readToken(path: string, host: Host): Promise<Outcome<string, string>> {
  const look = (await host.files()).look(path);
  return tokenOf(look.ok ? look.value : null, host.readFile(path, LONGEST_TOKEN, "followed"));
}

async function listen(
  { listen: where }: ServeConfig,
  { token, tls }: Secrets,
  { source, events }: { readonly source: Source; readonly events: Events },
  host: Host,
): Promise<Outcome<HttpListener, string>> {
  const { version, now } = host;
  let lookedMs = now();
  source.onView(() => {
    lookedMs = now();
  });
  const answer = router({
    view: source.view,
    silentS: () => (now() - lookedMs) / 1_000,
    own: ownUsage(host),
    version,
    events,
    token,
  });
  const listener = await (await host.httpServer()).listen(where.value, tls, answer);
  return listener.ok ? listener : failure(listenSentence(where.value, where.origin, listener.problem));
}

/**
 * In milliseconds. If the reader of stdout stops reading, writing takes longer than `READER_SLOW_MS`. Nothing is
 * written for `QUIET_MS` then.
 */
const READER_SLOW_MS = 50;
const QUIET_MS = 60_000;

function logChanges(source: Source, host: Host): void {
  const changes = changeLog();
  let quietUntilMs = -Infinity;
  const write = () => {
    const due = changes(source.view());
    const startedMs = host.now();
    if (due.length === 0 || startedMs < quietUntilMs) return;
    host.print(lines(due));
    if (host.now() - startedMs > READER_SLOW_MS) quietUntilMs = host.now() + QUIET_MS;
  };
  source.onView(write);
  write();
}

function ownUsage({ version, proc, now, epochSeconds }: Host): () => OwnUsage {
  const startedS = epochSeconds() - now() / 1_000;
  return () => {
    const cpu = cpuMs(proc, proc.self);
    return {
      version,
      startedS,
      cpuS: cpu === null ? null : cpu / 1_000,
      residentBytes: residentBytes(proc, proc.self),
      openFiles: proc.list(`/proc/${proc.self}/fd`)?.length ?? null,
    };
  };
}
