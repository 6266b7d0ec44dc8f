import { test } from "vitest";
import { expectAlive, KINDS } from "../e2e/broker-kinds.ts";

test.concurrent.each(Object.keys(KINDS))("a worker of Celery 5.2.7 is alive when its broker has %s", (kind) =>
  expectAlive("5.2.7", kind),
);
