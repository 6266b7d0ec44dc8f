// `npm test`: the one gate. Checks of the sources, the executable, then the tests on it.
import { runTests, step } from "./suite.ts";

const passed =
  (await step("types, lint, format, dead code", "npm", "run", "--silent", "check")) &&
  (await step("the executable", process.execPath, "build.mjs")) &&
  (await runTests("test"));
process.exit(passed ? 0 : 1);
