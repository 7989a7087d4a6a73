import { nodeResolve } from "@rollup/plugin-node-resolve";
import path from "node:path";
import dts from "rollup-plugin-dts";

// Each entry for import and require, code and types; what entries share they import from each other. The loader and the
// binaries that an entry holds are inlined: the package has no dependencies and reads no files.

/** The modules of the entries, without extension. An adapter imports the library that it serves, which is its user's. */
const ENTRIES = {
  core: "build/js/core",
  graph: "build/js/graph",
  index: "build/js/index",
  strict: "build/js/strict",
  tfjs: "build/js/adapters/tfjs/index",
};
const external = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"];

/** @type {(extension: string) => Record<string, string>} */
const entries = (extension) =>
  Object.fromEntries(Object.entries(ENTRIES).map(([name, module]) => [name, `${module}.${extension}`]));

/** An import that stays unresolved would be a dependency at run time, so every warning is an error. */
function onwarn(/** @type {import("rollup").RollupLog} */ warning) {
  throw new Error(warning.message);
}

/** The types of the binaries, which stand beside the scripts that package.json names. */
const binaryTypes = {
  name: "binary-types",
  resolveId: (/** @type {string} */ id) =>
    id.startsWith("#binaries/") ? path.resolve(`build/${id.slice(1)}.d.ts`) : null,
};

/** Tensors have a [Symbol.dispose], which a consumer's own `lib` may not know. */
const disposableTypes = '/// <reference lib="esnext.disposable" />';

/** Each binary is a file, and so is all else that the entries share. The code of the gates is that of the graph alone. */
function manualChunks(/** @type {string} */ id) {
  const module = path.relative(".", id).replace(/(?:\.d)?\.[jt]s$/, "");
  if (module.startsWith("build/js/graph/") && !id.endsWith(".d.ts")) return undefined;
  if (module.startsWith("build/js/adapters/") || Object.values(ENTRIES).includes(module)) return undefined;
  return /binaries.(strict|relaxed)\.js$/.exec(id)?.[1]?.concat("-binary") ?? "library";
}

/** @type {(extension: string) => import("rollup").OutputOptions} */
const files = (extension) => ({
  dir: "dist",
  entryFileNames: `[name].${extension}`,
  chunkFileNames: `[name].${extension}`,
  minifyInternalExports: false,
  manualChunks,
});

/** @type {import("rollup").RollupOptions[]} */
export default [
  {
    input: entries("js"),
    external,
    plugins: [nodeResolve()],
    onwarn,
    output: [
      { format: "es", ...files("js") },
      { format: "cjs", ...files("cjs") },
    ],
  },
  {
    input: entries("d.ts"),
    external,
    plugins: [binaryTypes, dts()],
    onwarn,
    output: ["d.ts", "d.cts"].map((extension) => ({ ...files(extension), banner: disposableTypes })),
  },
];
