// `npm test`: the one gate. It builds the executable, then tests it. Beside the tests it checks the sources.
import { runTests, step, stepBeside } from "./suite.ts";

const isBuilt = await step("the executable", process.execPath, "build.mjs");
// The tests mostly wait for workers, so the checks do not slow them down.
const checks = stepBeside("types, lint, format, dead code", "npm", "run", "--silent", "check");
const passed = isBuilt ? await runTests("test", checks) : (await checks) && false;
process.exit(passed ? 0 : 1);
