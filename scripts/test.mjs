/**
 * `npm test`: builds, checks types, lint, formatting and package, runs every suite, and closes with the counts.
 *
 *     npm test -- --only kernels           only the suites named (kernels, src, assembly, checks …); repeatable
 *     npm test -- --only kernels sgemm     of those, only the files whose path contains a word
 *     npm test -- --engine 24              only this major version of Node
 *
 * Each check counts as one test. A suite or file without tests fails; with CI=true, so does a skip.
 */
import { fork, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, stripVTControlCharacters } from "node:util";

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const { values, positionals: words } = parseArgs({
  options: { only: { type: "string", multiple: true }, engine: { type: "string" } },
  allowPositionals: true,
});

const total = { passed: 0, failed: 0, skipped: 0 };

/** Runs one check or suite, prints its counts and adds them up. */
async function count(/** @type {string} */ name, /** @type {() => Promise<Counts>} */ work) {
  const started = performance.now();
  const { passed, failed, skipped } = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const mark = failed > 0 ? "FAILED" : passed === 0 ? "skipped" : "ok";
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(`${mark.padEnd(8)}${name.padEnd(28)}${counts}  (${seconds} s)`);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  return failed === 0;
}

/** Runs a Node script to its end and returns its exit code and output. */
async function script(/** @type {string[]} */ args) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => (output += text));
  }
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, output: stripVTControlCharacters(output) };
}

/** One check by a tool that says by its exit code whether all is well, and why not. */
const check = (/** @type {string} */ name, /** @type {string[]} */ ...args) =>
  count(name, async () => {
    const { code, output } = await script(args);
    if (code !== 0) console.log(output);
    return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
  });

/** The as-pect specs; as-pect itself is content with none. */
async function assemblySuite() {
  const cli = "node_modules/@as-pect/cli/lib/test.js";
  const settings = [
    "--config",
    "tests/assembly/as-pect.config.js",
    "--as-config",
    "tests/assembly/as-pect.asconfig.json",
  ];
  const { code, output } = await script([cli, ...settings]);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, file, passed, tests, todo] of output.matchAll(/(\S+) Pass: (\d+) \/ (\d+) Todo: (\d+)/g)) {
    counts.passed += Number(passed);
    counts.failed += Number(tests) - Number(passed);
    counts.skipped += Number(todo);
    if (Number(tests) === 0) counts.failed += complain(`${file} has no tests.`);
  }
  if (counts.passed + counts.failed === 0) counts.failed += complain("The assembly suite ran no tests.");
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  if (counts.failed > 0) console.log(output);
  return counts;
}

/** Prints what is wrong and counts as one failure. */
function complain(/** @type {string} */ message) {
  console.log(`  FAILED: ${message}`);
  return 1;
}

/** The engines to test on: this Node, and Node 24 where tools/runtimes is installed. `node` is missing elsewhere. */
function engines() {
  const [current = ""] = process.versions.node.split(".");
  const list = [{ major: current, node: /** @type {string | undefined} */ (process.execPath) }];
  if (current !== "24") {
    const node = "tools/runtimes/node_modules/node-24/bin/node";
    list.push({ major: "24", node: existsSync(node) ? path.resolve(node) : undefined });
  }
  return list.filter(({ major }) => values.engine === undefined || values.engine === major);
}

/** Node 20 knows relaxed SIMD behind a flag, which Node 22 and later refuse. */
const flags = (/** @type {string} */ major) => (Number(major) < 22 ? ["--experimental-wasm-relaxed-simd"] : []);

/** Runs test files on an engine. */
async function nodeSuite(/** @type {string} */ node, /** @type {string} */ major, /** @type {string[]} */ files) {
  if (files.length === 0) return { passed: 0, failed: complain("This suite has no test files."), skipped: 0 };
  const child = fork("scripts/suite.mjs", files, { execPath: node, execArgv: [...flags(major), "--import", "tsx"] });
  const counts = { passed: 0, failed: 0, skipped: 0, empty: /** @type {string[]} */ ([]) };
  child.once("message", (message) => Object.assign(counts, message));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  for (const file of counts.empty) counts.failed += complain(`${file} has no tests.`);
  if (code !== 0) counts.failed += complain(`The run ended with exit code ${code}.`);
  if (counts.passed + counts.failed + counts.skipped === 0) counts.failed = complain("This suite ran no tests.");
  return counts;
}

const TFJS_CORE = "tfjs-core";

/** The suite of TensorFlow.js on our backend, as it is shipped and on a memory that forgives nothing. */
async function tfjsCoreSuite(/** @type {string} */ node, /** @type {string} */ major) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const run = async (/** @type {string[]} */ ...args) => {
    const child = fork("tests/tfjs/coreSuite.mjs", args, { execPath: node, execArgv: flags(major) });
    child.once("message", (/** @type {Counts} */ { passed, failed }) => {
      counts.passed += passed;
      counts.failed += failed;
    });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    if (code !== 0) counts.failed += complain(`The run ended with exit code ${code}.`);
  };
  await Promise.all([run(), run("--hostile")]);
  return counts;
}

/** Test files by suite: the folder under tests/ that holds them, or "contract" for those beside the folders. */
function suites() {
  const files = new Map(["contract", "kernels", "package", "src"].map((name) => [name, /** @type {string[]} */ ([])]));
  for (const file of readdirSync("tests", { recursive: true, encoding: "utf8" }).sort()) {
    if (!file.endsWith(".test.ts")) continue;
    const [folder = ""] = file.split(path.sep);
    const name = folder === file ? "contract" : folder;
    files.set(name, [...(files.get(name) ?? []), path.join("tests", file)]);
  }
  return files;
}

const wanted = (/** @type {string} */ name) => values.only === undefined || values.only.includes(name);
const matching = (/** @type {string[]} */ files) =>
  words.length === 0 ? files : files.filter((file) => words.some((word) => file.includes(word)));

async function main() {
  const known = ["checks", "assembly", TFJS_CORE, ...suites().keys()];
  const unknown = values.only?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`There is no suite "${unknown}", only ${known.join(", ")}.`);
  if (engines().length === 0) throw new Error(`There is no engine "${values.engine}" to test on.`);

  const built =
    wanted("checks") || wanted("package") || wanted(TFJS_CORE)
      ? await check("build", "scripts/build.mjs")
      : await check("build", "scripts/build.mjs", "--wasm");
  if (!built) return;
  if (wanted("checks")) {
    await check("types", "node_modules/typescript/bin/tsc");
    await check("lint", "node_modules/eslint/bin/eslint.js", ".");
    await check("format", "node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ".");
    const packed = await check("package", "node_modules/publint/src/cli.js", "--strict");
    const typesOf = ["--pack", ".", "--profile", "node16", "--exclude-entrypoints", "strict.wasm", "relaxed.wasm"];
    if (packed) await check("package types", "node_modules/@arethetypeswrong/cli/dist/index.js", ...typesOf);
    await check("package size", "node_modules/size-limit/bin.js");
  }
  if (wanted("assembly")) await count("assembly", assemblySuite);
  for (const { major, node } of engines()) {
    for (const name of [...suites().keys(), TFJS_CORE]) {
      if (!wanted(name)) continue;
      await count(`${name}, Node ${major}`, () => {
        if (node !== undefined && name === TFJS_CORE) return tfjsCoreSuite(node, major);
        if (node !== undefined) return nodeSuite(node, major, matching(suites().get(name) ?? []));
        console.log(`  skipped: Node ${major} is not installed; npm ci --ignore-scripts --prefix tools/runtimes does.`);
        return Promise.resolve({ passed: 0, failed: 0, skipped: 1 });
      });
    }
  }
}

try {
  await main();
} catch (error) {
  total.failed += complain(error instanceof Error ? error.message : String(error));
}
const skipsFail = process.env["CI"] === "true" && total.skipped > 0;
if (skipsFail) console.log("With CI=true a skipped test fails the run.");
if (total.failed > 0 || total.passed === 0 || skipsFail) process.exitCode = 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
