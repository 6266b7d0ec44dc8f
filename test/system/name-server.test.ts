import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { EXECUTABLE } from "../e2e/probe.ts";
import { startStopwatch } from "../world/stopwatch.ts";

/** A loopback address where nothing listens. */
const SILENT = "127.0.0.77";

test.each([
  ["1s", "500ms", 1_500],
  ["5s", "1s", 2_500],
])(
  "the probe ends within %s when the name server never answers",
  async (deadline, connectTimeout, withinMs) => {
    const folder = await mkdtemp(join(tmpdir(), "celery-probe-name-server-"));
    const nameServer = createSocket("udp4");
    nameServer.bind(53, SILENT);
    await once(nameServer, "listening");
    let questions = 0;
    nameServer.on("message", () => {
      questions += 1;
    });
    await writeFile(join(folder, "resolv.conf"), `nameserver ${SILENT}\n`);
    // It has its own mount namespace, so the machine's resolv.conf does not change.
    const elapsedMs = startStopwatch();
    const { exitCode, stdout, stderr } = await execa(
      "unshare",
      [
        "--mount",
        "sh",
        "-c",
        'mount --bind "$0" /etc/resolv.conf && exec "$@"',
        join(folder, "resolv.conf"),
        EXECUTABLE,
        "--placement=remote",
        `--deadline=${deadline}`,
        `--connect-timeout=${connectTimeout}`,
      ],
      {
        env: { CELERY_BROKER_URL: "redis://broker.example/0", PATH: "/usr/bin:/bin" },
        extendEnv: false,
        reject: false,
      },
    );
    const ms = elapsedMs();
    nameServer.close();
    await rm(folder, { recursive: true });
    expect(stdout).toMatch(
      /^unknown: broker-unreachable: redis:\/\/broker.example\/0 did not accept the connection within/,
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "" });
    expect(questions).toBeGreaterThan(0);
    expect(ms).toBeLessThan(withinMs);
  },
);
