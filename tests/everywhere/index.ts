/**
 * `npm run test:everywhere`: the same suites in every runtime, a table of runtimes × suites, and the counts.
 *
 *     npm run test:everywhere                        all that is installed; the rest is skipped
 *     npm run test:everywhere -- bun firefox         runtimes whose name contains a word
 *     npm run test:everywhere -- --suite library     only this suite; repeatable
 *
 * With CI=true a skip fails the run.
 */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Report } from "./nodeTest.js";
import { RUNTIMES, type Runtime } from "./runtimes.js";
import { bundleSuites, type SuiteName } from "./suites.js";

const COLUMNS: readonly SuiteName[] = ["kernels", "library", "package", "fingerprint", "policy"];
const total = { passed: 0, failed: 0, skipped: 0 };

/** Runs one suite in one runtime and adds its counts up. Returns the cell of the table. */
async function cell(runtime: Runtime, suite: SuiteName): Promise<string> {
  const pattern = runtime.suites[suite];
  if (pattern === undefined) return "–";
  const order = pattern === true ? { suite } : { suite, only: pattern };
  const fail = (message: string) => {
    total.failed++;
    console.log(`  FAILED: ${runtime.name}, ${suite}: ${message}`);
  };
  let report: Report;
  try {
    report = await runtime.run(order);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
    return "FAILED";
  }
  const { passed, failed, skipped, time } = report;
  for (const { name, message } of failed) fail(`${name}\n      ${message}`);
  for (const { name, reason } of skipped) console.log(`  skipped: ${runtime.name}, ${suite}: ${name}: ${reason}`);
  if (passed + failed.length + skipped.length === 0) fail("The suite has no tests.");
  total.passed += passed;
  total.skipped += skipped.length;
  const some = [failed.length > 0 && `${failed.length} FAILED`, skipped.length > 0 && `${skipped.length} skipped`];
  return [`${passed} in ${(time / 1000).toFixed(1)} s`, ...some.filter(Boolean)].join(", ");
}

/** A runtime's row. */
async function row(runtime: Runtime, suites: readonly SuiteName[]): Promise<string[]> {
  const reason = runtime.missing();
  if (reason !== undefined) {
    total.skipped++;
    return [runtime.name, `skipped: ${reason}`];
  }
  const cells = [runtime.name];
  for (const suite of suites) cells.push(await cell(runtime, suite));
  return cells;
}

function print([name = "", ...cells]: readonly string[]): void {
  console.log(`${name.padEnd(32)}${cells.map((text) => text.padEnd(20)).join("")}`.trimEnd());
}

async function main(): Promise<void> {
  const { values, positionals: words } = parseArgs({
    options: { suite: { type: "string", multiple: true } },
    allowPositionals: true,
  });
  const suites = COLUMNS.filter((suite) => values.suite?.includes(suite) ?? true);
  const matches = (text: string) => words.some((word) => text.toLowerCase().includes(word.toLowerCase()));
  const runtimes = RUNTIMES.filter(
    ({ name, suites: has }) =>
      (words.length === 0 || matches(name)) && suites.some((suite) => has[suite] !== undefined),
  );
  if (runtimes.length === 0) throw new Error(`No runtime is named like ${words.join(", ")}.`);
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
  await bundleSuites();
  print(["", ...suites]);
  const queue = [...runtimes];
  const work = async (): Promise<void> => {
    for (let runtime = queue.shift(); runtime !== undefined; runtime = queue.shift()) print(await row(runtime, suites));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

/**
 * npm ends its shell on SIGTERM, which ends without a word to this process: a parent that has changed stands for the signal, on
 * which all runtimes under way end (scripts/children.ts).
 */
function endWithParent(): void {
  const parent = process.ppid;
  const look = () => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  };
  setInterval(look, 500).unref();
}

endWithParent();
try {
  await main();
} catch (error) {
  total.failed++;
  console.error(error instanceof Error ? error.message : String(error));
}
const skipsFail = process.env["CI"] === "true" && total.skipped > 0;
if (skipsFail) console.log("With CI=true a skip fails the run.");
if (total.failed > 0 || total.passed === 0 || skipsFail) process.exitCode = 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
