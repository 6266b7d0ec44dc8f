// `npm run bench:check`: holds a healthy check to the recorded budget of its start; `-- --record` records a new one.
import { overBudget, readBudget, writeBudget } from "./budget.ts";
import { measureStartUp } from "./start-up.ts";

const [option, ...rest] = process.argv.slice(2);
if ((option !== undefined && option !== "--record") || rest.length > 0) {
  console.error(`celery-probe: '${[option, ...rest].join(" ")}' is not known: expected nothing, or --record`);
  process.exit(1);
}
const budget = await readBudget();
const { measured, metafile } = await measureStartUp();
const { instructions, files, builtins } = measured;
console.log(
  `a healthy check: ${instructions} million instructions beyond an empty executable's, ${files.length} files and ` +
    `${builtins.length} modules of Node's loaded`,
);
if (option === "--record") {
  await writeBudget(measured);
} else {
  const problems = overBudget(budget, measured, metafile);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
