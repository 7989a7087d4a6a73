/**
 * Runs the test files named as arguments on the engine that runs this script, prints every failure and skip, and sends
 * the counts to the parent process: `{ passed, failed, skipped, empty }`, where `empty` names the files without a test.
 * `--name REGEX` leaves only the tests whose name matches, and counts no others; `--bail` stops at the first failure.
 */
import { setMaxListeners } from "node:events";
import { availableParallelism } from "node:os";
import path from "node:path";
import { run } from "node:test";
import { inspect, parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { name: { type: "string" }, bail: { type: "boolean" } },
  allowPositionals: true,
});
const files = positionals.map((file) => path.resolve(file));
const counts = { passed: 0, failed: 0, skipped: 0, empty: /** @type {string[]} */ ([]) };

/** Names of the tests that enclose the one being reported, from the outside in. */
const names = /** @type {string[]} */ ([]);
/** How many tests have been reported at each depth since the last one above it. */
const children = /** @type {number[]} */ ([]);

/** Node reports a file that has no test, or dies before its first one, as a test of the file's name. */
const isFile = (/** @type {string} */ name) => files.includes(path.resolve(name));

/** Whether the test just reported contains others; those count, not the test around them. */
function encloses(/** @type {number} */ depth) {
  const count = children[depth + 1] ?? 0;
  children[depth + 1] = 0;
  children[depth] = (children[depth] ?? 0) + 1;
  return count > 0;
}

const fullName = (/** @type {number} */ depth, /** @type {string} */ name) =>
  [...names.slice(0, depth), isFile(name) ? path.relative("", name) : name].join(" › ");

/** What went wrong: the whole message, then the places in this repository that led there. */
function explain(/** @type {Error & { cause?: unknown }} */ error) {
  const cause = error.cause ?? error;
  if (!(cause instanceof Error)) return inspect(cause);
  const frames = (cause.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && line.includes(process.cwd()));
  return [`${cause.name}: ${cause.message}`, ...frames.slice(0, 4)].join("\n");
}

const stop = new AbortController();
setMaxListeners(0, stop.signal); // one a file
const indent = (/** @type {string} */ text) => text.replace(/^/gm, "      ");

run({
  files,
  concurrency: availableParallelism(),
  timeout: 600_000,
  signal: stop.signal,
  ...(values.name === undefined ? {} : { testNamePatterns: [new RegExp(values.name)] }),
})
  .on("test:start", ({ name, nesting }) => {
    names[nesting] = name;
  })
  .on("test:pass", ({ name, nesting, skip, todo, details }) => {
    const enclosing = encloses(nesting);
    if (nesting === 0 && isFile(name)) {
      counts.empty.push(path.relative("", name));
    } else if (skip === "test name does not match pattern") {
      return;
    } else if (skip !== undefined || todo !== undefined) {
      counts.skipped++;
      const reason = skip ?? todo;
      console.log(`  skipped: ${fullName(nesting, name)}${typeof reason === "string" ? `: ${reason}` : ""}`);
    } else if (!enclosing && details.type !== "suite") {
      counts.passed++;
    }
  })
  .on("test:fail", ({ name, nesting, details }) => {
    encloses(nesting);
    const error = /** @type {Error & { failureType?: string, exitCode?: number }} */ (details.error);
    if (error.failureType === "subtestsFailed" || stop.signal.aborted) return;
    counts.failed++;
    const reason = nesting === 0 && isFile(name) ? `The file ended with exit code ${error.exitCode}.` : explain(error);
    console.log(`  FAILED: ${fullName(nesting, name)}\n${indent(reason)}`);
    if (values.bail) stop.abort();
  })
  .on("test:stderr", ({ message }) => process.stderr.write(message))
  .on("end", () => process.send?.(counts))
  .resume();
