/** The process that measures: index.ts launches it on the engine and the core that were asked for. */
import { initSync } from "../src/index.js";
import { cases } from "./cases.js";
import { Desk } from "./desk.js";
import { measure, type Stream } from "./harness.js";
import { MachineLimits } from "./limits.js";
import { cacheLevels, engine, pinnedCore, processor } from "./machine.js";
import { parseOptions, select } from "./options.js";
import { jsonLine, progress, report } from "./report.js";

const STREAMS: readonly Stream[] = ["read", "write", "copy", "inPlace", "axpy"];

try {
  const { filter, variant, seconds, format } = parseOptions(process.argv.slice(2));
  const runtime = initSync({ variant });
  const desk = new Desk(runtime);
  const limits = new MachineLimits(desk, runtime.variant);
  progress("measuring the bandwidth of each cache level");
  const levels = cacheLevels();
  const bandwidth = limits.levels(levels, STREAMS, 5);
  const measured = measure({ cases: select(cases, filter), desk, limits, seconds, onProgress: progress });
  progress("");
  const { results, impossible, ...extent } = measured;
  const setting = { variant: runtime.variant, engine, processor, core: pinnedCore(), ...extent };
  if (format === "json") {
    for (const result of results) console.log(jsonLine(result, setting));
  } else {
    console.log(report(results, setting, { peak: limits.peak(), levels, streams: STREAMS, bandwidth }, format));
  }
  for (const { case: name, shareOfLimit } of impossible) {
    const share = `${(100 * shareOfLimit).toFixed(1)} % of the limit`;
    console.error(
      `bench: ${name} seems faster than this machine can be (${share}), so its case or its limit is wrong.`,
    );
    process.exitCode = 1;
  }
} catch (error) {
  progress("");
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
