/** `npm run bench`: builds what is missing, then measures in a process of its own, on the chosen engine and pinned to a core. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { missing, type BrowserName } from "../scripts/browsers.js";
import { runInBrowser } from "./browser/launch.js";
import { buildProbes, engineFlags, explainArguments, findEngine, pin, root, runNode } from "./launch.js";
import { processor } from "./machine.js";
import { cliffReport, steps } from "./cliffs.js";
import { HELP, isBrowser, parseOptions, select, type Options } from "./options.js";
import { INSTALL } from "./peers/peers.js";
import { canDraw } from "./peers/svg.js";
import { printSession } from "./report.js";

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  let options: Options;
  let start: (selected: readonly string[]) => number | Promise<number>;
  try {
    options = parseOptions(argv);
    start = starter(options, argv);
  } catch (error) {
    console.error(`${explainArguments(error)}\nnpm run bench -- --help explains the options.`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  runNode("scripts/build.mjs", "--wasm");
  const { casesOf } = await import("./cases.js"); // which loads the binaries
  const selected = select(casesOf(options.sweep), options.filter);
  if (selected.length === 0) {
    console.error(`No case matches "${options.filter}"; npm run bench -- --list names them all.`);
    return 2;
  }
  if (options.list) {
    for (const { name } of selected) console.log(name);
    return 0;
  }
  if (options.chart !== undefined) {
    if (!selected.some(({ inParts }) => inParts)) {
      console.error(`--chart is of training steps, and "${options.filter}" leaves none.`);
      return 2;
    }
    if (!canDraw()) {
      console.error(`The packages of the chart are not installed: ${INSTALL}`);
      return 2;
    }
  }
  buildProbes();
  return start(selected.map(({ name }) => name));
}

/** What measures the selected cases and returns the exit code. Throws an Error where the engine or the core is not to be had. */
function starter(options: Options, argv: readonly string[]): (selected: readonly string[]) => number | Promise<number> {
  const { engine, core, chart } = options;
  const prefix = pin(core);
  if (isBrowser(engine)) {
    if (chart !== undefined)
      throw new Error(`--chart is of steps in Node, not in ${engine}, whose clock is too coarse.`);
    const reason = missing(engine);
    if (reason !== undefined) throw new Error(reason);
    return (selected) => inBrowser(engine, options, prefix, selected);
  }
  const node = findEngine(engine);
  const command = [...prefix, node, ...engineFlags(node), "--import", "tsx", path.join(root, "bench/run.ts"), ...argv];
  return () => {
    const [file = "", ...args] = command;
    const { status, error } = spawnSync(file, args, { cwd: root, stdio: "inherit" });
    if (error !== undefined) throw error;
    return status ?? 1;
  };
}

async function inBrowser(
  browser: BrowserName,
  { variant, seconds, format, sweep }: Options,
  prefix: readonly string[],
  selected: readonly string[],
): Promise<number> {
  const { session, engine } = await runInBrowser(browser, { variant, cases: selected, sweep, seconds }, prefix);
  const core = prefix.length > 0 ? Number(prefix.at(-1)) : undefined;
  const possible = printSession(session, { engine, processor, core }, format);
  if (sweep !== undefined) console.log(cliffReport(steps(sweep, session.results), format));
  return possible ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
