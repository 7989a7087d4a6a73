/** Rows that are picked, bytes that become floats. */
import * as data from "../../tests/reference/data.js";
import { expectClose } from "../../tests/support/compare.js";
import { FEW, twice, type BenchCase } from "./setup.js";

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

/** y = xᵀ: reads and writes each element. */
export function transpose(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `transpose ${rows}x${columns}`,
    unit: "GB/s",
    amount: 2 * 4 * n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels.transpose, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const check = () => {
          const values = data.transpose(desk.floats(x, n), rows, columns);
          expectClose("transpose", "y", desk.floats(y, n), { values, tolerance: "exact" });
        };
        return { args: [y, x, rows, columns, rows, columns], check };
      }),
  };
}

/** A matrix cut out of one of four times the columns: reads and writes each element. */
export function copyMatrix(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  const width = 4 * columns;
  return {
    name: `copyMatrix ${rows}x${columns}`,
    unit: "GB/s",
    amount: 2 * 4 * n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels.copyMatrix, () => {
        const [x, y] = [desk.uniform(rows * width), desk.output(n)];
        const check = () => {
          const from = desk.floats(x, rows * width);
          const values = Float32Array.from(
            { length: n },
            (_, i) => from[Math.floor(i / columns) * width + (i % columns)]!,
          );
          expectClose("copyMatrix", "y", desk.floats(y, n), { values, tolerance: "exact" });
        };
        return { args: [y, x, rows, columns, columns, width, 1], check };
      }),
  };
}

/** Rows added to random rows of a table: reads both and writes one. */
export function scatterAddRows(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `scatterAddRows ${rows}x${columns}`,
    unit: "GB/s",
    amount: 3 * 4 * n,
    limit: { stream: "axpy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) => {
      const { scatterAddRows: run } = desk.kernels;
      return twice(run, () => {
        const [x, y] = [desk.uniform(n), desk.output(2 * n)];
        desk.runtime.heapF32.fill(0, y >>> 2, (y >>> 2) + 2 * n);
        const index = desk.distinct(rows, 2 * rows);
        const check = () => {
          const places = desk.ints(index, rows);
          const values = data.scatterAddRows(new Float32Array(2 * n), desk.floats(x, n), places, columns);
          expectClose("scatterAddRows", "y", desk.floats(y, 2 * n), { values, tolerance: "exact" });
        };
        return { args: [y, x, index, rows, columns], check };
      });
    },
  };
}
