// `npm run test:musl`: the e2e suite on the executable for musl, which the loader of Debian's package `musl` loads;
// docs/bun.md lists what it does differently.
import { hostTarget, nameOf } from "../build/targets.ts";
import { installMissing } from "../test/system/debian.ts";
import { runTests, step } from "./suite.ts";

const isBuilt = await step("the executable", process.execPath, "build.mjs", "musl");
await installMissing({ "ld-musl-config": "musl" });
process.env["EXECUTABLE_UNDER_TEST"] = `dist/${nameOf(hostTarget("musl"))}/celery-probe`;
process.exit(isBuilt && (await runTests("musl")) ? 0 : 1);
