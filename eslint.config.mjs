import { defineConfig } from "eslint/config";
import regexp from "eslint-plugin-regexp";
import tseslint from "typescript-eslint";

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
    plugins: { regexp },
    rules: {
      "regexp/no-super-linear-backtracking": ["error", { report: "potential" }],
      "regexp/no-super-linear-move": ["error", { report: "potential" }],
    },
  },
  {
    // Only main.ts and machine/ touch the process; clocks and randomness come in as `host`.
    files: ["src/**"],
    ignores: ["src/main.ts", "src/machine/**"],
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
        { selector: "NewExpression[callee.name='Date']", message: "the clock comes in as `host`" },
      ],
    },
  },
  { files: ["scripts/**", "build.mjs", "build/**", "bench/**", "test/**"], rules: { "no-console": "off" } },
  {
    files: ["*.mjs", "*.config.ts", "**/*.d.ts", "test/e2e/canary-setup.ts", "test/system/engine-setup.ts"],
    rules: { "no-restricted-exports": "off" },
  },
);
