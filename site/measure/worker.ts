/** The worker of the part "Measure": the project's bench, with a stopwatch that the page's policy allows. */
import { expose } from "comlink";
import { cases } from "../../bench/cases.js";
import type { CacheLevel } from "../../bench/machine.js";
import { startPlainStopwatch } from "../../bench/plainStopwatch.js";
import { report, type Session } from "../../bench/report.js";
import { runSession } from "../../bench/session.js";
import { capabilities, type Capabilities } from "../../src/core.js";
import { fetchBytes, loadRuntime } from "../runtime.js";
import { TITLES } from "./measured.js";

/** What has room in the caches of any processor of today, and what has not. A page learns nothing of the real ones. */
const LEVELS: readonly CacheLevel[] = [
  { name: "L1", size: 32 << 10, footprint: 16 << 10 },
  { name: "L2", size: 512 << 10, footprint: 192 << 10 },
  { name: "memory", size: Infinity, footprint: 80 << 20 },
];

export interface Measurement {
  readonly session: Session;
  /** The same as a table to paste. */
  readonly markdown: string;
}

const bench = {
  capabilities: (): Capabilities => capabilities(),

  async run(seconds: number, engine: string, onProgress: (text: string) => unknown): Promise<Measurement> {
    const runtime = await loadRuntime();
    try {
      const probes = await fetchBytes(`probes-${runtime.variant}.wasm`);
      const selected = cases.filter(({ name }) => name in TITLES);
      const options = { runtime, probes, start: startPlainStopwatch, cases: selected, levels: LEVELS, seconds };
      const session = runSession({ ...options, onProgress: (text) => void onProgress(text) });
      const { results, machine, ...extent } = session;
      const processor = `${navigator.hardwareConcurrency} logical processors`;
      const setting = { ...extent, engine, processor, core: undefined };
      return { session, markdown: report(results, setting, machine, "markdown") };
    } finally {
      runtime.dispose();
    }
  },
};

export type Bench = typeof bench;

expose(bench);
