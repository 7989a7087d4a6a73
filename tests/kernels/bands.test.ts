import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { BandCall, BandWork } from "../support/bandWorker.js";
import { expectSameBits } from "../support/compare.js";
import type { Call, Data } from "../support/harness.js";
import { attach, cannotRun, kernelModule, type Kernels } from "../support/kernels.js";
import { Random } from "../support/random.js";
import {
  batchNormBackwardCall,
  batchNormData,
  batchNormForwardCall,
  batchNormInferenceCall,
  dropoutCall,
  realData,
  sgemmCall,
  softmaxCall,
  transposed,
  weightedSoftmaxCall,
} from "./calls.js";
import { groupNormBackwardCall, groupNormData, groupNormForwardCall } from "./groupNormCalls.js";

/** Calls whose last arguments are a range of rows or columns, and work if any: what threads split among themselves. */
function bandedCalls(kernels: Kernels): Call[] {
  const random = new Random(1);
  const [m, n, k] = [67, 90, 450];
  const [rows, cols] = [150, 75];
  const data = batchNormData({ rows, cols }, random);
  const dy = random.floats(rows * cols);
  const calls = ["NN", "TN", "NT", "TT"].map((transposes) => {
    const shape = { m, n, k, ...transposed(transposes, m, n, k), beta: 1, epilogue: 3 } as const;
    return sgemmCall(shape, realData(shape, random), kernels);
  });
  const relu = 1;
  const manyParts = { rows: 320, groups: 2, size: 9 };
  const manyRows = groupNormData(manyParts, random);
  const labels = Int32Array.from({ length: rows }, () => random.integer(0, cols - 1));
  calls.push(
    batchNormForwardCall({ rows, cols, relu }, data, kernels),
    batchNormInferenceCall({ rows, cols, relu }, data, kernels),
    batchNormBackwardCall({ rows, cols, relu }, { ...data, dy }, kernels),
    softmaxCall({ rows, cols }, data.x, labels),
    softmaxCall(
      { rows, cols: 10 },
      data.x.slice(0, 10 * rows),
      labels.map((label) => label % 10),
    ),
    weightedSoftmaxCall({ rows, cols, kind: "probabilities", smoothing: 0.125, weighted: 1 }, random),
    groupNormForwardCall({ rows, groups: 5, size: 15 }, data),
    groupNormBackwardCall(manyParts, { ...manyRows, dy: random.floats(manyRows.x.length) }, kernels),
    dropoutCall(rows * cols, 0.5, [0, rows * cols], { seed: 5n, stream: 6n, counter: 2n ** 32n - 9n }, data.x),
  );
  return calls;
}

/** Lays the operands out one after the other, and a second work. Returns the address of each. */
function place({ operands }: Call, memory: WebAssembly.Memory): Record<string, number> {
  const pointers: Record<string, number> = {};
  let next = 64;
  const second = operands.work ? { work2: operands.work } : {};
  for (const [name, { before, origin = 0 }] of Object.entries({ ...operands, ...second })) {
    pointers[name] = next + origin * before.BYTES_PER_ELEMENT;
    next += Math.ceil(before.byteLength / 64) * 64 + 64;
  }
  if (next > memory.buffer.byteLength) throw new Error("The operands do not fit the test's memory.");
  return pointers;
}

function write(memory: WebAssembly.Memory, { operands }: Call, pointers: Record<string, number>): void {
  for (const [name, { before }] of Object.entries(operands)) {
    const bytes = new Uint8Array(before.buffer, before.byteOffset, before.byteLength);
    new Uint8Array(memory.buffer, pointers[name], before.byteLength).set(bytes);
  }
}

function readOutputs(memory: WebAssembly.Memory, { operands }: Call, pointers: Record<string, number>) {
  const outputs = Object.entries(operands).filter(([, { after }]) => after !== undefined);
  return outputs.map(([name, { before }]): [string, Data] => {
    const values = before.slice();
    new Uint8Array(values.buffer).set(new Uint8Array(memory.buffer, pointers[name], before.byteLength));
    return [name, values];
  });
}

/** Runs a call in a thread. */
function runIn(worker: Worker, call: BandCall): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", () => {
      worker.off("error", reject);
      resolve();
    });
    worker.postMessage(call);
  });
}

for (const variant of ["strictShared", "relaxedShared"] as const) {
  test(`bands ${variant}: two threads give the bits of one`, { skip: cannotRun(variant) }, async () => {
    const memory = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: true });
    const kernels = attach(variant, memory);
    const workerData: BandWork = { module: kernelModule(variant), memory };
    const workers = [0, 1].map(() => new Worker(new URL("../support/bandWorker.js", import.meta.url), { workerData }));
    try {
      for (const call of bandedCalls(kernels)) {
        const pointers = place(call, memory);
        const values = call.arguments(pointers);
        const rangeAt = values.length - (call.operands.work ? 3 : 2);
        const [from, to] = values.slice(rangeAt) as [number, number];
        const run: (...values: number[]) => unknown = kernels[call.kernel];
        write(memory, call, pointers);
        run(...values);
        const whole = new Map(readOutputs(memory, call, pointers));
        for (const middle of [from + 1, from + ((to - from) >> 1), to - 7]) {
          write(memory, call, pointers);
          const bands = [
            [from, middle, pointers.work ?? 0],
            [middle, to, pointers.work2 ?? 0],
          ].map((band) => ({ kernel: call.kernel, arguments: [...values.slice(0, rangeAt), ...band] }));
          await Promise.all(workers.map((worker, i) => runIn(worker, bands[i]!)));
          for (const [name, actual] of readOutputs(memory, call, pointers)) {
            const context = `${call.kernel} ${variant} [${call.shape}; split at ${String(middle)}]`;
            expectSameBits(context, name, actual, whole.get(name)!);
          }
        }
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  });
}
