// `npm run test:musl`: the e2e suite on the executable for musl, which the loader of Debian's package `musl` loads;
// docs/bun.md lists what it does differently.
import { join } from "node:path";
import { bundle } from "../build/bundle.ts";
import { buildByBun } from "../build/by-bun.ts";
import { BUNDLE } from "../build/parts.ts";
import { hostTarget, nameOf } from "../build/targets.ts";
import { installMissing } from "../test/system/debian.ts";
import { ROOT, runTests } from "./suite.ts";

const target = hostTarget("musl");
const executable = `dist/${nameOf(target)}/celery-probe`;
await bundle(BUNDLE);
await buildByBun(target, BUNDLE, join(ROOT, executable));
await installMissing({ "ld-musl-config": "musl" });
process.env["EXECUTABLE_UNDER_TEST"] = executable;
process.exit((await runTests("musl")) ? 0 : 1);
