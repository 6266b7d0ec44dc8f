// `npm run test:system`: the tests that need root and Debian's packages, which it installs. They test everything that a
// release has.
import { runTests, step } from "./suite.ts";

const isBuilt = await step("the release", process.execPath, "scripts/release.ts", "package");
process.exit(isBuilt && (await runTests("system")) ? 0 : 1);
