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

/** Reductions of one line: of a row, of a column or of all. The magnitude is what a sum accumulates. */
export const REDUCTIONS = {
  sum: (line: readonly number[]) => ({ value: add(line), magnitude: add(line.map(Math.abs)) }),
  sumOfSquares: (line: readonly number[]) => {
    const value = add(line.map((x) => x * x));
    return { value, magnitude: value };
  },
  // JavaScript's propagate NaN.
  max: (line: readonly number[]) => ({ value: line.reduce((a, b) => Math.max(a, b), -Infinity), magnitude: 0 }),
  min: (line: readonly number[]) => ({ value: line.reduce((a, b) => Math.min(a, b), Infinity), magnitude: 0 }),
};

const add = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** A reduction of every row, or of every column, of x (rows × columns). */
export function reduce(
  kind: keyof typeof REDUCTIONS,
  along: "rows" | "columns",
  x: ArrayLike<number>,
  rows: number,
  columns: number,
): Accumulated {
  const [lines, length, down, across] = along === "rows" ? [rows, columns, columns, 1] : [columns, rows, 1, columns];
  const results = Array.from({ length: lines }, (_, i) =>
    REDUCTIONS[kind](Array.from({ length }, (_, j) => x[i * down + j * across]!)),
  );
  return {
    values: Float64Array.from(results, ({ value }) => value),
    magnitude: Float64Array.from(results, ({ magnitude }) => magnitude),
  };
}

/** Index of the first maximum of each column, as argmaxRows. */
export function argmaxColumns(x: ArrayLike<number>, rows: number, columns: number): Int32Array {
  const transposed = Float64Array.from({ length: rows * columns }, (_, at) => {
    return x[(at % rows) * columns + Math.floor(at / rows)]!;
  });
  return argmaxRows(transposed, columns, rows);
}
