/**
 * Builds the package: assembly/ → build/wasm (every target of asconfig.json), build/binaries.{js,d.ts}, then src/ → dist/.
 *
 *     node scripts/build.mjs                  all of it
 *     node scripts/build.mjs --wasm           only the binaries
 *     node scripts/build.mjs --target strict  only one binary (binaries.js follows once all four are built)
 *
 * What comes from sources that have not changed since its last build is left alone; --force builds it anyway.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const run = promisify(execFile);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const inRoot = (/** @type {string} */ file) => path.join(root, file);
const read = (/** @type {string} */ file) => readFileSync(inRoot(file), "utf8");

/** @type {{ targets: Record<string, { outFile: string, textFile: string }> }} */
const config = JSON.parse(read("asconfig.json"));

/** The TypeScript files under a folder, in order. */
function sourcesIn(/** @type {string} */ folder) {
  const files = readdirSync(inRoot(folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.join(folder, file))
    .sort();
}

/** Stands for the names and contents of files. */
function digest(/** @type {string[]} */ files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\0${read(file)}\0`);
  return hash.digest("hex");
}

/** What a binary depends on: the kernels' sources, the compiler's settings and its version. */
const sourceKey = () => digest([...sourcesIn("assembly"), "asconfig.json", "node_modules/assemblyscript/package.json"]);

/** What dist/ depends on. */
const packageKey = () =>
  digest([
    ...sourcesIn("src"),
    ...["build/binaries.js", "build/binaries.d.ts"],
    ...["tsconfig.json", "tsconfig.build.json", "rollup.config.js", "package-lock.json"],
  ]);

/** The files that one target leaves behind; `key` remembers the sources that it was built from. */
function outputs(/** @type {string} */ target) {
  const options = config.targets[target];
  if (!options) {
    throw new Error(`asconfig.json has no target "${target}"; it has ${Object.keys(config.targets).join(", ")}.`);
  }
  const declarations = options.outFile.replace(/\.wasm$/, ".d.ts");
  return { wasm: options.outFile, wat: options.textFile, declarations, key: `${options.outFile}.key` };
}

/** Whether a target's outputs are there and come from the sources that `key` stands for. */
function isFresh(/** @type {string} */ target, /** @type {string} */ key) {
  const files = outputs(target);
  return Object.values(files).every((file) => existsSync(inRoot(file))) && read(files.key) === key;
}

/** Compiles one target. */
async function compile(/** @type {string} */ target, /** @type {string} */ key) {
  const { key: keyFile, ...files } = outputs(target);
  const built = Object.values(files);
  // The compiler exits 0 on some mistakes, so only its outputs count: old ones must not stand in for them.
  for (const file of [keyFile, ...built]) rmSync(inRoot(file), { force: true });
  const compiler = inRoot("node_modules/assemblyscript/bin/asc.js");
  const started = performance.now();
  const { stderr } = await run(process.execPath, [compiler, "--config", "asconfig.json", "--target", target], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  if (stderr.includes("ERROR")) throw new Error(stderr);
  // The optimizer says so when its last round of passes no longer made the binary smaller; nothing is wrong.
  const warnings = stderr.replaceAll("Last converge was suboptimal.", "").trim();
  if (warnings !== "") console.error(warnings);
  const missing = built.filter((file) => !existsSync(inRoot(file)));
  if (missing.length > 0) throw new Error(`The compiler left no ${missing.join(", ")} for target "${target}".`);
  writeFileSync(inRoot(keyFile), key);
  const size = readFileSync(inRoot(files.wasm)).length;
  const seconds = (performance.now() - started) / 1000;
  console.log(`${target.padEnd(14)} ${String(size).padStart(7)} bytes  ${seconds.toFixed(1)} s`);
}

/** The exported functions with their comments, from the compiler's declarations, as members of a type. */
function kernelSignatures(/** @type {string} */ target) {
  const declarations = read(outputs(target).declarations);
  const body = /declare namespace __AdaptedExports \{\n([\s\S]*?)\n\}\n/.exec(declarations)?.[1];
  if (body === undefined) throw new Error(`${outputs(target).declarations} is not in the form this script knows.`);
  const functions = body.matchAll(/( {2}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n) {2}export function (\w+)(\(.*\)): (\w+);/g);
  return [...functions].map(
    ([, comment, name, parameters, result]) => `${comment}  readonly ${name}: ${parameters} => ${result};\n`,
  );
}

/** build/binaries.{js,d.ts}: every binary as a base64 string, and the type of their exports. */
function writeBinaries() {
  const targets = Object.keys(config.targets);
  const [first = "", ...others] = targets;
  const signatures = kernelSignatures(first).join("");
  for (const other of others) {
    if (kernelSignatures(other).join("") !== signatures) {
      throw new Error(`The targets ${first} and ${other} export different functions.`);
    }
  }
  const declare = (/** @type {string} */ target) =>
    `/** The ${target} binary in base64. */\nexport declare const ${target}: string;\n`;
  const define = (/** @type {string} */ target) =>
    `export const ${target} =\n  "${readFileSync(inRoot(outputs(target).wasm)).toString("base64")}";\n`;
  const kernels = `/** The functions that every binary exports. */\nexport type Kernels = {\n${signatures}};\n`;
  writeIfChanged("build/binaries.js", targets.map(define).join(""));
  writeIfChanged("build/binaries.d.ts", targets.map(declare).join("") + kernels);
}

function writeIfChanged(/** @type {string} */ file, /** @type {string} */ text) {
  if (!existsSync(inRoot(file)) || read(file) !== text) writeFileSync(inRoot(file), text);
}

/** Compiles `targets`, as many at once as there are processors. */
async function buildBinaries(/** @type {string[]} */ targets, /** @type {boolean} */ force) {
  mkdirSync(inRoot("build/wasm"), { recursive: true });
  const key = sourceKey();
  const queue = targets.filter((target) => force || !isFresh(target, key));
  const worker = async () => {
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) await compile(target, key);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (Object.keys(config.targets).every((target) => isFresh(target, key))) writeBinaries();
}

/** Compiles src/ and bundles it with the binaries. */
async function buildPackage(/** @type {boolean} */ force) {
  const key = packageKey();
  const keyFile = "build/dist.key";
  const bundles = ["index.js", "index.cjs", "index.d.ts", "index.d.cts"].map((file) => `dist/${file}`);
  const isBuilt = [keyFile, ...bundles].every((file) => existsSync(inRoot(file))) && read(keyFile) === key;
  if (isBuilt && !force) return;
  for (const folder of ["build/js", "dist", keyFile]) rmSync(inRoot(folder), { recursive: true, force: true });
  await tool("typescript/bin/tsc", "--project", "tsconfig.build.json");
  await tool("rollup/dist/bin/rollup", "--config", "--silent");
  writeFileSync(inRoot(keyFile), key);
}

/** Runs a tool of node_modules with its output passed through. */
async function tool(/** @type {string} */ file, /** @type {string[]} */ ...args) {
  const { stdout, stderr } = await run(process.execPath, [inRoot(`node_modules/${file}`), ...args], { cwd: root });
  process.stdout.write(stdout + stderr);
}

try {
  const { values } = parseArgs({
    options: { wasm: { type: "boolean" }, target: { type: "string" }, force: { type: "boolean", default: false } },
  });
  await buildBinaries(values.target === undefined ? Object.keys(config.targets) : [values.target], values.force);
  if (!values.wasm && values.target === undefined) await buildPackage(values.force);
} catch (error) {
  const { stdout = "", stderr = "", message } = /** @type {Error & { stdout?: string, stderr?: string }} */ (error);
  console.error(`${stdout}${stderr}` || message);
  process.exitCode = 1;
}
