/**
 * Builds the package: assembly/ → build/wasm (targets of asconfig.json) → build/binaries (as modules), then src/ → dist/.
 *
 *     node scripts/build.mjs                        all of it
 *     node scripts/build.mjs --wasm                 only the binaries
 *     node scripts/build.mjs --target strictShared  only one target, which need not be one that the package holds
 *
 * What comes from sources that have not changed since its last build is left alone; --force builds it anyway.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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

/** The targets that the package holds. Their forms for shared memory are made of them when they are loaded. */
const PACKAGED = ["strict", "relaxed"];

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

/** What a binary depends on: the kernels' sources, the compiler's settings and its version, this script and the compiler's transform. */
const sourceKey = () =>
  digest([
    ...sourcesIn("assembly"),
    ...["asconfig.json", "node_modules/assemblyscript/package.json", "scripts/build.mjs", "scripts/inOrder.mjs"],
  ]);

/** What dist/ depends on. */
const packageKey = () =>
  digest([
    ...sourcesIn("src"),
    ...PACKAGED.map((target) => `build/binaries/${target}.js`),
    ...["build/binaries/kernels.js", "build/binaries/kernels.d.ts"],
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
  const options = ["--config", "asconfig.json", "--target", target, "--transform", inRoot("scripts/inOrder.mjs")];
  const { stderr } = await run(process.execPath, [compiler, ...options], { cwd: root, maxBuffer: 1 << 26 });
  if (stderr.includes("ERROR")) throw new Error(stderr);
  // The optimizer says so when its last round of passes no longer made the binary smaller; nothing is wrong.
  const warnings = stderr.replaceAll("Last converge was suboptimal.", "").trim();
  if (warnings !== "") console.error(warnings);
  const missing = built.filter((file) => !existsSync(inRoot(file)));
  if (missing.length > 0) throw new Error(`The compiler left no ${missing.join(", ")} for target "${target}".`);
  stamp(target);
  writeFileSync(inRoot(keyFile), key);
  const size = readFileSync(inRoot(files.wasm)).length;
  const seconds = (performance.now() - started) / 1000;
  console.log(`${target.padEnd(14)} ${String(size).padStart(7)} bytes  ${seconds.toFixed(1)} s`);
}

/**
 * Appends a custom section that says which variant a binary is and with which kernels, so that init can refuse one of
 * another version. Custom sections do not change what runs.
 */
function stamp(/** @type {string} */ target) {
  const variant = target.replace("Shared", "");
  const text = (/** @type {string} */ value) => [value.length, ...Buffer.from(value, "latin1")];
  const content = [...text("simdgrad"), ...Buffer.from(`${variant} ${abi(target)}`, "latin1")];
  appendFileSync(inRoot(outputs(target).wasm), Uint8Array.of(0, content.length, ...content));
}

/** Stands for the names, parameters and results of a target's functions. */
function abi(/** @type {string} */ target) {
  const signatures = kernelSignatures(target).map((signature) => signature.replace(/^[\s\S]*\*\//, ""));
  return createHash("sha256").update(signatures.sort().join("")).digest("hex").slice(0, 16);
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

/**
 * A string literal of which each character is a byte. Compressed for transport it is hardly larger than the binary itself,
 * half of base64, whose four characters for three bytes hide repetitions.
 */
function literal(/** @type {Buffer} */ bytes) {
  const escapes = new Map([
    ["\n", "\\n"],
    ["\r", "\\r"],
    ['"', '\\"'],
    ["\\", "\\\\"],
  ]);
  const text = bytes.toString("latin1").replace(/["\\\n\r]/g, (character) => escapes.get(character) ?? "");
  return `"${text.replace(/\0(?=\d)/g, "\\x00").replaceAll("\0", "\\0")}"`;
}

/** build/binaries: a binary as a module that exports it as a string, and the type of its exports. */
function writeBinary(/** @type {string} */ target) {
  const text = literal(readFileSync(inRoot(outputs(target).wasm)));
  writeIfChanged(`build/binaries/${target}.js`, `export const binary =\n  ${text};\n`);
  writeIfChanged(
    `build/binaries/${target}.d.ts`,
    `/** The ${target} binary, a byte in each character. */\nexport declare const binary: string;\n`,
  );
  writeIfChanged("build/binaries/kernels.js", `export const ABI = "${abi(target)}";\n`);
  writeIfChanged(
    "build/binaries/kernels.d.ts",
    `/** Stands for the signatures of the kernels; the stamp in each binary names it. */\nexport declare const ABI: string;\n` +
      `/** The functions that every binary exports. */\nexport type Kernels = {\n${kernelSignatures(target).join("")}};\n`,
  );
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
  mkdirSync(inRoot("build/binaries"), { recursive: true });
  for (const target of PACKAGED.filter((target) => targets.includes(target))) writeBinary(target);
}

/** Compiles src/ and bundles it with the binaries. */
async function buildPackage(/** @type {boolean} */ force) {
  const key = packageKey();
  const keyFile = "build/dist.key";
  const entries = ["core", "graph", "index", "strict", "tfjs"].flatMap((entry) =>
    [".js", ".cjs", ".d.ts", ".d.cts"].map((end) => entry + end),
  );
  const products = [...entries, ...PACKAGED.map((target) => `${target}.wasm`)].map((file) => `dist/${file}`);
  const isBuilt = [keyFile, ...products].every((file) => existsSync(inRoot(file))) && read(keyFile) === key;
  if (isBuilt && !force) return;
  for (const folder of ["build/js", "dist", keyFile]) rmSync(inRoot(folder), { recursive: true, force: true });
  await tool("typescript/bin/tsc", "--project", "tsconfig.build.json");
  await tool("rollup/dist/bin/rollup", "--config", "--silent");
  for (const target of PACKAGED) copyFileSync(inRoot(outputs(target).wasm), inRoot(`dist/${target}.wasm`));
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
  await buildBinaries(values.target === undefined ? PACKAGED : [values.target], values.force);
  if (!values.wasm && values.target === undefined) await buildPackage(values.force);
} catch (error) {
  const { stdout = "", stderr = "", message } = /** @type {Error & { stdout?: string, stderr?: string }} */ (error);
  console.error(`${stdout}${stderr}` || message);
  process.exitCode = 1;
}
