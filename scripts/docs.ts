// `npm run docs`: writes the pages that are made from tables.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { optionsPage } from "./options-page.ts";
import { ROOT } from "./suite.ts";

writeFileSync(join(ROOT, "docs/options.md"), optionsPage());
