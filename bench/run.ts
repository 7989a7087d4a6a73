/** The process that measures: index.ts launches it on the engine and the core that were asked for. */
import { writeFileSync } from "node:fs";
import { initSync } from "../src/index.js";
import { breakDown, breakdownSpec, breakdownTable } from "./breakdown.js";
import { casesOf } from "./cases.js";
import { cliffReport, steps } from "./cliffs.js";
import { cacheLevels, engine, pinnedCore, processor, readProbes } from "./machine.js";
import { parseOptions, select } from "./options.js";
import { renderSvg } from "./peers/svg.js";
import { printSession, progress } from "./report.js";
import { runSession } from "./session.js";
import { startStopwatch } from "./stopwatch.js";

/** How long the steps of a case go on that are taken apart. */
const BREAKDOWN_SECONDS = 3;

try {
  const { filter, variant, seconds, format, chart, sweep } = parseOptions(process.argv.slice(2));
  const runtime = initSync({ variant });
  const selected = select(casesOf(sweep), filter);
  const session = runSession({
    runtime,
    probes: readProbes(runtime.variant),
    start: startStopwatch,
    cases: selected,
    seconds,
    levels: cacheLevels(),
    onProgress: progress,
  });
  progress("");
  if (!printSession(session, { engine, processor, core: pinnedCore() }, format)) process.exitCode = 1;
  if (sweep !== undefined) console.log(cliffReport(steps(sweep, session.results), format));
  const taken = format === "json" && chart === undefined ? [] : selected.filter(({ inParts }) => inParts);
  const breakdowns = taken.map((row) => {
    progress(`taking ${row.name} apart`);
    return breakDown(row, runtime.variant, BREAKDOWN_SECONDS);
  });
  progress("");
  if (format !== "json") for (const one of breakdowns) console.log(`\n${breakdownTable(one, format)}`);
  if (chart !== undefined) {
    const place = `${runtime.variant} binary, ${engine}, ${processor}`;
    writeFileSync(chart, await renderSvg(breakdownSpec(breakdowns, place)));
  }
} catch (error) {
  progress("");
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
