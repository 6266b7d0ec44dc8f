// The last line of `.ci/run`: the counts of all suites together.
import { countOf, line, SUITES } from "./suite.ts";

const total = SUITES.map(countOf).reduce((sum, { passed, failed }) => ({
  passed: sum.passed + passed,
  failed: sum.failed + failed,
}));
console.log(line(total));
process.exit(total.failed === 0 ? 0 : 1);
