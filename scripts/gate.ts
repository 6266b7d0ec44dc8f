// `npm test`: the one gate. The executable, then the tests on it and, beside them, the checks of the sources.
import { runTests, step, stepBeside } from "./suite.ts";

const isBuilt = await step("the executable", process.execPath, "build.mjs");
// Most of the tests' time is waiting for workers: the checks take none of it.
const checks = stepBeside("types, lint, format, dead code", "npm", "run", "--silent", "check");
const passed = isBuilt ? await runTests("test", checks) : (await checks) && false;
process.exit(passed ? 0 : 1);
