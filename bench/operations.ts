/** How each kind of case is named, counted, bounded, set up and checked. */
import * as activations from "../tests/reference/activations.js";
import * as normalization from "../tests/reference/batchNorm.js";
import * as data from "../tests/reference/data.js";
import * as losses from "../tests/reference/losses.js";
import { matmul, type Epilogue } from "../tests/reference/matmul.js";
import * as optimizers from "../tests/reference/optimizers.js";
import * as reductions from "../tests/reference/reductions.js";
import * as softmaxes from "../tests/reference/softmax.js";
import { expectUnary, UNARY, type UnaryKernel, type UnaryName } from "../tests/reference/unary.js";
import { expectClose, type Tolerance } from "../tests/support/compare.js";
import type { Desk } from "./desk.js";
import type { Calls, Case, Prepared } from "./harness.js";

export type BenchCase = Case<Desk>;

/** The arguments of one call, and a check of what it left. */
interface Call {
  readonly args: number[];
  readonly check: () => void;
}

/** Sets a kernel up twice, on buffers of its own each time. */
function twice(run: (...args: number[]) => unknown, setUp: () => Call): Prepared {
  const calls = [setUp(), setUp()] as const;
  const args: Calls["args"] = [calls[0].args, calls[1].args];
  const validate = () => {
    for (const call of calls) {
      run(...call.args);
      call.check();
    }
  };
  return { run, args, validate };
}

/** A bound that catches a wrong kernel before it is timed; tests/kernels holds the exact ones. */
const FEW: Tolerance = { roundings: 8 };

const f32 = Math.fround;

/** The rows × columns matrix at `origin` with these strides, row after row. */
export function rowMajor(
  values: ArrayLike<number>,
  origin: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): Float64Array {
  const copy = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) copy[i * columns + j] = values[origin + i * rowStride + j * columnStride] ?? NaN;
  }
  return copy;
}

/** C = op(A)·op(B) with C m×n, all row-major as stored. */
export interface Product {
  /** Of A and of B: N is row-major as it takes part, T is transposed. */
  readonly transposes: "NN" | "NT" | "TN" | "TT";
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The row and column strides of op(A) and op(B). */
export function productStrides({ transposes, m, n, k }: Product): Record<"rsA" | "csA" | "rsB" | "csB", number> {
  const [rsA, csA] = transposes[0] === "N" ? [k, 1] : [1, m];
  const [rsB, csB] = transposes[1] === "N" ? [n, 1] : [1, k];
  return { rsA, csA, rsB, csB };
}

/**
 * Throws where C is not the product: all of a small one is compared, of a large one 16 blocks of 4×4, the corners among
 * them, wherever panels may end.
 */
export function expectProduct(
  product: Product,
  A: ArrayLike<number>,
  B: ArrayLike<number>,
  C: ArrayLike<number>,
  epilogue: { readonly mode: Epilogue; readonly bias: Float32Array } = { mode: 0, bias: new Float32Array(0) },
): void {
  const { m, n, k } = product;
  const { rsA, csA, rsB, csB } = productStrides(product);
  const { mode, bias } = epilogue;
  if (C.length !== m * n) throw new Error(`c has ${C.length} elements, expected ${m * n}.`);
  const block = (i: number, j: number, rows: number, columns: number) => {
    const left = rowMajor(A, i * rsA, rows, k, rsA, csA);
    const right = rowMajor(B, j * csB, k, columns, rsB, csB);
    const expected = matmul(rows, columns, k, left, right, [], bias.subarray(j, j + columns), 1, 0, mode);
    const actual = rowMajor(C, i * n + j, rows, columns, n, 1);
    expectClose(`block at (${i}, ${j})`, "c", actual, { ...expected, tolerance: { roundings: k + 8 } });
  };
  if (2 * m * n * k < 1e7) return block(0, 0, m, n);
  const at = (size: number, part: number) => Math.floor((Math.max(0, size - 4) * part) / 3);
  for (const i of [0, 1, 2, 3]) {
    for (const j of [0, 1, 2, 3]) block(at(m, i), at(n, j), Math.min(4, m), Math.min(4, n));
  }
}

/** C = op(A)·op(B); `epilogue` adds a bias and ReLU. Counts 2mnk operations. */
export function sgemm(
  transposes: "NN" | "NT" | "TN" | "TT",
  m: number,
  n: number,
  k: number,
  epilogue?: "bias relu",
): BenchCase {
  const { rsA, csA, rsB, csB } = productStrides({ transposes, m, n, k });
  const flops = 2 * m * n * k;
  return {
    name: `sgemm ${transposes} ${m}x${n}x${k}${epilogue === undefined ? "" : ` ${epilogue}`}`,
    unit: "GFLOP/s",
    amount: flops,
    limit: { flops },
    prepare: (desk) => {
      const { sgemm: run, sgemmWorkSize } = desk.kernels;
      const work = desk.output(Math.max(1, sgemmWorkSize(m, n, k)));
      return twice(run, () => {
        const a = desk.uniform(m * k);
        const b = desk.uniform(k * n);
        const bias = desk.uniform(n);
        const c = desk.output(m * n);
        const mode = epilogue === undefined ? 0 : 2;
        const args = [c, a, b, bias, m, n, k, n, 1, rsA, csA, rsB, csB, 1, 0, mode, 0, m, work];
        const check = () => {
          const [A, B, C] = [desk.floats(a, m * k), desk.floats(b, k * n), desk.floats(c, m * n)];
          expectProduct(
            { transposes, m, n, k },
            A,
            B,
            C,
            mode === 0 ? undefined : { mode, bias: desk.floats(bias, n) },
          );
        };
        return { args, check };
      });
    },
  };
}

/** y = f(x). */
export function unary(name: UnaryName, n: number, range: { low: number; high: number }): BenchCase {
  const kernel: UnaryKernel = UNARY[name];
  return {
    name: `${name} ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) => {
      const run: (...args: number[]) => void = desk.kernels[name];
      return twice(run, () => {
        const x = desk.uniform(n, range.low, range.high);
        const y = desk.output(n);
        const check = () => {
          expectClose(name, "y", desk.floats(y, n), expectUnary(kernel, desk.floats(x, n)));
        };
        return { args: [y, x, n, ...kernel.scalars], check };
      });
    },
  };
}

/** The derivatives, each with the most that it takes beside dy for the tolerance. */
const BACKWARD = {
  reluBackward: { reference: activations.reluBackward, scalars: [] },
  leakyReluBackward: { reference: (x, dy) => activations.leakyReluBackward(x, dy, 0.25), scalars: [0.25] },
  eluBackward: { reference: (y, dy) => activations.eluBackward(y, dy, 1), scalars: [1] },
  sigmoidBackward: { reference: activations.sigmoidBackward, scalars: [] },
  softplusBackward: { reference: activations.softplusBackward, scalars: [] },
  siluBackward: { reference: activations.siluBackward, scalars: [] },
  geluBackward: { reference: activations.geluBackward, scalars: [] },
  geluTanhBackward: { reference: activations.geluTanhBackward, scalars: [] },
  tanhBackward: { reference: activations.tanhBackward, scalars: [] },
} satisfies Record<string, { reference: (x: number, dy: number) => number; scalars: readonly number[] }>;

/** dx from dy and from x or y = f(x), which lies from `low` to 1. */
export function unaryBackward(name: keyof typeof BACKWARD, n: number, low = -1): BenchCase {
  const { reference, scalars } = BACKWARD[name];
  return {
    name: `${name} ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [0, 1, 2] },
    prepare: (desk) => {
      const run: (...args: number[]) => void = desk.kernels[name];
      return twice(run, () => {
        const x = desk.uniform(n, low, 1);
        const dy = desk.uniform(n);
        const dx = desk.output(n);
        const check = () => {
          const gradient = desk.floats(dy, n);
          const values = Float64Array.from(desk.floats(x, n), (value, i) => reference(value, gradient[i] ?? NaN));
          // No derivative here exceeds 2, nor do its terms.
          const magnitude = Float64Array.from(gradient, (value) => 2 * Math.abs(value));
          expectClose(name, "dx", desk.floats(dx, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [dx, x, dy, n, ...scalars], check };
      });
    },
  };
}

const EPS = 1e-5;

/** Batch statistics, running statistics and the normalised batch. Reads x and writes y at least. */
export function batchNormForward(rows: number, columns: number, activation?: "relu"): BenchCase {
  const n = rows * columns;
  const relu = activation === "relu";
  return {
    name: `batchNorm forward ${rows}x${columns}${relu ? " relu" : ""}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 4] },
    prepare: (desk) => {
      const work = desk.output(Math.max(1, desk.kernels.batchNormWorkSize(rows, columns)));
      return twice(desk.kernels.batchNormForward, () => {
        const x = desk.uniform(n);
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const [runningMean, runningVar] = [desk.uniform(columns), desk.uniform(columns, 0.5, 1.5)];
        const saved = desk.output(3 * columns);
        const y = desk.output(n);
        const flags = [EPS, 0.1, 1, relu ? 1 : 0, 0, columns, work];
        const args = [y, saved, runningMean, runningVar, x, gamma, beta, rows, columns, columns, columns, ...flags];
        const check = () => {
          const input = desk.floats(x, n);
          const [scales, shifts] = [desk.floats(gamma, columns), desk.floats(beta, columns)];
          const statistics = normalization.statistics(input, rows, columns);
          const expected = normalization.normalize(input, statistics, scales, shifts, rows, columns, EPS, relu);
          expectClose("batchNorm", "y", desk.floats(y, n), { ...expected, tolerance: { roundings: 32 } });
        };
        return { args, check };
      });
    },
  };
}

/** dx, dGamma and dBeta. Reads x and dy and writes dx at least. */
export function batchNormBackward(rows: number, columns: number, activation?: "relu"): BenchCase {
  const n = rows * columns;
  const relu = activation === "relu";
  return {
    name: `batchNorm backward ${rows}x${columns}${relu ? " relu" : ""}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [0, 3, 4] },
    prepare: (desk) => {
      const work = desk.output(Math.max(1, desk.kernels.batchNormWorkSize(rows, columns)));
      return twice(desk.kernels.batchNormBackward, () => {
        const [x, dy] = [desk.uniform(n), desk.uniform(n)];
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const [y, saved] = [desk.output(n), desk.output(3 * columns)];
        const [runningMean, runningVar] = [desk.uniform(columns), desk.uniform(columns, 0.5, 1.5)];
        const [dx, dGamma, dBeta] = [desk.output(n), desk.output(columns), desk.output(columns)];
        const shape = [rows, columns, columns, columns] as const;
        const forward = [y, saved, runningMean, runningVar, x, gamma, beta, ...shape, EPS, 0.1, 1] as const;
        desk.kernels.batchNormForward(...forward, relu ? 1 : 0, 0, columns, work);
        const flags = [relu ? 1 : 0, 0, 0, columns, work];
        const args = [dx, dGamma, dBeta, dy, x, saved, gamma, beta, ...shape, columns, ...flags];
        const check = () => {
          const input = desk.floats(x, n);
          const output = desk.floats(y, n);
          const gradient = desk.floats(dy, n);
          const masked = relu ? gradient.map((value, i) => ((output[i] ?? NaN) > 0 ? value : 0)) : gradient;
          const statistics = normalization.statistics(input, rows, columns);
          const scales = desk.floats(gamma, columns);
          const expected = normalization.batchNormBackward(masked, input, statistics, scales, rows, columns, EPS);
          const tolerance = { roundings: 32 };
          expectClose("batchNorm", "dx", desk.floats(dx, n), { ...expected.dx, tolerance });
          expectClose("batchNorm", "dGamma", desk.floats(dGamma, columns), { ...expected.dGamma, tolerance });
          expectClose("batchNorm", "dBeta", desk.floats(dBeta, columns), { ...expected.dBeta, tolerance });
        };
        return { args, check };
      });
    },
  };
}

/** Loss and gradient of every row. */
export function softmaxCrossEntropy(rows: number, classes: number): BenchCase {
  const n = rows * classes;
  return {
    name: `softmaxCrossEntropy ${rows}x${classes}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [1, 2] },
    prepare: (desk) =>
      twice(desk.kernels.softmaxCrossEntropy, () => {
        const logits = desk.uniform(n, -5, 5);
        const labels = desk.integers(rows, classes);
        const [loss, dLogits] = [desk.output(rows), desk.output(n)];
        const args = [loss, dLogits, logits, labels, rows, classes, classes, classes, 1 / rows, 0, rows];
        const check = () => {
          const [x, targets] = [desk.floats(logits, n), desk.ints(labels, rows)];
          const expected = losses.softmaxCrossEntropy(x, targets, rows, classes, 1 / rows);
          const tolerance = { roundings: classes + 16 };
          expectClose("softmaxCrossEntropy", "loss", desk.floats(loss, rows), { ...expected.loss, tolerance });
          expectClose("softmaxCrossEntropy", "dLogits", desk.floats(dLogits, n), { ...expected.dLogits, tolerance });
        };
        return { args, check };
      }),
  };
}

/** y = f(x) by rows. */
export function rowwise(name: "softmax" | "logSoftmax", rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `${name} ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels[name], () => {
        const [x, y] = [desk.uniform(n, -5, 5), desk.output(n)];
        const check = () => {
          const expected = softmaxes[name](desk.floats(x, n), rows, columns);
          expectClose(name, "y", desk.floats(y, n), { ...expected, tolerance: { roundings: columns + 16 } });
        };
        return { args: [y, x, rows, columns, columns, columns, 0, rows], check };
      }),
  };
}

/** The greatest of `pieces` columns for each feature. */
export function maxout(rows: number, features: number, pieces: number): BenchCase {
  const n = rows * features * pieces;
  return {
    name: `maxout ${rows}x${features} of ${pieces}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: (4 * n) / pieces, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels.maxout, () => {
        const [x, y] = [desk.uniform(n), desk.output(rows * features)];
        const check = () => {
          const values = activations.maxout(desk.floats(x, n), rows, features, pieces);
          expectClose("maxout", "y", desk.floats(y, rows * features), { values, tolerance: "exact" });
        };
        return { args: [y, x, rows, features, pieces, features, features * pieces, 0, rows], check };
      }),
  };
}

/** max(x, 0) and a bit for each element. */
export function reluWithMask(n: number): BenchCase {
  return {
    name: `reluWithMask ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 2] },
    prepare: (desk) =>
      twice(desk.kernels.reluWithMask, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const mask = desk.output(Math.ceil(n / 32));
        const check = () => {
          const input = desk.floats(x, n);
          expectClose("reluWithMask", "y", desk.floats(y, n), {
            values: input.map(activations.relu),
            tolerance: "exact",
          });
          const bits = desk.runtime.heapU8.slice(mask, mask + Math.ceil(n / 8));
          expectClose("reluWithMask", "mask", bits, { values: activations.reluMask(input), tolerance: "exact" });
        };
        return { args: [y, mask, x, n], check };
      }),
  };
}

/** dy where its bit is set, else 0. */
export function reluMaskBackward(n: number): BenchCase {
  return {
    name: `reluMaskBackward ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 2] },
    prepare: (desk) =>
      twice(desk.kernels.reluMaskBackward, () => {
        const [dx, mask, dy] = [desk.output(n), desk.bytes(Math.ceil(n / 8)), desk.uniform(n)];
        const check = () => {
          const bits = desk.runtime.heapU8.slice(mask, mask + Math.ceil(n / 8));
          const values = activations.reluMaskBackward(bits, desk.floats(dy, n));
          expectClose("reluMaskBackward", "dx", desk.floats(dx, n), { values, tolerance: "exact" });
        };
        return { args: [dx, mask, dy, n], check };
      }),
  };
}

/** A loss of y and a target, element by element, and dy. */
export function elementwiseLoss(
  kernel: "meanAbsoluteError" | "huber" | "sigmoidBinaryCrossEntropy",
  rows: number,
  columns: number,
): BenchCase {
  const n = rows * columns;
  const [term, parameters] = {
    meanAbsoluteError: [losses.absolute, []] as const,
    huber: [losses.huber(1), [1]] as const,
    sigmoidBinaryCrossEntropy: [losses.logistic, []] as const,
  }[kernel];
  return {
    name: `${kernel} ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [1, 2, 3] },
    prepare: (desk) => {
      const run: (...args: number[]) => void = desk.kernels[kernel];
      return twice(run, () => {
        const [y, target] = [desk.uniform(n, -4, 4), desk.uniform(n, 0, 1)];
        const [loss, dy] = [desk.output(rows), desk.output(n)];
        const check = () => {
          const expected = losses.elementwise(term, desk.floats(y, n), desk.floats(target, n), rows, columns, 0.5);
          const tolerance = { roundings: columns };
          expectClose(kernel, "loss", desk.floats(loss, rows), { ...expected.loss, tolerance });
          expectClose(kernel, "dy", desk.floats(dy, n), { ...expected.dy, tolerance });
        };
        return { args: [loss, dy, y, target, rows, columns, ...parameters, 0.5, 0, rows], check };
      });
    },
  };
}

/** Softmax cross-entropy against probability rows with label smoothing. */
export function softmaxCrossEntropyWeighted(rows: number, classes: number): BenchCase {
  const n = rows * classes;
  return {
    name: `softmaxCrossEntropyWeighted ${rows}x${classes}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [1, 2, 3] },
    prepare: (desk) =>
      twice(desk.kernels.softmaxCrossEntropyWeighted, () => {
        const [logits, targets] = [desk.uniform(n, -5, 5), desk.uniform(n, 0, 1)];
        const [loss, dLogits] = [desk.output(rows), desk.output(n)];
        const check = () => {
          const inputs = [desk.floats(logits, n), desk.floats(targets, n)] as const;
          const expected = losses.softmaxCrossEntropyWeighted(...inputs, undefined, rows, classes, 0.125, 0.5);
          const tolerance = { roundings: 2 * classes + 24 };
          const name = "softmaxCrossEntropyWeighted";
          expectClose(name, "loss", desk.floats(loss, rows), { ...expected.loss, tolerance });
          expectClose(name, "dLogits", desk.floats(dLogits, n), { ...expected.dLogits, tolerance });
        };
        const strides = [classes, classes, classes];
        return {
          args: [loss, dLogits, logits, targets, 0, rows, classes, ...strides, 1, 0, 0.125, 0.5, 0, rows],
          check,
        };
      }),
  };
}

/** w ← w − learningRate·dw: reads w and dw, writes w. */
export function sgd(n: number): BenchCase {
  return {
    name: `sgd ${n}`,
    unit: "GB/s",
    amount: 3 * 4 * n,
    limit: { stream: "axpy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels.sgd, () => {
        const [w, dw] = [desk.uniform(n), desk.uniform(n)];
        const before = desk.floats(w, n);
        const rate = f32(1e-6); // however often the case runs, the weights stay of this order
        const check = () => {
          const gradient = desk.floats(dw, n);
          const steps = Array.from(before, (value, i) => optimizers.sgd(value, gradient[i] ?? NaN, rate, 0, 0));
          const [values, magnitude] = [steps.map((step) => step.w), steps.map((step) => step.wMagnitude)];
          expectClose("sgd", "w", desk.floats(w, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [w, dw, n, rate, 0, 0], check };
      }),
  };
}

/** Reads w, m, v and dw, writes w, m and v: a pass in place over the three that it writes is the least it could do. */
export function adam(n: number, kernel: "adam" | "adamW" = "adam"): BenchCase {
  const bytes = 7 * 4 * n;
  return {
    name: `${kernel} ${n}`,
    unit: "GB/s",
    amount: bytes,
    limit: { stream: "inPlace", length: 3 * 4 * n },
    prepare: (desk) =>
      twice(desk.kernels[kernel], () => {
        const [w, dw] = [desk.uniform(n), desk.uniform(n)];
        const [m, v] = [desk.uniform(n), desk.uniform(n, 0, 1)];
        const before = [desk.floats(w, n), desk.floats(m, n), desk.floats(v, n), desk.floats(dw, n)] as const;
        // As float32, which the kernel takes: 1 − 0.999 would differ in its fifth digit. adamW: no decay, the longer loop.
        const decay = kernel === "adam" ? 0 : f32(1 - 1e-7);
        const settings = [f32(1e-6), f32(0.9), f32(0.999), f32(1e-8), 1, decay, 0] as const;
        const check = () => {
          const [w0, m0, v0, dw0] = before;
          const steps = Array.from(w0, (value, i) => {
            return optimizers[kernel](value, m0[i] ?? NaN, v0[i] ?? NaN, dw0[i] ?? NaN, ...settings);
          });
          const [values, magnitude] = [steps.map((step) => step.w), steps.map((step) => step.wMagnitude)];
          expectClose(kernel, "w", desk.floats(w, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [w, m, v, dw, n, ...settings], check };
      }),
  };
}

/** n standard normal numbers; checked by their first four moments, which no other generator's bits could be compared with. */
export function philoxNormal(n: number): BenchCase {
  return {
    name: `philoxNormal ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "write", length: 4 * n, arrays: [0] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.philoxNormal, () => {
        const out = desk.output(n);
        const check = () => {
          const values = desk.floats(out, n);
          // E[zᵖ] is 0, 1, 0, 3, and the variance of a mean of zᵖ is (E[z²ᵖ] − E[zᵖ]²) / n.
          for (const [power, moment, variance] of [
            [1, 0, 1],
            [2, 1, 2],
            [3, 0, 15],
            [4, 3, 96],
          ] as const) {
            const mean = values.reduce((sum, value) => sum + value ** power, 0) / n;
            if (!(Math.abs(mean - moment) < 5 * Math.sqrt(variance / n))) {
              throw new Error(`the mean of z^${power} is ${mean}, expected ${moment}.`);
            }
          }
        };
        return { args: [out, n, 1, 0, stream++, 0, 0, 0, 0, 1], check };
      });
    },
  };
}

/** Random rows of a table of 4-byte elements: reads and writes each byte of the batch. */
export function gatherRows(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `gatherRows ${rows}x${columns}`,
    unit: "GB/s",
    amount: 2 * 4 * n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels.gatherRows, () => {
        const x = desk.uniform(2 * n);
        const index = desk.distinct(rows, 2 * rows);
        const y = desk.output(n);
        const check = () => {
          const values = data.gatherRows(desk.floats(x, 2 * n), desk.ints(index, rows), rows, columns);
          expectClose("gatherRows", "y", desk.floats(y, n), { values, tolerance: "exact" });
        };
        return { args: [y, x, index, rows, columns], check };
      }),
  };
}

/** Random rows of a table of bytes, scaled to floats: reads one byte and writes four. */
export function gatherRowsUint8(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `gatherRowsUint8 ${rows}x${columns}`,
    unit: "GB/s",
    amount: 5 * n,
    limit: { stream: "write", length: 4 * n, arrays: [0] },
    prepare: (desk) =>
      twice(desk.kernels.gatherRowsUint8, () => {
        const x = desk.bytes(2 * n);
        const index = desk.distinct(rows, 2 * rows);
        const y = desk.output(n);
        const check = () => {
          const bytes = desk.runtime.heapU8.slice(x, x + 2 * n);
          const gathered = data.gatherRows(bytes, desk.ints(index, rows), rows, columns);
          const values = gathered.map((value) => data.uint8ToFloat32(value, 1 / 255, 0));
          expectClose("gatherRowsUint8", "y", desk.floats(y, n), { values, magnitude: values, tolerance: FEW });
        };
        return { args: [y, x, index, rows, columns, 1 / 255, 0], check };
      }),
  };
}

/** y = gamma·(x − mean)/√(variance + eps) + beta with running statistics. */
export function batchNormInference(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `batchNorm inference ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) => {
      const work = desk.output(Math.max(1, desk.kernels.batchNormWorkSize(rows, columns)));
      return twice(desk.kernels.batchNormInference, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const [mean, variance] = [desk.uniform(columns), desk.uniform(columns, 0.5, 1.5)];
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const args = [y, x, mean, variance, gamma, beta, rows, columns, columns, columns, EPS, 0, 0, rows, work];
        const check = () => {
          const statistics = {
            mean: Float64Array.from(desk.floats(mean, columns)),
            variance: Float64Array.from(desk.floats(variance, columns)),
            spread: new Float64Array(columns).fill(2),
          };
          const [scales, shifts] = [desk.floats(gamma, columns), desk.floats(beta, columns)];
          const input = desk.floats(x, n);
          const expected = normalization.normalize(input, statistics, scales, shifts, rows, columns, EPS, false);
          expectClose("batchNormInference", "y", desk.floats(y, n), { ...expected, tolerance: { roundings: 16 } });
        };
        return { args, check };
      });
    },
  };
}

/** Squared errors of every row and their gradient. */
export function meanSquaredError(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `meanSquaredError ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [1, 2, 3] },
    prepare: (desk) =>
      twice(desk.kernels.meanSquaredError, () => {
        const [y, target] = [desk.uniform(n), desk.uniform(n)];
        const [loss, dy] = [desk.output(rows), desk.output(n)];
        const check = () => {
          const expected = losses.meanSquaredError(
            desk.floats(y, n),
            desk.floats(target, n),
            rows,
            columns,
            f32(2 / n),
          );
          const tolerance = { roundings: columns + 8 };
          const actual = desk.floats(loss, rows);
          expectClose("meanSquaredError", "loss", actual, {
            values: expected.loss,
            magnitude: expected.loss,
            tolerance,
          });
          const magnitude = expected.dy.map(() => 4 / n);
          expectClose("meanSquaredError", "dy", desk.floats(dy, n), { values: expected.dy, magnitude, tolerance: FEW });
        };
        return { args: [loss, dy, y, target, rows, columns, f32(2 / n), 0, rows], check };
      }),
  };
}

/** The sum of every column, the gradient of a bias. */
export function columnSums(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `columnSums ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "read", length: 4 * n, arrays: [1] },
    prepare: (desk) =>
      twice(desk.kernels.columnSums, () => {
        const [x, out] = [desk.uniform(n), desk.output(columns)];
        const check = () => {
          const expected = reductions.columnSums(desk.floats(x, n), rows, columns, null);
          expectClose("columnSums", "out", desk.floats(out, columns), { ...expected, tolerance: { roundings: rows } });
        };
        return { args: [out, x, rows, columns, columns, 0, 0, columns], check };
      }),
  };
}

/** The column of every row's maximum. */
export function argmaxRows(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `argmaxRows ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "read", length: 4 * n, arrays: [1] },
    prepare: (desk) =>
      twice(desk.kernels.argmaxRows, () => {
        const [x, index] = [desk.uniform(n), desk.output(rows)];
        const check = () => {
          const values = reductions.argmaxRows(desk.floats(x, n), rows, columns);
          expectClose("argmaxRows", "index", desk.ints(index, rows), { values, tolerance: "exact" });
        };
        return { args: [index, x, rows, columns, columns, 0, rows], check };
      }),
  };
}

/** v ← momentum·v + dw, w ← w − learningRate·v: a pass in place over the two that it writes is the least it could do. */
export function sgdMomentum(n: number, kernel: "sgdMomentum" | "sgdNesterov" = "sgdMomentum"): BenchCase {
  return oneState(kernel, n, [f32(1e-6), f32(0.9), 0, 0], optimizers[kernel]);
}

/** s ← alpha·s + (1 − alpha)·dw², w ← w − learningRate·dw / (√s + eps): as sgdMomentum. */
export function rmsprop(n: number): BenchCase {
  return oneState("rmsprop", n, [f32(1e-6), f32(0.99), f32(1e-8), 0, 0], optimizers.rmsprop);
}

/** s ← s + dw², w ← w − learningRate·dw / (√s + eps): as sgdMomentum. */
export function adagrad(n: number): BenchCase {
  return oneState("adagrad", n, [f32(1e-6), f32(1e-10), 0, 0], optimizers.adagrad);
}

/** A step with one slab of state: reads w, the state and dw, writes w and the state. */
function oneState<Settings extends number[]>(
  kernel: "sgdMomentum" | "sgdNesterov" | "rmsprop" | "adagrad",
  n: number,
  settings: Settings,
  step: (w: number, state: number, dw: number, ...settings: Settings) => optimizers.Step,
): BenchCase {
  const bytes = 5 * 4 * n;
  return {
    name: `${kernel} ${n}`,
    unit: "GB/s",
    amount: bytes,
    limit: { stream: "inPlace", length: 2 * 4 * n },
    prepare: (desk) => {
      const run: (...args: number[]) => unknown = desk.kernels[kernel];
      return twice(run, () => {
        const [w, state, dw] = [desk.uniform(n), desk.uniform(n, 0, 1), desk.uniform(n)];
        const [w0, state0] = [desk.floats(w, n), desk.floats(state, n)];
        const check = () => {
          const gradient = desk.floats(dw, n);
          const steps = Array.from(w0, (value, i) => step(value, state0[i] ?? NaN, gradient[i] ?? NaN, ...settings));
          const [values, magnitude] = [steps.map((next) => next.w), steps.map((next) => next.wMagnitude)];
          expectClose(kernel, "w", desk.floats(w, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [w, state, dw, n, ...settings], check };
      });
    },
  };
}

/** Σ x² in parts: reads x. */
export function sumOfSquares(n: number): BenchCase {
  return {
    name: `sumOfSquares ${n}`,
    unit: "GB/s",
    amount: 4 * n,
    limit: { stream: "read", length: 4 * n, arrays: [1] },
    prepare: (desk) => {
      const parts = desk.kernels.sumOfSquaresSize(n);
      return twice(desk.kernels.sumOfSquares, () => {
        const [x, out] = [desk.uniform(n), desk.output(2 * parts)];
        const check = () => {
          const sum = new Float64Array(desk.floats(out, 2 * parts).buffer).reduce((total, part) => total + part, 0);
          const expected = desk.floats(x, n).reduce((total: number, value) => total + value * value, 0);
          if (Math.abs(sum / expected - 1) > 1e-12) throw new Error(`sumOfSquares: ${sum}, expected ${expected}.`);
        };
        return { args: [out, x, n, 0, parts], check };
      });
    },
  };
}

/** y ← x · 0 or 2 x, each half of the time: checked by which elements are 0 and what the others are. */
export function dropout(n: number): BenchCase {
  return {
    name: `dropout ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.dropout, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const check = () => {
          const [inputs, outputs] = [desk.floats(x, n), desk.floats(y, n)];
          const kept = outputs.filter((value) => value !== 0).length;
          if (Math.abs(kept - n / 2) > 3 * Math.sqrt(n)) throw new Error(`dropout: ${kept} of ${n} are kept.`);
          const values = inputs.map((value, i) => (outputs[i] === 0 ? value * 0 : value * 2));
          expectClose("dropout", "y", outputs, { values, tolerance: "exact" });
        };
        return { args: [y, x, n, 1, 0, stream++, 0, 0, 0, 0.5, 0, n], check };
      });
    },
  };
}

/** n uniform numbers in [0, 1), checked by their mean and range. */
export function philoxUniform(n: number): BenchCase {
  return {
    name: `philoxUniform ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "write", length: 4 * n, arrays: [0] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.philoxUniform, () => {
        const out = desk.output(n);
        const check = () => {
          const values = desk.floats(out, n);
          const mean = values.reduce((sum, value) => sum + value, 0) / n;
          if (!(Math.abs(mean - 0.5) < 5 / Math.sqrt(12 * n)) || values.some((value) => !(value >= 0 && value < 1))) {
            throw new Error(`uniform numbers in [0, 1) have the mean ${mean}, or some lie outside.`);
          }
        };
        return { args: [out, n, 1, 0, stream++, 0, 0, 0, 0, 1], check };
      });
    },
  };
}

/** A shuffle of 0 … n − 1: reads and writes a place for each element. */
export function philoxPermutation(n: number): BenchCase {
  return {
    name: `philoxPermutation ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "inPlace", length: 4 * n, arrays: [0] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.philoxPermutation, () => {
        const out = desk.output(n);
        const check = () => {
          const values = Int32Array.from({ length: n }, (_, i) => i);
          expectClose("philoxPermutation", "sorted", desk.ints(out, n).slice().sort(), { values, tolerance: "exact" });
        };
        return { args: [out, n, 1, 0, stream++, 0], check };
      });
    },
  };
}

/** C = A·B with a B that was packed beforehand: the product alone. Counts 2mnk operations. */
export function sgemmPrepacked(m: number, n: number, k: number): BenchCase {
  const flops = 2 * m * n * k;
  return {
    name: `sgemm prepacked ${m}x${n}x${k}`,
    unit: "GFLOP/s",
    amount: flops,
    limit: { flops },
    prepare: (desk) => {
      const { sgemmPrepacked: run, sgemmPackB, sgemmPackedSize, sgemmWorkSize } = desk.kernels;
      const work = desk.output(sgemmWorkSize(m, n, k));
      return twice(run, () => {
        const [a, b, c] = [desk.uniform(m * k), desk.uniform(k * n), desk.output(m * n)];
        const packed = desk.output(sgemmPackedSize(n, k));
        sgemmPackB(packed, b, n, k, n, 1);
        const check = () => {
          const rows = Math.min(m, 4);
          const expected = matmul(rows, n, k, desk.floats(a, rows * k), desk.floats(b, k * n), [], [], 1, 0, 0);
          expectClose("sgemmPrepacked", "c", desk.floats(c, rows * n), {
            ...expected,
            tolerance: { roundings: k + 8 },
          });
        };
        return { args: [c, a, packed, 0, m, n, k, n, 1, k, 1, 1, 0, 0, 0, m, work], check };
      });
    },
  };
}

/** `batch` products of one shape, one behind the other. */
export function sgemmStridedBatched(batch: number, m: number, n: number, k: number): BenchCase {
  const flops = 2 * batch * m * n * k;
  return {
    name: `sgemm batched ${batch} of ${m}x${n}x${k}`,
    unit: "GFLOP/s",
    amount: flops,
    limit: { flops },
    prepare: (desk) => {
      const work = desk.output(desk.kernels.sgemmWorkSize(m, n, k));
      return twice(desk.kernels.sgemmStridedBatched, () => {
        const [a, b, c] = [desk.uniform(batch * m * k), desk.uniform(batch * k * n), desk.output(batch * m * n)];
        const strides = [n, 1, k, 1, n, 1, m * n, m * k, k * n];
        const check = () => {
          const [A, B, C] = [
            desk.floats(a, batch * m * k),
            desk.floats(b, batch * k * n),
            desk.floats(c, batch * m * n),
          ];
          for (const i of [0, batch - 1]) {
            const [left, right] = [A.subarray(i * m * k, (i + 1) * m * k), B.subarray(i * k * n, (i + 1) * k * n)];
            const expected = matmul(m, n, k, left, right, [], [], 1, 0, 0);
            const actual = C.subarray(i * m * n, (i + 1) * m * n);
            expectClose(`product ${i}`, "c", actual, { ...expected, tolerance: { roundings: k + 8 } });
          }
        };
        return { args: [c, a, b, 0, m, n, k, ...strides, 1, 0, 0, 0, batch, work], check };
      });
    },
  };
}
