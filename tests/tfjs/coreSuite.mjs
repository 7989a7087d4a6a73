/**
 * Runs the suite inside @tensorflow/tfjs-core (dist/tests.js) on this package's backend, prints every failure, closes with
 * the counts, and sends them to the parent process if there is one.
 *
 *     node tests/tfjs/coreSuite.mjs                 on dist/tfjs.cjs
 *     node tests/tfjs/coreSuite.mjs --hostile       the same, on a memory that grows at each allocation and fills what is freed
 *     node tests/tfjs/coreSuite.mjs --backend cpu   on TensorFlow.js's own backend
 *     node tests/tfjs/coreSuite.mjs --grep REGEX    only the specs whose full name matches
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { makeHostile } from "./hostileHeap.mjs";
import { requireTfjs } from "./requireTfjs.mjs";

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "simdgrad" },
    hostile: { type: "boolean", default: false },
    grep: { type: "string", default: "" },
  },
});

/** What every complete backend passes; fewer would mean that a part of the suite did not load. */
const SPECS = 4225;

/**
 * The parts that are used here of jasmine and of TensorFlow.js.
 * @typedef {{ fullName: string, status?: string, failedExpectations: { message: string }[] }} Result
 * @typedef {{ getFullName(): string }} Spec
 * @typedef {{
 *   exitOnCompletion: boolean,
 *   env: { configure(configuration: object): void },
 *   clearReporters(): void,
 *   addReporter(reporter: Record<string, (result: Result) => void>): void,
 *   execute(): Promise<unknown>,
 * }} Runner
 * @typedef {{ setBackend(name: string): Promise<boolean> }} TensorFlow
 * @typedef {{ setTestEnvs(environments: object[]): void }} Environments
 * @typedef {{ initSync(): { heap: import("./hostileHeap.mjs").Heap } }} Package
 */

const Jasmine = /** @type {new () => Runner} */ (requireTfjs("jasmine"));
const runner = new Jasmine(); // defines describe, it and the like, which the suite expects
runner.exitOnCompletion = false;

const core = "@tensorflow/tfjs-core";
const dist = path.join(path.dirname(requireTfjs.resolve(`${core}/package.json`)), "dist");
const tf = /** @type {TensorFlow} */ (requireTfjs(core));
requireTfjs(`${dist}/public/chained_ops/register_all_chained_ops.js`);
requireTfjs(`${dist}/register_all_gradients.js`);
const environments = /** @type {Environments} */ (requireTfjs(`${dist}/jasmine_util.js`));
Error.stackTraceLimit = 10; // which jasmine_util makes infinite

if (values.hostile) {
  const simdgrad = /** @type {Package} */ (requireTfjs(path.resolve("dist/index.cjs")));
  const { heap } = simdgrad.initSync();
  /** @type {typeof heap} */
  const prototype = Object.getPrototypeOf(heap);
  makeHostile(prototype);
}
requireTfjs("@tensorflow/tfjs-backend-cpu");
requireTfjs(path.resolve("dist/tfjs.cjs"));
if (!(await tf.setBackend(values.backend))) throw new Error(`The backend ${values.backend} does not start.`);
environments.setTestEnvs([{ name: "simdgrad", backendName: values.backend, isDataSync: true }]);

const pattern = new RegExp(values.grep);
/** TensorFlow.js's own run of its cpu backend leaves out the same. */
const isWanted = (/** @type {string} */ name) => !name.includes("computation in worker") && pattern.test(name);
runner.env.configure({
  specFilter: (/** @type {Spec} */ spec) => isWanted(spec.getFullName()),
  random: false,
  failSpecWithNoExpectations: false,
});
requireTfjs(`${dist}/tests.js`);

const counts = { passed: 0, failed: 0, skipped: 0 };
const print = console.log.bind(console);

/** Counts a spec, or what went wrong around specs. */
function count(/** @type {Result} */ { fullName, status, failedExpectations }) {
  for (const { message } of failedExpectations) print(`  FAILED: ${fullName}\n      ${message}`);
  if (failedExpectations.length > 0) counts.failed++;
  else if (status === "passed") counts.passed++;
}

runner.clearReporters();
runner.addReporter({
  specDone: count,
  suiteDone: ({ fullName, failedExpectations }) => count({ fullName, failedExpectations }),
});
console.log = console.warn = () => undefined; // specs of the debug mode and of deprecated functions
await runner.execute();

if (values.grep === "" && counts.passed + counts.failed < SPECS) {
  print(`  FAILED: only ${counts.passed} of at least ${SPECS} specs ran.`);
  counts.failed++;
}
if (process.send) process.send(counts);
else print(`${counts.passed} passed, ${counts.failed} failed`);
process.disconnect?.();
process.exitCode = counts.failed > 0 ? 1 : 0;
