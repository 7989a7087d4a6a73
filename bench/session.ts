/** One run of the bench, in Node or in a browser: what the machine can do at best, then the cases beside it. */
import type { Runtime } from "../src/core.js";
import { Desk } from "./desk.js";
import { measure, type Measure, type StartWatch, type Stream } from "./harness.js";
import { MachineLimits } from "./limits.js";
import type { CacheLevel } from "./machine.js";
import type { BenchCase } from "./operations/setup.js";
import type { Session } from "./report.js";

const STREAMS: readonly Stream[] = ["read", "write", "copy", "inPlace", "axpy"];

export interface SessionOptions extends Pick<Measure<Desk>, "seconds" | "onProgress"> {
  readonly runtime: Runtime;
  /** The binary of the probes, of the runtime's variant. */
  readonly probes: BufferSource;
  readonly start: StartWatch;
  readonly cases: readonly BenchCase[];
  /** Whose bandwidth is measured. */
  readonly levels: readonly CacheLevel[];
}

/** Keeps the thread busy for some 20 s more than `seconds` when it runs all cases. */
export function runSession({ runtime, probes, levels, ...options }: SessionOptions): Session {
  const { onProgress, start } = options;
  const desk = new Desk(runtime);
  onProgress?.("measuring the peak of multiply-adds");
  const limits = new MachineLimits(desk, probes, start);
  onProgress?.("measuring the bandwidth of each cache level");
  const bandwidth = limits.levels(levels, STREAMS, 5);
  const measured = measure({ ...options, desk, limits });
  return {
    ...measured,
    variant: runtime.variant,
    machine: { peak: limits.peak(), levels, streams: STREAMS, bandwidth },
  };
}
