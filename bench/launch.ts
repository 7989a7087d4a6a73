/** What the commands that measure need before they start: binaries, an engine, a core. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url));
const DEFAULT_ENGINE = "node-24";

/** Compiles a script's sources with its output on standard error: standard output is the report's. */
export function runNode(script: string, ...args: string[]): void {
  execFileSync(process.execPath, [path.join(root, script), ...args], { cwd: root, stdio: ["ignore", 2, 2] });
}

/** The probes of both variants, compiled where they are missing or older than their sources. */
export function buildProbes(): void {
  const folder = path.join(root, "bench/probes");
  const sources = [...readdirSync(folder).map((file) => path.join(folder, file)), path.join(root, "assembly/simd.ts")];
  for (const variant of ["strict", "relaxed"]) {
    const binary = path.join(root, `build/probes/${variant}.wasm`);
    if (isNewer(binary, sources)) continue;
    runNode("node_modules/assemblyscript/bin/asc.js", "--config", "bench/probes/asconfig.json", "--target", variant);
    if (!existsSync(binary)) throw new Error(`The compiler left no ${binary}.`);
  }
}

/** The executable of an engine such as node-24: from tools/runtimes, or this process where it is that release. */
export function findEngine(engine: string | undefined): string {
  const installed = path.join(root, "tools/runtimes/node_modules", engine ?? DEFAULT_ENGINE, "bin/node");
  if (existsSync(installed)) return installed;
  const own = `node-${process.versions.node.split(".")[0]}`;
  if (engine === undefined || engine === own) return process.execPath;
  throw new Error(`${engine} is not installed (this is ${own}): npm ci --prefix tools/runtimes`);
}

/** Node 20 has relaxed SIMD behind a flag that later releases refuse. */
export function engineFlags(executable: string): string[] {
  const version = execFileSync(executable, ["--version"], { encoding: "utf8" });
  return version.startsWith("v20.") ? ["--experimental-wasm-relaxed-simd"] : [];
}

/** What keeps a command on one core, where the system has it. */
export function pin(core: number | undefined): string[] {
  const last = cpus().length - 1;
  if (core !== undefined && core > last) throw new Error(`There is no core ${core}, only 0 to ${last}.`);
  if (spawnSync("taskset", ["--version"]).error === undefined) return ["taskset", "-c", String(core ?? last)];
  if (core !== undefined) throw new Error("--core needs taskset, which this system does not have.");
  return [];
}

/** Whether a file is there and newer than everything that it is made from. */
export function isNewer(file: string, sources: readonly string[]): boolean {
  return existsSync(file) && sources.every((source) => statSync(source).mtimeMs < statSync(file).mtimeMs);
}

/** What went wrong, without the advice on dashes that parseArgs adds and nobody asked for. */
export function explainArguments(error: unknown): string {
  return (error as Error).message.replace(/\. To specify.*/s, ".");
}
