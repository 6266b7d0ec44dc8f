// `npm run test:system`: what needs root and Debian's packages, which it installs.
import { runTests, step } from "./suite.ts";

const passed = (await step("the executable", process.execPath, "build.mjs")) && (await runTests("system"));
process.exit(passed ? 0 : 1);
