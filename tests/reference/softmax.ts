import type { Accumulated } from "./matmul.js";

/** For each row: its maximum and Σ exp(x − maximum), or NaN for both. */
function statistics(x: ArrayLike<number>, row: number, columns: number): { maximum: number; sum: number } {
  let maximum = -Infinity;
  for (let j = 0; j < columns; j++) maximum = Math.max(maximum, x[row + j]!);
  let sum = 0;
  for (let j = 0; j < columns; j++) sum += Math.exp(x[row + j]! - maximum);
  return { maximum, sum };
}

/** Fills `values` and `magnitude` element by element. */
function accumulate(length: number, element: (at: number) => readonly [value: number, magnitude: number]): Accumulated {
  const values = new Float64Array(length);
  const magnitude = new Float64Array(length);
  for (let at = 0; at < length; at++) [values[at], magnitude[at]] = element(at) as [number, number];
  return { values, magnitude };
}

/** exp(x) / Σ exp(x) by rows. A rounding of the distance d to the maximum changes exp(d) by |d| of its own size. */
export function softmax(x: ArrayLike<number>, rows: number, columns: number): Accumulated {
  const all = Array.from({ length: rows }, (_, i) => statistics(x, i * columns, columns));
  return accumulate(rows * columns, (at) => {
    const { maximum, sum } = all[Math.floor(at / columns)]!;
    const distance = x[at]! - maximum;
    const probability = Math.exp(distance) / sum;
    return [probability, probability * (1 + Math.min(Math.abs(distance), 110))];
  });
}

/** x − ln Σ exp(x) by rows. */
export function logSoftmax(x: ArrayLike<number>, rows: number, columns: number): Accumulated {
  const all = Array.from({ length: rows }, (_, i) => statistics(x, i * columns, columns));
  return accumulate(rows * columns, (at) => {
    const { maximum, sum } = all[Math.floor(at / columns)]!;
    const distance = x[at]! - maximum;
    return [distance - Math.log(sum), Math.abs(distance) + Math.log(sum) + 1];
  });
}

/** y·(dy − Σ y·dy) by rows, where y = softmax(x). */
export function softmaxBackward(
  y: ArrayLike<number>,
  dy: ArrayLike<number>,
  rows: number,
  columns: number,
): Accumulated {
  const sums = Array.from({ length: rows }, (_, i) => {
    let [sum, magnitude] = [0, 0];
    for (let at = i * columns; at < (i + 1) * columns; at++) {
      sum += y[at]! * dy[at]!;
      magnitude += Math.abs(y[at]! * dy[at]!);
    }
    return { sum, magnitude };
  });
  return accumulate(rows * columns, (at) => {
    const { sum, magnitude } = sums[Math.floor(at / columns)]!;
    return [y[at]! * (dy[at]! - sum), Math.abs(y[at]!) * (Math.abs(dy[at]!) + magnitude)];
  });
}

/** dy − exp(y)·Σ dy by rows, where y = logSoftmax(x). */
export function logSoftmaxBackward(
  y: ArrayLike<number>,
  dy: ArrayLike<number>,
  rows: number,
  columns: number,
): Accumulated {
  const sums = Array.from({ length: rows }, (_, i) => {
    let [sum, magnitude] = [0, 0];
    for (let at = i * columns; at < (i + 1) * columns; at++) {
      sum += dy[at]!;
      magnitude += Math.abs(dy[at]!);
    }
    return { sum, magnitude };
  });
  return accumulate(rows * columns, (at) => {
    const { sum, magnitude } = sums[Math.floor(at / columns)]!;
    const probability = Math.exp(y[at]!);
    return [dy[at]! - probability * sum, Math.abs(dy[at]!) + probability * magnitude];
  });
}
