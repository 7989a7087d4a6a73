/**
 * A thread that runs kernel calls on a shared memory, one per message. Plain JavaScript: threads of Node 20 load no
 * TypeScript.
 */
import { parentPort, workerData } from "node:worker_threads";

/**
 * @typedef {{ module: WebAssembly.Module, memory: WebAssembly.Memory }} BandWork
 * @typedef {{ kernel: import("./kernels.js").KernelName, arguments: number[] }} BandCall
 */

const { module, memory } = /** @type {BandWork} */ (workerData);
const { exports } = new WebAssembly.Instance(module, { env: { memory } });

parentPort?.on("message", (/** @type {BandCall} */ call) => {
  const run = /** @type {(...values: number[]) => void} */ (exports[call.kernel]);
  run(...call.arguments);
  parentPort?.postMessage("done");
});
