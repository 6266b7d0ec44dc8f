/**
 * Records `test/fixtures/wire/` again from real workers: `node test/world/record-fixtures.ts`.
 *
 * The files are committed, so that the tests of the wire format need no Python. Run this when a Celery version is
 * added, and read the difference before you commit it.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { damagedReplies } from "./damaged-replies.ts";
import type { CeleryVersion } from "./pairs.ts";
import {
  type HeartbeatRecording,
  recordHeartbeat,
  recordReplies,
  recordRequest,
  type Recording,
  type RecordedReply,
} from "./pidbox-recorder.ts";
import { type Server, startServer } from "./server.ts";
import type { Pool } from "./worker-command.ts";

const FOLDER = resolve(import.meta.dirname, "../fixtures/wire");
const NODE = "w1@world";

const PONGS: readonly (readonly [CeleryVersion, Pool])[] = [
  ["5.2.7", "prefork"],
  ["5.3.6", "prefork"],
  ["5.7.0", "prefork"],
  ["5.7.0", "gevent"],
];

/** Further answers besides the plain one, all from the newest Celery on prefork. */
const OTHERS: Readonly<Record<string, Pick<Recording, "method" | "nodes" | "settings">>> = {
  "pong-pickle": { method: "ping", nodes: [NODE], settings: { task_serializer: "pickle" } },
  "pong-yaml": { method: "ping", nodes: [NODE], settings: { task_serializer: "yaml" } },
  "pong-plain-body": {
    method: "ping",
    nodes: [NODE],
    settings: { broker_transport_options: { body_encoding: null } },
  },
  "error-unknown-method": { method: "nosuch", nodes: [NODE] },
};

/** The plain form, and every setting that changes where or how a heartbeat is sent. */
const HEARTBEATS: Readonly<Record<string, Omit<HeartbeatRecording, "server" | "node">>> = {
  "5.0.5-prefork-heartbeat": { celery: "5.0.5", pool: "prefork", db: 0 },
  "5.4.0-prefork-heartbeat": { celery: "5.4.0", pool: "prefork", db: 0 },
  "5.7.0-prefork-heartbeat": { celery: "5.7.0", pool: "prefork", db: 0 },
  "5.7.0-solo-heartbeat-prefixed": {
    celery: "5.7.0",
    pool: "solo",
    db: 3,
    settings: { broker_transport_options: { global_keyprefix: "gp:" } },
  },
  "5.7.0-solo-heartbeat-plain-body": {
    celery: "5.7.0",
    pool: "solo",
    db: 2,
    settings: { broker_transport_options: { fanout_patterns: false, body_encoding: null } },
  },
};

const REQUESTS: readonly CeleryVersion[] = ["5.2.7", "5.3.6", "5.7.0"];

await rm(FOLDER, { recursive: true, force: true });
await mkdir(join(FOLDER, "damaged"), { recursive: true });
await using server = await startServer();
const sample = await recordPongs(server);
await recordOthers(server);
await recordTwoNodes(server);
for (const celery of REQUESTS) await save(`celery-${celery}-request`, await recordRequest(server, celery));
for (const [name, heartbeat] of Object.entries(HEARTBEATS))
  await save(`celery-${name}`, await recordHeartbeat({ server, node: NODE, ...heartbeat }));
for (const [name, damaged] of Object.entries(damagedReplies(sample))) await save(`damaged/${name}`, damaged);

/** Returns the last one. The damaged replies are made from it. */
async function recordPongs(from: Server): Promise<RecordedReply> {
  let last: RecordedReply | undefined;
  for (const [celery, pool] of PONGS) {
    [last] = await recordReplies({ server: from, celery, pool, method: "ping", nodes: [NODE] });
    await save(`celery-${celery}-${pool}-pong`, last);
  }
  if (last === undefined) throw new Error("nothing was recorded");
  return last;
}

async function recordOthers(from: Server): Promise<void> {
  for (const [name, other] of Object.entries(OTHERS)) {
    const [reply] = await recordReplies({ server: from, celery: "5.7.0", pool: "prefork", ...other });
    await save(`celery-5.7.0-prefork-${name}`, reply);
  }
}

/** Two workers with one ticket, one file each. */
async function recordTwoNodes(from: Server): Promise<void> {
  const nodes = ["w1@world", "w2@world"];
  const replies = await recordReplies({ server: from, celery: "5.7.0", pool: "solo", method: "ping", nodes });
  for (const [index, reply] of replies.entries()) await save(`celery-5.7.0-solo-pong-w${index + 1}`, reply);
}

async function save(name: string, content: unknown): Promise<void> {
  const file = join(FOLDER, `${name}.json`);
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  process.stderr.write(`recorded ${relative(process.cwd(), file)}\n`);
}
