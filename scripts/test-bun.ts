// `npm run test:bun`: the e2e suite on the executable that Bun compiles; docs/bun.md lists what it does differently.
import { runTests, step } from "./suite.ts";

process.env["EXECUTABLE_UNDER_TEST"] = "dist/celery-probe-bun";
const passed =
  (await step("the bundle", process.execPath, "build.mjs")) &&
  (await step("the executable", process.execPath, "scripts/build-bun.ts")) &&
  (await runTests("bun"));
process.exit(passed ? 0 : 1);
