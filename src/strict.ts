/** simdgrad with the strict binary alone: half the bytes, and the same bits on every engine and processor. */
import { binary as strict } from "#binaries/strict";
import { initSyncWith, initWith, type InitOptions } from "./runtime/init.js";
import type { Runtime } from "./runtime/runtime.js";

export * from "./core.js";

/** As `init` of "simdgrad", where only the strict variant is to be had. */
export function init(options: InitOptions = {}): Promise<Runtime> {
  return initWith({ strict }, options);
}

/** As `init`, at once, without `url`. */
export function initSync(options: InitOptions = {}): Runtime {
  return initSyncWith({ strict }, options);
}
