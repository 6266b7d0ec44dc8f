// `npm run test:system`: what needs root and Debian's packages, which it installs; on all that a release has.
import { installEmulators } from "../test/system/flavour.ts";
import { runTests, step } from "./suite.ts";

// Before the release is made: with them its executables for other architectures have compiled code in them.
await installEmulators();

const passed =
  (await step("the release", process.execPath, "scripts/package.ts")) && (await runTests("system"));
process.exit(passed ? 0 : 1);
