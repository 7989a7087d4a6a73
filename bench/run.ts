/** The process that measures: index.ts launches it on the engine and the core that were asked for. */
import { initSync } from "../src/index.js";
import { cases } from "./cases.js";
import { cacheLevels, engine, pinnedCore, processor, readProbes } from "./machine.js";
import { parseOptions, select } from "./options.js";
import { printSession, progress } from "./report.js";
import { runSession } from "./session.js";
import { startStopwatch } from "./stopwatch.js";

try {
  const { filter, variant, seconds, format } = parseOptions(process.argv.slice(2));
  const runtime = initSync({ variant });
  const session = runSession({
    runtime,
    probes: readProbes(runtime.variant),
    start: startStopwatch,
    cases: select(cases, filter),
    seconds,
    levels: cacheLevels(),
    onProgress: progress,
  });
  progress("");
  if (!printSession(session, { engine, processor, core: pinnedCore() }, format)) process.exitCode = 1;
} catch (error) {
  progress("");
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
