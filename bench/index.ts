/** `npm run bench`: builds what is missing, then measures in a process of its own, on the chosen engine and pinned to a core. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { buildProbes, engineFlags, explainArguments, findEngine, pin, root, runNode } from "./launch.js";
import { HELP, parseOptions, select, type Options } from "./options.js";

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  let options: Options;
  let command: string[];
  try {
    options = parseOptions(argv);
    const engine = findEngine(options.engine);
    command = [...pin(options.core), engine, ...engineFlags(engine), "--import", "tsx"];
  } catch (error) {
    console.error(`${explainArguments(error)}\nnpm run bench -- --help explains the options.`);
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
  buildProbes();
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
