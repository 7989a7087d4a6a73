import { nodeResolve } from "@rollup/plugin-node-resolve";
import path from "node:path";
import dts from "rollup-plugin-dts";

// One file each for import and require, code and types. The binaries and the loader are inlined: the package has no
// dependencies and reads no files.

/** An import that stays unresolved would be a dependency at run time, so every warning is an error. */
function onwarn(/** @type {import("rollup").RollupLog} */ warning) {
  throw new Error(warning.message);
}

/** The types of `#binaries`, which stand beside the script that package.json names. */
const binaryTypes = {
  name: "binary-types",
  resolveId: (/** @type {string} */ id) => (id === "#binaries" ? path.resolve("build/binaries.d.ts") : null),
};

/** Tensors have a [Symbol.dispose], which a consumer's own `lib` may not know. */
const disposableTypes = '/// <reference lib="esnext.disposable" />';

/** @type {import("rollup").RollupOptions[]} */
export default [
  {
    input: "build/js/index.js",
    plugins: [nodeResolve()],
    onwarn,
    output: [
      { file: "dist/index.js", format: "es" },
      { file: "dist/index.cjs", format: "cjs" },
    ],
  },
  {
    input: "build/js/index.d.ts",
    plugins: [binaryTypes, dts()],
    onwarn,
    output: ["dist/index.d.ts", "dist/index.d.cts"].map((file) => ({ file, banner: disposableTypes })),
  },
];
