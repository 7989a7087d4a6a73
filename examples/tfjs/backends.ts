/** The backends that can be compared. The first line that a program of yours needs is `import "simdgrad/tfjs"`. */
import * as tf from "@tensorflow/tfjs-core";
import { createRequire } from "node:module";
import path from "node:path";

export const BACKENDS = ["cpu", "wasm", "simdgrad"] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Loads a backend, on one thread, and lets TensorFlow.js use it. */
export async function startBackend(name: BackendName): Promise<void> {
  if (name === "simdgrad") {
    await import("simdgrad/tfjs");
  } else if (name === "wasm") {
    const { setThreadsCount, setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    const manifest = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
    setWasmPaths(`${path.dirname(manifest)}/wasm-out/`);
    setThreadsCount(1);
  } else {
    tf.env().set("IS_NODE", false); // cpu would recommend another package
    await import("@tensorflow/tfjs-backend-cpu");
  }
  if (!(await tf.setBackend(name))) throw new Error(`The backend ${name} does not start.`);
}
