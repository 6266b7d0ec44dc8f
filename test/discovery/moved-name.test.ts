import { expect, test } from "vitest";
import { movedName } from "../../src/discovery/moved-name.ts";
import { fakeHost } from "../health/fake-host.ts";
import { WORKER } from "../health/fake-worker.ts";
import { fakeProc } from "../worker/fake-proc.ts";

const NOW = ["10.9.0.2"];

/** 10.9.0.2:6379 in the kernel's hexadecimal. */
const CACHE = "0200090A:18EB";

interface World {
  readonly environment: string;
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Whether the worker is connected to where the name leads now. */
  readonly isInUse?: boolean;
  readonly isTurning?: boolean;
}

async function look({ environment, names = { redis: NOW }, isInUse = false, isTurning = false }: World) {
  const table = `  sl  local_address\n   0: 0100000A:9C40 ${CACHE} 01 00000000:00000000 00:00000000 00000000 0 0 77 1 0 20\n`;
  const proc = fakeProc([{ ...WORKER, environment, descriptors: isInUse ? ["socket:[77]"] : [] }], {
    "/proc/12/net/tcp": table,
  });
  const host = fakeHost({ proc: () => proc, names });
  let looks = 0;
  const turning = () => Promise.resolve([`10.9.0.${10 + looks++}`]);
  const seen = isTurning ? { ...host, addressesOf: turning } : host;
  const broker = { host: "10.9.0.1", port: 6379 };
  return movedName(12, broker, seen, () => Promise.resolve(), 100);
}

test.each(["BROKER", "REDIS_URL", "CELERY_BROKER_URL"])("a name in %s has moved", async (variable) => {
  expect(await look({ environment: `${variable}=redis://:s3cret@redis:6379/0\0` })).toEqual({
    ...{ variable, pid: 12, name: "redis", port: 6379, addresses: NOW },
  });
});

test.each<readonly [string, World]>([
  ["it leads there", { environment: "BROKER=redis://redis:6379/0\0", names: { redis: ["10.9.0.1"] } }],
  ["another variable has the address", { environment: "A=redis://redis/0\0B=redis://10.9.0.1:6379/0\0" }],
  [
    "one of its addresses leads there",
    { environment: "BROKER=redis://redis\0", names: { redis: ["10.9.0.1", "10.9.0.2"] } },
  ],
  ["it leads nowhere", { environment: "BROKER=redis://redis:6379/0\0", names: {} }],
  ["its answers change", { environment: "BROKER=redis://redis:6379/0\0", isTurning: true }],
  ["it is of a cache", { environment: "CACHE_URL=redis://redis:6379/0\0" }],
  ["it is of a server with another port", { environment: "BROKER=redis://redis:6380/0\0" }],
  ["nothing names one", { environment: "HOME=/root\0" }],
  ["the worker uses both", { environment: "REDIS_URL=redis://redis:6379/0\0", isInUse: true }],
])("no name has moved when %s", async (_, world) => {
  expect(await look(world)).toBeNull();
});
