import type { Accumulated } from "./matmul.js";

/** out[j] = Σ_i x[i, j] (+ out[j] when accumulating); x is rows×columns, row-major and contiguous. */
export function columnSums(
  x: ArrayLike<number>,
  rows: number,
  columns: number,
  start: ArrayLike<number> | null,
): Accumulated {
  const values = new Float64Array(columns);
  const magnitude = new Float64Array(columns);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) {
      values[j]! += x[i * columns + j]!;
      magnitude[j]! += Math.abs(x[i * columns + j]!);
    }
    if (start) {
      values[j]! += start[j]!;
      magnitude[j]! += Math.abs(start[j]!);
    }
  }
  return { values, magnitude };
}

/** Index of the first maximum of each row; the first NaN counts as the maximum, as in PyTorch. */
export function argmaxRows(x: ArrayLike<number>, rows: number, columns: number): Int32Array {
  const index = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    let best = x[i * columns]!;
    for (let j = 1; j < columns && !Number.isNaN(best); j++) {
      const value = x[i * columns + j]!;
      if (value > best || Number.isNaN(value)) {
        best = value;
        index[i] = j;
      }
    }
  }
  return index;
}

/** The sums of squares of `size` elements of x each, the last of what is left. */
export function sumOfSquares(x: ArrayLike<number>, size: number): Float64Array {
  const parts = new Float64Array(Math.ceil(x.length / size));
  for (let i = 0; i < x.length; i++) parts[Math.floor(i / size)]! += x[i]! * x[i]!;
  return parts;
}
