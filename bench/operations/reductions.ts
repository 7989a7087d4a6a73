/** Sums and maxima. */
import * as reductions from "../../tests/reference/reductions.js";
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

/** The sum of every column, the gradient of a bias. */
export function columnSums(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `columnSums ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "read", length: 4 * n, arrays: [1] },
    prepare: (desk) => {
      const work = desk.output(Math.max(1, desk.kernels.columnSumsWorkSize(columns)));
      return twice(desk.kernels.columnSums, () => {
        const [x, out] = [desk.uniform(n), desk.output(columns)];
        const check = () => {
          const expected = reductions.columnSums(desk.floats(x, n), rows, columns, null);
          expectClose("columnSums", "out", desk.floats(out, columns), { ...expected, tolerance: { roundings: 34 } });
        };
        return { args: [out, x, rows, columns, columns, 0, 0, columns, work], check };
      });
    },
  };
}

/** A reduction of every row. */
export function rowwiseReduction(
  kernel: "rowSums" | "rowSumsOfSquares" | "rowMaxima",
  rows: number,
  columns: number,
): BenchCase {
  const n = rows * columns;
  const kind = ({ rowSums: "sum", rowSumsOfSquares: "sumOfSquares", rowMaxima: "max" } as const)[kernel];
  return {
    name: `${kernel} ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "read", length: 4 * n, arrays: [1] },
    prepare: (desk) =>
      twice(desk.kernels[kernel], () => {
        const [x, out] = [desk.uniform(n), desk.output(rows)];
        const check = () => {
          const expected = reductions.reduce(kind, "rows", desk.floats(x, n), rows, columns);
          expectClose(kernel, "out", desk.floats(out, rows), { ...expected, tolerance: { roundings: 48 } });
        };
        return { args: [out, x, rows, columns, columns, 0, rows], check };
      }),
  };
}

/** The greatest of every column. */
export function columnMaxima(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `columnMaxima ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "read", length: 4 * n, arrays: [1] },
    prepare: (desk) =>
      twice(desk.kernels.columnMaxima, () => {
        const [x, out] = [desk.uniform(n), desk.output(columns)];
        const check = () => {
          const { values } = reductions.reduce("max", "columns", desk.floats(x, n), rows, columns);
          expectClose("columnMaxima", "out", desk.floats(out, columns), { values, tolerance: "exact" });
        };
        return { args: [out, x, rows, columns, columns, 0, columns], check };
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
