import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle } from "../../build/bundle.ts";

const CERTIFICATE = join(import.meta.dirname, "../fixtures/tls/certificate.pem");
const KEY = join(import.meta.dirname, "../fixtures/tls/key.pem");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "celery-probe-bundle-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("ioredis on its diet speaks TLS and looks names up when it is asked to", async () => {
  const program = join(folder, "speaks-tls.cjs");
  await bundle(program, { entry: join(import.meta.dirname, "speaks-tls.ts") });
  const server = createServer({ key: readFileSync(KEY), cert: readFileSync(CERTIFICATE) }, (socket) => {
    socket.once("data", () => socket.end("+PONG over TLS\r\n"));
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { stdout } = await execa(process.execPath, [program, String(port), CERTIFICATE], {
    env: {},
    extendEnv: false,
  });
  server.close();
  expect(stdout).toBe("PONG over TLS");
});
