/** Runs the bench in a browser's worker as launch.ts of this folder asks, and posts what it found. */
import "./globals.js";
import { init, type Variant } from "../../src/core.js";
import { casesOf } from "../cases.js";
import type { Sweep } from "../cliffs.js";
import type { CacheLevel } from "../machine.js";
import type { Session } from "../report.js";
import { runSession } from "../session.js";
import { startStopwatch } from "../stopwatch.js";

/** What config.json says. */
export interface Config {
  readonly variant: Variant | "auto";
  /** The names of the cases. */
  readonly cases: readonly string[];
  /** The squares that they are among, if not the table. */
  readonly sweep?: Sweep | undefined;
  readonly seconds: number;
  /** Of the machine; JSON knows no infinite sizes. */
  readonly levels: readonly CacheLevel[];
}

export type Posted = { readonly session: Session; readonly userAgent: string } | { readonly error: string };

async function run(): Promise<Session> {
  const { variant, cases: names, sweep, ...config } = (await (await fetch("config.json")).json()) as Config;
  const runtime = await init({ variant, url: { strict: "wasm/strict.wasm", relaxed: "wasm/relaxed.wasm" } });
  const probes = await (await fetch(`probes/${runtime.variant}.wasm`)).arrayBuffer();
  const selected = casesOf(sweep).filter(({ name }) => names.includes(name));
  return runSession({ runtime, probes, start: startStopwatch, cases: selected, ...config });
}

let posted: Posted;
try {
  posted = { session: await run(), userAgent: navigator.userAgent };
} catch (error) {
  posted = { error: error instanceof Error ? error.message : String(error) };
}
await fetch("session", { method: "POST", body: JSON.stringify(posted) });
