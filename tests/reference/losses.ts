import type { Accumulated } from "./matmul.js";

/** loss[i] = −log softmax(logits_i)[label_i]; dLogits = (softmax − onehot)·scale. Both arrays are contiguous. */
export function softmaxCrossEntropy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  rows: number,
  columns: number,
  scale: number,
): { loss: Accumulated; dLogits: Accumulated } {
  const loss = { values: new Float64Array(rows), magnitude: new Float64Array(rows) };
  const dLogits = { values: new Float64Array(rows * columns), magnitude: new Float64Array(rows * columns) };
  for (let i = 0; i < rows; i++) {
    const row = i * columns;
    let maximum = -Infinity;
    for (let j = 0; j < columns; j++) maximum = Math.max(maximum, logits[row + j]!);
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Math.exp(logits[row + j]! - maximum);
    const label = logits[row + labels[i]!]! - maximum;
    loss.values[i] = Math.log(sum) - label;
    loss.magnitude[i] = 1 + Math.log(sum) + Math.abs(label);
    for (let j = 0; j < columns; j++) {
      const distance = logits[row + j]! - maximum;
      const probability = Math.exp(distance) / sum;
      const target = j === labels[i] ? 1 : 0;
      dLogits.values[row + j] = (probability - target) * scale;
      // A rounding of the distance d changes exp(d) by |d| of its own size.
      dLogits.magnitude[row + j] = (probability * (1 + Math.min(Math.abs(distance), 110)) + target) * Math.abs(scale);
    }
  }
  return { loss, dLogits };
}

/**
 * q = weight · ((1 − smoothing) t + smoothing / columns); loss[i] = −Σ q log softmax(logits_i), where q = 0 counts as 0;
 * dLogits = (softmax · Σ q − q) · scale.
 */
export function softmaxCrossEntropyWeighted(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  rows: number,
  columns: number,
  smoothing: number,
  scale: number,
): { loss: Accumulated; dLogits: Accumulated } {
  const loss = { values: new Float64Array(rows), magnitude: new Float64Array(rows) };
  const dLogits = { values: new Float64Array(rows * columns), magnitude: new Float64Array(rows * columns) };
  for (let i = 0; i < rows; i++) {
    const x = Array.from({ length: columns }, (_, j) => logits[i * columns + j]!);
    const q = x.map(
      (_, j) => (weights?.[j] ?? 1) * ((1 - smoothing) * targets[i * columns + j]! + smoothing / columns),
    );
    const maximum = Math.max(...x);
    const sum = x.reduce((total, value) => total + Math.exp(value - maximum), 0);
    const mass = q.reduce((total, value) => total + value, 0);
    x.forEach((value, j) => {
      if (q[j] === 0) return;
      loss.values[i]! += q[j]! * (Math.log(sum) + (maximum - value));
      loss.magnitude[i]! += Math.abs(q[j]!) * (1 + Math.log(sum) + Math.abs(maximum - value));
    });
    x.forEach((value, j) => {
      const probability = Math.exp(value - maximum) / sum;
      const distance = Math.min(Math.abs(value - maximum), 110);
      dLogits.values[i * columns + j] = (probability * mass - q[j]!) * scale;
      dLogits.magnitude[i * columns + j] = (probability * (1 + distance) * mass + q[j]!) * Math.abs(scale);
    });
  }
  return { loss, dLogits };
}

/** A loss of one element and its derivative, each with what its errors are measured by. */
export type Term = (
  y: number,
  t: number,
) => { value: number; magnitude: number; slope: number; slopeMagnitude: number };

export const absolute: Term = (y, t) => {
  const value = Math.abs(y - t);
  return { value, magnitude: value, slope: Math.sign(y - t), slopeMagnitude: 0 };
};

export const huber =
  (delta: number): Term =>
  (y, t) => {
    const size = Math.abs(y - t);
    const value = size <= delta ? size ** 2 / 2 : delta * (size - delta / 2);
    const slope = Math.sign(y - t) * Math.min(size, delta);
    return { value, magnitude: Math.min(size, delta) * size, slope, slopeMagnitude: Math.abs(slope) };
  };

/** −t log σ(y) − (1 − t) log(1 − σ(y)), from the smaller of σ(y) and 1 − σ(y), so that neither rounds to 1. */
export const logistic: Term = (y, t) => {
  const rest = Math.log1p(Math.exp(-Math.abs(y)));
  const [positive, negative] = y > 0 ? [rest, y + rest] : [rest - y, rest];
  const small = Math.exp(-Math.abs(y)) / (1 + Math.exp(-Math.abs(y)));
  const sigma = y > 0 ? 1 - small : small;
  const value = t * positive + (1 - t) * negative;
  return { value, magnitude: Math.abs(value) + Math.abs(y * t), slope: sigma - t, slopeMagnitude: sigma + Math.abs(t) };
};

/** loss[i] = Σ_j of a row's terms; dy = their derivatives · scale. */
export function elementwise(
  term: Term,
  y: ArrayLike<number>,
  target: ArrayLike<number>,
  rows: number,
  columns: number,
  scale: number,
): { loss: Accumulated; dy: Accumulated } {
  const loss = { values: new Float64Array(rows), magnitude: new Float64Array(rows) };
  const dy = { values: new Float64Array(rows * columns), magnitude: new Float64Array(rows * columns) };
  for (let at = 0; at < rows * columns; at++) {
    const i = Math.floor(at / columns);
    const { value, magnitude, slope, slopeMagnitude } = term(y[at]!, target[at]!);
    loss.values[i]! += value;
    loss.magnitude[i]! += magnitude;
    dy.values[at] = slope * scale;
    dy.magnitude[at] = slopeMagnitude * Math.abs(scale);
  }
  return { loss, dy };
}

/** loss[i] = Σ_j (y − t)²; dy = (y − t)·scale. */
export function meanSquaredError(
  y: ArrayLike<number>,
  target: ArrayLike<number>,
  rows: number,
  columns: number,
  scale: number,
): { loss: Float64Array; dy: Float64Array } {
  const loss = new Float64Array(rows);
  const dy = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = i * columns; j < (i + 1) * columns; j++) {
      const difference = y[j]! - target[j]!;
      loss[i]! += difference * difference;
      dy[j] = difference * scale;
    }
  }
  return { loss, dy };
}
