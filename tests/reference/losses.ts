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
