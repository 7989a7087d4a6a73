import type { Kernels } from "./runtime/kernels.js";

/** One value per example and the gradient of their mean; `targets` are int32 labels or float32 values. */
interface Loss {
  /** Class labels, one a row; or values, one for each output. */
  readonly targets: "labels" | "values";
  /** Over how many terms the mean runs. */
  terms(rows: number, cols: number): number;
  /** losses[i] ← the sum of row i's terms; dy ← ∂(mean)/∂y. */
  compute(kernels: Kernels, losses: number, dy: number, y: number, targets: number, rows: number, cols: number): void;
}

/** The losses that a model trains with, by name. */
export const LOSSES = {
  /** The mean over rows of −log softmax(y)[label]. */
  softmaxCrossEntropy: {
    targets: "labels",
    terms: (rows) => rows,
    compute(kernels, losses, dy, y, targets, rows, cols) {
      kernels.softmaxCrossEntropy(losses, dy, y, targets, rows, cols, cols, cols, 1 / rows, 0, rows);
    },
  },
  /** The mean over rows and columns of (y − target)². */
  meanSquaredError: {
    targets: "values",
    terms: (rows, cols) => rows * cols,
    compute(kernels, losses, dy, y, targets, rows, cols) {
      kernels.meanSquaredError(losses, dy, y, targets, rows, cols, 2 / (rows * cols), 0, rows);
    },
  },
} as const satisfies Record<string, Loss>;

export type LossName = keyof typeof LOSSES;

export const LOSS_NAMES = Object.keys(LOSSES) as readonly LossName[];

/** The sum of per-row losses, in float64 from the first to the last. */
export function sumLosses(heap: Float32Array, losses: number, rows: number): number {
  const begin = losses >>> 2;
  let sum = 0;
  for (let i = begin; i < begin + rows; i++) sum += heap[i] as number;
  return sum;
}
