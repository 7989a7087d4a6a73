/** `npm run bench`: builds what is missing, then measures in a process of its own, on the chosen engine and pinned to a core. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { HELP, parseOptions, select, type Options } from "./options.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const DEFAULT_ENGINE = "node-24";

/** Compiles a script's sources with its output on standard error: standard output is the report's. */
function runNode(script: string, ...args: string[]): void {
  execFileSync(process.execPath, [path.join(root, script), ...args], { cwd: root, stdio: ["ignore", 2, 2] });
}

/** The probes of a variant, compiled if they are missing or older than their sources. */
function buildProbes(variant: "strict" | "relaxed"): void {
  const changed = (file: string) => (existsSync(file) ? statSync(file).mtimeMs : -Infinity);
  const folder = path.join(root, "bench/probes");
  const sources = [...readdirSync(folder).map((file) => path.join(folder, file)), path.join(root, "assembly/simd.ts")];
  const binary = path.join(root, `build/probes/${variant}.wasm`);
  if (sources.every((file) => changed(file) < changed(binary))) return;
  runNode("node_modules/assemblyscript/bin/asc.js", "--config", "bench/probes/asconfig.json", "--target", variant);
  if (!existsSync(binary)) throw new Error(`The compiler left no ${binary}.`);
}

/** The executable of an engine such as node-24: from tools/runtimes, or this process where it is that release. */
function findEngine(engine: string | undefined): string {
  const installed = path.join(root, "tools/runtimes/node_modules", engine ?? DEFAULT_ENGINE, "bin/node");
  if (existsSync(installed)) return installed;
  const own = `node-${process.versions.node.split(".")[0]}`;
  if (engine === undefined || engine === own) return process.execPath;
  throw new Error(`${engine} is not installed (this is ${own}): npm ci --prefix tools/runtimes`);
}

/** Node 20 has relaxed SIMD behind a flag that later releases refuse. */
function engineFlags(executable: string): string[] {
  const version = execFileSync(executable, ["--version"], { encoding: "utf8" });
  return version.startsWith("v20.") ? ["--experimental-wasm-relaxed-simd"] : [];
}

/** What keeps a command on one core, where the system has it. */
function pin(core: number | undefined): string[] {
  const last = cpus().length - 1;
  if (core !== undefined && core > last) throw new Error(`There is no core ${core}, only 0 to ${last}.`);
  if (spawnSync("taskset", ["--version"]).error === undefined) return ["taskset", "-c", String(core ?? last)];
  if (core !== undefined) throw new Error("--core needs taskset, which this system does not have.");
  return [];
}

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  let options: Options;
  let command: string[];
  try {
    options = parseOptions(argv);
    const engine = findEngine(options.engine);
    command = [...pin(options.core), engine, ...engineFlags(engine), "--import", "tsx"];
  } catch (error) {
    const message = (error as Error).message.replace(/\. To specify.*/s, "."); // advice on dashes that nobody asked for
    console.error(`${message}\nnpm run bench -- --help explains the options.`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  runNode("scripts/build.mjs", "--wasm");
  const { cases } = await import("./cases.js"); // which loads the binaries
  const selected = select(cases, options.filter);
  if (selected.length === 0) {
    console.error(`No case matches "${options.filter}"; npm run bench -- --list names them all.`);
    return 2;
  }
  if (options.list) {
    for (const { name } of selected) console.log(name);
    return 0;
  }
  for (const variant of ["strict", "relaxed"] as const) buildProbes(variant);
  const [file = "", ...args] = [...command, path.join(root, "bench/run.ts"), ...argv];
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw error;
  return status ?? 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
