/**
 * The suites that run everywhere: the test files that Node runs, bundled with what stands for Node's own modules, so that
 * one file without imports is the suite in a page, a worker or any runtime.
 */
import * as esbuild from "esbuild";
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { loadMnist } from "../../examples/mnist/data.js";
import { joinExamples } from "../fingerprint/train.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where the bundles are, and a copy of the package. */
export const FOLDER = path.join(root, "build/everywhere");

/** Tests of what only Node has: threads, files, its garbage collector, its event loop, other realms. */
const NODE_ONLY = ["kernels/bands", "src/allocation", "src/fitTurns", "src/runtime"];

const testsIn = (...folders: string[]): string[] =>
  folders
    .flatMap((folder) => readdirSync(path.join(root, "tests", folder)).map((file) => `${folder}/${file}`))
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => !NODE_ONLY.includes(file.replace(".test.ts", "")));

/** Test files by suite, relative to tests/. */
const SUITES = {
  kernels: () => testsIn("kernels"),
  library: () => testsIn("src", "graph"),
  package: () => ["everywhere/package.ts"],
  fingerprint: () => ["everywhere/fingerprint.ts"],
  policy: () => ["everywhere/policy.ts"],
} as const;

export type SuiteName = keyof typeof SUITES;

const nodeTest = path.join(root, "tests/everywhere/nodeTest.ts");

/** What is bundled for the runtimes to start: a program, a page's script, a worker's. */
const STARTERS = ["program", "page", "worker"];

/** Makes FOLDER anew. dist/ must be built. */
export async function bundleSuites(): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const options: esbuild.BuildOptions = {
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    target: "es2022",
    keepNames: true, // which error messages print
    ignoreAnnotations: true, // package.json's sideEffects is about the library; importing a test file registers it
    alias: { "node:test": nodeTest, "node:assert/strict": path.join(root, "tests/everywhere/assert.ts") },
    define: { process: '{ "env": {} }' }, // of the assertions, and of a property's seed
    logLevel: "warning",
  };
  for (const [suite, files] of Object.entries(SUITES)) {
    const imports = files().map((file) => `import "./${file}";`);
    const contents = [...imports, `export { run } from "./everywhere/nodeTest.js";`].join("\n");
    const stdin = { contents, resolveDir: path.join(root, "tests"), loader: "ts" } as const;
    await esbuild.build({ ...options, stdin, external: ["./simdgrad/*"], outfile: path.join(FOLDER, `${suite}.js`) });
  }
  await esbuild.build({
    ...options,
    entryPoints: STARTERS.map((name) => `tests/everywhere/${name}.ts`),
    external: ["node:*"],
    outdir: FOLDER,
  });
  writeFileSync(path.join(FOLDER, "package.json"), '{ "type": "module" }\n');
  copyFileSync(path.join(root, "tests/everywhere/index.html"), path.join(FOLDER, "index.html"));
  writeFileSync(path.join(FOLDER, "mnist.bin"), joinExamples(loadMnist().train));
  cpSync(path.join(root, "dist"), path.join(FOLDER, "simdgrad"), { recursive: true });
}
