import { defineConfig } from "eslint/config";
import regexp from "eslint-plugin-regexp";
import tseslint from "typescript-eslint";

/** TypeScript's `any` and `unknown`. */
const UNTYPED = 1 | 2;

/** @typedef {{ readonly parserServices: { readonly getTypeAtLocation: (node: object) => import("typescript").Type } }} Typed */

/**
 * Number(), String(), join() and sort() call what an object has as `toString`, which JSON may make a number.
 *
 * @type {import("eslint").Rule.RuleModule}
 */
const noTextOfUnknown = {
  meta: { type: "problem" },
  create(context) {
    const { sourceCode } = /** @type {{ readonly sourceCode: Typed }} */ (context);
    const { getTypeAtLocation } = sourceCode.parserServices;
    /** @param {{ flags: number } | undefined} type */
    const isUntyped = (type) => type !== undefined && (type.flags & UNTYPED) !== 0;
    const message =
      "it may be an object whose toString is none: use asNumber, asText (src/numbers.ts) or a guard";
    return {
      CallExpression(node) {
        const { callee, arguments: given } = node;
        /** @param {(typeof node)["arguments"][number] | (typeof node)["callee"] | undefined} one */
        const isMade = (one) => one?.type === "Identifier" && /^(?:Number|String)$/.test(one.name);
        const first = given[0];
        if (isMade(callee) && first !== undefined && isUntyped(getTypeAtLocation(first)))
          context.report({ node, message });
        if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
        const { name } = callee.property;
        const makesText =
          /^(?:join|toString)$/.test(name) ||
          (/^(?:toS|s)ort(?:ed)?$/.test(name) && first === undefined) ||
          isMade(first);
        if (makesText && isUntyped(getTypeAtLocation(callee.object).getNumberIndexType()))
          context.report({ node, message });
      },
    };
  },
};

/** So many lines fit on a screen. */
const MOST_LINES = 60;

const BLOCK = /^(?:Program|BlockStatement|ObjectExpression|ClassBody)$/;

/**
 * A longer function is split into named steps. One that is better read as a whole, as a table is, says so before it.
 *
 * @type {import("eslint").Rule.RuleModule}
 */
const longFunction = {
  meta: { type: "suggestion" },
  create(context) {
    const { sourceCode } = context;
    /** @param {import("eslint").Rule.Node} node */
    const saysWhy = (node) => {
      // The comment stands before the statement or the property that the function is a part of.
      let one = node;
      for (let { parent } = node; parent !== null && !BLOCK.test(parent.type); { parent } = parent)
        one = parent;
      return /^[\s*]*In one piece: \S/m.test(sourceCode.getCommentsBefore(one).at(-1)?.value ?? "");
    };
    /** @param {import("eslint").Rule.Node} node */
    const measure = (node) => {
      const { start, end } = node.loc ?? { start: { line: 0 }, end: { line: 0 } };
      const lines = end.line - start.line + 1;
      if (lines <= MOST_LINES || saysWhy(node)) return;
      const message = `${lines} lines, ${MOST_LINES} at most: split it into named steps, or say why not in the comment before it ("In one piece: …")`;
      context.report({ node, message });
    };
    return { FunctionDeclaration: measure, FunctionExpression: measure, ArrowFunctionExpression: measure };
  },
};

export default defineConfig(
  { ignores: ["dist/", ".cache/"] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error", noInlineConfig: true },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
      // The compiler wants brackets for names that come from outside (noPropertyAccessFromIndexSignature).
      "@typescript-eslint/dot-notation": "off",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    // Text of a broker, a log or a command line may be long and hostile: an expression takes time in proportion to it.
    files: ["src/**"],
    plugins: {
      regexp,
      own: { rules: { "long-function": longFunction, "no-text-of-unknown": noTextOfUnknown } },
    },
    rules: {
      "own/long-function": "error",
      "regexp/no-super-linear-backtracking": ["error", { report: "potential" }],
      "regexp/no-super-linear-move": ["error", { report: "potential" }],
    },
  },
  {
    // Left out is what meets only Redis' texts, numbers and lists, and errors of Node's.
    files: ["src/**"],
    ignores: ["src/pidbox/**", "src/broker/{redis,tls}.ts", "src/machine/**", "src/commands/crashed.ts"],
    rules: { "own/no-text-of-unknown": "error" },
  },
  {
    // Only main.ts and machine/ touch the process, and the page's own main.ts the browser's clock; clocks and randomness come in as `host`.
    files: ["src/**"],
    ignores: ["src/main.ts", "src/machine/**", "src/serve/page/script/main.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["process", "console", "performance", "crypto"].map((name) => ({
          name,
          message: "only main.ts touches the machine: take it from `host`",
        })),
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "randomness comes in as `host`" },
        { object: "Date", property: "now", message: "the clock comes in as `host`" },
      ],
      "no-restricted-syntax": [
        "error",
        {
          // With a number it reads no clock: it is a calendar.
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: "the clock comes in as `host`",
        },
      ],
    },
  },
  { files: ["scripts/**", "build.mjs", "build/**", "bench/**", "test/**"], rules: { "no-console": "off" } },
  {
    files: ["*.mjs", "*.config.ts", "**/*.d.ts", "test/e2e/canary-setup.ts", "test/system/engine-setup.ts"],
    rules: { "no-restricted-exports": "off" },
  },
);
