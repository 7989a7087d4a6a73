import type { Accumulated } from "./matmul.js";

/** Of each group of `size` neighbours (row after row, group after group): mean, biased variance (1/n), greatest deviation. */
export interface GroupStatistics {
  mean: Float64Array;
  variance: Float64Array;
  spread: Float64Array;
}

export function groupStatistics(x: ArrayLike<number>, size: number): GroupStatistics {
  const count = x.length / size;
  const mean = new Float64Array(count);
  const variance = new Float64Array(count);
  const spread = new Float64Array(count);
  for (let g = 0; g < count; g++) {
    const first = x[g * size]!; // so that the mean of equal values is exact
    for (let k = 0; k < size; k++) mean[g]! += (x[g * size + k]! - first) / size;
    mean[g]! += first;
    for (let k = 0; k < size; k++) {
      const deviation = x[g * size + k]! - mean[g]!;
      variance[g]! += deviation ** 2 / size;
      spread[g] = Math.max(spread[g]!, Math.abs(deviation));
    }
  }
  return { mean, variance, spread };
}

/**
 * y = gamma·(x − mean)/√(variance + eps) + beta by groups of cols/groups features of a row, rows×cols. An error of the mean
 * is a part of the group's spread, so that counts in the magnitude.
 */
export function groupNorm(
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  cols: number,
  groups: number,
  eps: number,
): Accumulated {
  const { mean, variance, spread } = groupStatistics(x, cols / groups);
  const values = new Float64Array(x.length);
  const magnitude = new Float64Array(x.length);
  for (let at = 0; at < x.length; at++) {
    const g = Math.floor(at / (cols / groups));
    const scale = gamma[at % cols]! / Math.sqrt(variance[g]! + eps);
    const deviation = x[at]! - mean[g]!;
    values[at] = deviation * scale + beta[at % cols]!;
    magnitude[at] = Math.abs(scale) * (Math.abs(deviation) + spread[g]!) + Math.abs(beta[at % cols]!);
  }
  return { values, magnitude };
}

/**
 * With x̂ = (x − mean)/√(variance + eps) and g = gamma·dy, n features a group: dx = (g − Σg/n − x̂·Σ(g·x̂)/n)/√(variance + eps)
 * with sums over the group; dGamma = Σdy·x̂ and dBeta = Σdy over the rows.
 */
export function groupNormBackward(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  cols: number,
  groups: number,
  eps: number,
): { dx: Accumulated; dGamma: Accumulated; dBeta: Accumulated } {
  const size = cols / groups;
  const { mean, variance, spread } = groupStatistics(x, size);
  const accumulated = (n: number): Accumulated => ({ values: new Float64Array(n), magnitude: new Float64Array(n) });
  const dx = accumulated(x.length);
  const dGamma = accumulated(cols);
  const dBeta = accumulated(cols);
  for (let first = 0; first < x.length; first += size) {
    const g = first / size;
    const scale = 1 / Math.sqrt(variance[g]! + eps);
    let [sum, product, sumMagnitude, productMagnitude] = [0, 0, 0, 0];
    for (let at = first; at < first + size; at++) {
      const j = at % cols;
      const xHat = (x[at]! - mean[g]!) * scale;
      const xHatMagnitude = Math.abs(xHat) + spread[g]! * scale;
      const gradient = gamma[j]! * dy[at]!;
      sum += gradient;
      product += gradient * xHat;
      sumMagnitude += Math.abs(gradient);
      productMagnitude += Math.abs(gradient) * xHatMagnitude;
      dBeta.values[j]! += dy[at]!;
      dBeta.magnitude[j]! += Math.abs(dy[at]!);
      dGamma.values[j]! += dy[at]! * xHat;
      dGamma.magnitude[j]! += Math.abs(dy[at]!) * xHatMagnitude;
    }
    for (let at = first; at < first + size; at++) {
      const xHat = (x[at]! - mean[g]!) * scale;
      const gradient = gamma[at % cols]! * dy[at]!;
      dx.values[at] = scale * (gradient - sum / size - (xHat * product) / size);
      const xHatMagnitude = Math.abs(xHat) + spread[g]! * scale;
      dx.magnitude[at] = scale * (Math.abs(gradient) + sumMagnitude / size + (xHatMagnitude * productMagnitude) / size);
    }
  }
  return { dx, dGamma, dBeta };
}
