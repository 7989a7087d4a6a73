/**
 * `npm run mutate`: applies each fault of faults.ts to a copy of the kernels and expects the kernel's tests to fail.
 *
 *     npm run mutate                 every fault
 *     npm run mutate -- softmax      those whose name contains a word
 *
 * Only the strict binary is built and tested. A fault passes when a test fails with it; one that does not compile,
 * changes nothing in the binary, or no longer matches the source counts as failed, as does one that no test notices.
 */
import { execFile, fork } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { FAULTS, type Fault } from "./faults.js";

const COPIED = ["assembly", "asconfig.json", "build", "package.json", "scripts", "src", "tests", "tsconfig.json"];
/** A fault may make a loop endless; every kernel's tests take a few seconds. */
const TIME_LIMIT = 120_000;

const run = promisify(execFile);

/** A copy of the tree in which one fault after another is tried. */
class Copy {
  readonly root = mkdtempSync(path.join(tmpdir(), "simdgrad-mutate-"));
  /** The strict binary without a fault, and as the tests take it. */
  #sound = "";
  #current = "";

  constructor() {
    for (const name of COPIED) cpSync(name, this.path(name), { recursive: true });
    symlinkSync(path.resolve("node_modules"), this.path("node_modules"));
    // Less optimized, but with the same instructions in the same order: twice as many faults a minute.
    const config = JSON.parse(readFileSync("asconfig.json", "utf8")) as { options: object };
    const options = { ...config.options, optimizeLevel: 1, converge: false };
    writeFileSync(this.path("asconfig.json"), JSON.stringify({ ...config, options }));
  }

  path(name: string): string {
    return path.join(this.root, name);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Builds the strict binary from the sources as they stand here and gives it to the tests. */
  async #build(): Promise<void> {
    await run(process.execPath, ["scripts/build.mjs", "--target", "strict"], { cwd: this.root });
    this.#current = readFileSync(this.path("build/binaries/strict.js"), "utf8");
  }

  /** Builds the kernels without a fault. */
  async prepare(): Promise<void> {
    await this.#build();
    this.#sound = this.#current;
  }

  /** Builds the kernels with a fault. Returns why it cannot be tried, if so. */
  async apply({ file, find, replace }: Fault): Promise<string | undefined> {
    const source = readFileSync(file, "utf8");
    const places = source.split(find).length - 1;
    if (places !== 1) return `"${find}" occurs ${places} times in ${file}, not once`;
    writeFileSync(
      this.path(file),
      source.replace(find, () => replace),
    );
    try {
      await this.#build();
    } catch (error) {
      return `it does not compile: ${(error as { stderr: string }).stderr}`;
    } finally {
      writeFileSync(this.path(file), source);
    }
    return this.#current === this.#sound ? "it changes nothing in the binary" : undefined;
  }

  /** Runs the strict tests of the kernels that `kernels` matches. */
  async test(kernels: string): Promise<{ passed: number; failed: number; report: string }> {
    const files = readdirSync("tests/kernels")
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => `tests/kernels/${file}`);
    const child = fork("scripts/suite.mjs", ["--bail", "--name", `^(?:${kernels}) strict`, ...files], {
      cwd: this.root,
      execArgv: ["--import", "tsx"],
      silent: true,
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), TIME_LIMIT);
    let report = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (report += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (report += text));
    let counts = { passed: 0, failed: 0 };
    child.once("message", (message) => (counts = message as typeof counts));
    await new Promise((resolve) => child.once("close", resolve));
    clearTimeout(timer);
    if (child.signalCode !== null) return { passed: 0, failed: 1, report: `stopped after ${TIME_LIMIT / 1000} s` };
    return { ...counts, report };
  }
}

/** Whether a test notices the fault, and which, or why the fault cannot be tried. */
async function attempt(copy: Copy, fault: Fault): Promise<{ noticed: boolean; how: string }> {
  const obstacle = await copy.apply(fault);
  if (obstacle !== undefined) return { noticed: false, how: obstacle };
  const { failed, report } = await copy.test(fault.kernels);
  if (failed === 0) return { noticed: false, how: "no test notices it" };
  const message = /FAILED: [^\n]*\n\s*([^\n]*)/.exec(report)?.[1] ?? report;
  return { noticed: true, how: message.slice(0, 150) };
}

const words = process.argv.slice(2);
const chosen = FAULTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const copies = Array.from({ length: Math.min(availableParallelism(), chosen.length) }, () => new Copy());
process.once("exit", () => copies.forEach((copy) => copy.remove()));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const total = { passed: 0, failed: 0 };
try {
  await Promise.all(copies.map((copy) => copy.prepare()));
  // Without a fault the same tests must pass, or their failing would say nothing.
  const sound = await copies[0]?.test(chosen.map(({ kernels }) => kernels).join("|"));
  if (sound === undefined) throw new Error(`No fault is named like ${words.join(", ")}.`);
  if (sound.failed > 0 || sound.passed === 0) throw new Error(`The kernels fail without a fault.\n${sound.report}`);

  const queue = [...chosen];
  const work = async (copy: Copy): Promise<void> => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const { noticed, how } = await attempt(copy, fault);
      total[noticed ? "passed" : "failed"]++;
      console.log(`${noticed ? "noticed" : "FAILED "}  ${fault.name.padEnd(50)}  ${how}`);
    }
  };
  await Promise.all(copies.map(work));
} catch (error) {
  console.error((error as Error).message);
  total.failed++;
}
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
