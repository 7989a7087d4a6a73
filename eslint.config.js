import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Functions of Math whose result every engine computes bit for bit; exp, log, tanh, pow and the like differ. */
const EXACT_MATH = ["abs", "floor", "ceil", "trunc", "round", "sign", "min", "max", "sqrt", "fround", "imul", "clz32"];
const exactMathOnly = `Only ${EXACT_MATH.map((name) => `Math.${name}`).join(", ")} give the same bits on every engine.`;

/**
 * Keeps `files` of src/ from importing the modules or folders that `modules` names, and anything outside src/.
 * @param {string[]} files
 * @param {string[]} modules
 * @param {string} reason
 * @param {string[]} [ignores]
 * @returns {import("eslint").Linter.Config}
 */
function mayNotImport(files, modules, reason, ignores = []) {
  const regex = `^\\.{1,2}/(?:.*/)?(?:${modules.join("|")})(?:/|\\.js$)`;
  const outside = {
    regex: "^node:|/(?:tests|bench|examples|scripts|assembly)/",
    message: "src/ runs anywhere, alone.",
  };
  const patterns = [{ regex, message: reason }, outside];
  return { files, ignores, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

/** What src/ offers to a program. */
const ENTRIES = ["core", "graph", "index", "strict"];
const ENTRY_FILES = ENTRIES.map((name) => `src/${name}.ts`);

export default defineConfig(
  {
    ignores: [
      "build/",
      "dist/",
      "assembly/",
      "tests/assembly/",
      "bench/peers/node_modules/",
      "bench/probes/",
      "docs/api/",
    ],
  },
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-undef": "off", // the compiler knows better
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "object-shorthand": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["test", "it", "describe", "suite"] },
          ],
        },
      ],
    },
  },
  { files: ["**/*.js", "**/*.mjs"], rules: { "@typescript-eslint/no-unsafe-assignment": "off" } },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        {
          selector: `MemberExpression[object.name="Math"]:not([computed=false][property.name=/^(?:${EXACT_MATH.join("|")})$/])`,
          message: exactMathOnly,
        },
        { selector: ':not(MemberExpression) > Identifier[name="Math"]', message: exactMathOnly },
        { selector: 'MemberExpression[property.name="Math"]', message: exactMathOnly },
        { selector: 'BinaryExpression[operator="**"]', message: "Engines round ** differently." },
        { selector: 'AssignmentExpression[operator="**="]', message: "Engines round ** differently." },
      ],
    },
  },
  // A lower layer never imports a higher one. From the bottom: runtime and tensors, functions, layers, adapters.
  mayNotImport(["src/**/*.ts"], ENTRIES, "src/index.ts, core.ts, graph.ts and strict.ts only collect what is public.", [
    ...ENTRY_FILES,
    "src/adapters/**/*.ts",
  ]),
  mayNotImport(
    ["src/*.ts", "src/ops/**/*.ts"],
    ["layers", "graph", "adapters", ...ENTRIES],
    "src/layers, src/graph and src/adapters stand on top of this file.",
    ENTRY_FILES,
  ),
  mayNotImport(
    ["src/runtime/**/*.ts"],
    ["ops", "initializers", "losses", "optimizers", "layers", "graph", "adapters", ...ENTRIES],
    "src/runtime is the lowest layer.",
  ),
  mayNotImport(
    ["src/layers/**/*.ts"],
    ["graph", "adapters", ...ENTRIES],
    "src/layers stands below graph and adapters.",
  ),
  mayNotImport(
    ["src/adapters/**/*.ts"],
    ["core", "strict"],
    "src/adapters are for programs that import simdgrad, and share its runtime.",
  ),
);
