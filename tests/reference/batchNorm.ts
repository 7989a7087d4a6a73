import type { Accumulated } from "./matmul.js";

/** Of each column of a rows×columns matrix (row-major, contiguous): mean, biased variance (1/m), greatest deviation. */
export interface Statistics {
  mean: Float64Array;
  variance: Float64Array;
  spread: Float64Array;
}

export function statistics(x: ArrayLike<number>, rows: number, columns: number): Statistics {
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  const spread = new Float64Array(columns);
  for (let j = 0; j < columns; j++) {
    // From the first row on, so that equal values have exactly their mean.
    for (let i = 0; i < rows; i++) mean[j]! += (x[i * columns + j]! - x[j]!) / rows;
    mean[j]! += rows > 0 ? x[j]! : 0;
    for (let i = 0; i < rows; i++) {
      const deviation = x[i * columns + j]! - mean[j]!;
      variance[j]! += deviation ** 2 / rows;
      spread[j] = Math.max(spread[j]!, Math.abs(deviation));
    }
  }
  return { mean, variance, spread };
}

/**
 * What the kernel columnStatistics makes: the mean, what its rounding lost (about 0: at most half a spacing; NaN − NaN is NaN), the
 * sum of squared deviations. Where a value is not finite, neither is the mean a number. A tile's differences are to one of its
 * rows, which lies within the column's spread.
 */
export function columnStatistics(x: ArrayLike<number>, rows: number, columns: number): Accumulated {
  const { mean, variance, spread } = statistics(x, rows, columns);
  const means = mean.map((value) => (Number.isFinite(value) ? value : NaN));
  const wide = spread.map((value) => rows * value ** 2);
  return {
    values: Float64Array.of(...means, ...means.map((value) => value - value), ...variance.map((value) => value * rows)),
    magnitude: Float64Array.of(
      ...means.map((value, j) => Math.abs(value) + spread[j]!),
      ...means.map(Math.abs),
      ...wide,
    ),
  };
}

/**
 * y = gamma·(x − mean)/√(variance + eps) + beta, then max(y, 0) when relu. An error of the mean is a part of the column's
 * spread, so that counts in the magnitude.
 */
export function normalize(
  x: ArrayLike<number>,
  { mean, variance, spread }: Statistics,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  rows: number,
  columns: number,
  eps: number,
  relu: boolean,
): Accumulated {
  const values = new Float64Array(rows * columns);
  const magnitude = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      const scale = gamma[j]! / Math.sqrt(variance[j]! + eps);
      const y = (x[at]! - mean[j]!) * scale + beta[j]!;
      values[at] = relu && y < 0 ? 0 : y;
      magnitude[at] = Math.abs(scale) * (Math.abs(x[at]! - mean[j]!) + spread[j]!) + Math.abs(beta[j]!);
    }
  }
  return { values, magnitude };
}

/** running ← (1 − momentum)·running + momentum·batch (PyTorch's meaning of momentum). */
export function updateRunning(running: number, batch: number, momentum: number): number {
  return (1 - momentum) * running + momentum * batch;
}

/** The variance that the running statistics take: m/(m − 1) of the biased one, or the biased one itself. */
export function runningVariance(variance: number, rows: number, unbiased: boolean): number {
  return unbiased && rows > 1 ? (variance * rows) / (rows - 1) : variance;
}

/**
 * With x̂ = (x − mean)/√(variance + eps): dBeta = Σdy, dGamma = Σdy·x̂,
 * dx = gamma/√(variance + eps)·(dy − dBeta/m − x̂·dGamma/m). dy must be masked already when ReLU is fused.
 */
export function batchNormBackward(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  { mean, variance, spread }: Statistics,
  gamma: ArrayLike<number>,
  rows: number,
  columns: number,
  eps: number,
): { dx: Accumulated; dGamma: Accumulated; dBeta: Accumulated } {
  const accumulated = (n: number): Accumulated => ({ values: new Float64Array(n), magnitude: new Float64Array(n) });
  const dx = accumulated(rows * columns);
  const dGamma = accumulated(columns);
  const dBeta = accumulated(columns);
  for (let j = 0; j < columns; j++) {
    const scale = 1 / Math.sqrt(variance[j]! + eps);
    for (let i = 0; i < rows; i++) {
      const at = i * columns + j;
      const xHat = (x[at]! - mean[j]!) * scale;
      const xHatMagnitude = Math.abs(xHat) + spread[j]! * scale;
      dBeta.values[j]! += dy[at]!;
      dBeta.magnitude[j]! += Math.abs(dy[at]!);
      dGamma.values[j]! += dy[at]! * xHat;
      dGamma.magnitude[j]! += Math.abs(dy[at]!) * xHatMagnitude;
    }
    for (let i = 0; i < rows; i++) {
      const at = i * columns + j;
      const xHat = (x[at]! - mean[j]!) * scale;
      dx.values[at] = gamma[j]! * scale * (dy[at]! - dBeta.values[j]! / rows - (xHat * dGamma.values[j]!) / rows);
      const xHatMagnitude = Math.abs(xHat) + spread[j]! * scale;
      dx.magnitude[at] =
        Math.abs(gamma[j]! * scale) *
        (Math.abs(dy[at]!) + dBeta.magnitude[j]! / rows + (xHatMagnitude * dGamma.magnitude[j]!) / rows);
    }
  }
  return { dx, dGamma, dBeta };
}
