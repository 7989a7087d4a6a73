/**
 * Trains and runs neural networks on the CPU with WebAssembly SIMD. Start with `init`, then build a `Sequential`, or call
 * the functions on tensors.
 */
import { binary as relaxed } from "#binaries/relaxed";
import { binary as strict } from "#binaries/strict";
import { initSyncWith, initWith, type InitOptions } from "./runtime/init.js";
import type { Runtime } from "./runtime/runtime.js";

export * from "./core.js";

/**
 * Loads the kernels and makes a runtime. Works without configuration in Node, browsers, workers, Deno and Bun: the
 * binaries are part of this module. Rejects with UnsupportedEngineError, which says what is missing, with ArgumentError
 * for wrong options, with OutOfMemoryError when the engine refuses the memory, with LoadError when `url` does not load.
 */
export function init(options: InitOptions = {}): Promise<Runtime> {
  return initWith({ strict, relaxed }, options);
}

/** As `init`, at once, without `url`. Browsers' main threads may refuse to compile synchronously: prefer `init` there. */
export function initSync(options: InitOptions = {}): Runtime {
  return initSyncWith({ strict, relaxed }, options);
}
