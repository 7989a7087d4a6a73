import type { Accumulated } from "../reference/matmul.js";
import type { Expectation, Tolerance } from "./compare.js";

/** Where a rows×columns matrix lies in an array that is just long enough for its strides (in elements, any sign). */
export class Layout {
  readonly origin: number;
  readonly length: number;

  constructor(
    readonly rows: number,
    readonly columns: number,
    readonly rowStride: number = columns,
    readonly columnStride: number = 1,
  ) {
    const down = (Math.max(rows, 1) - 1) * rowStride;
    const across = (Math.max(columns, 1) - 1) * columnStride;
    this.origin = -Math.min(0, down) - Math.min(0, across);
    this.length = rows > 0 && columns > 0 ? Math.abs(down) + Math.abs(across) + 1 : 0;
  }

  index(i: number, j: number): number {
    return this.origin + i * this.rowStride + j * this.columnStride;
  }

  /** The array with `values` (row-major) at the matrix's elements and `gap` between them. */
  spread(values: ArrayLike<number>, gap = NaN): Float64Array {
    const array = new Float64Array(this.length).fill(gap);
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < this.columns; j++) array[this.index(i, j)] = values[i * this.columns + j]!;
    }
    return array;
  }

  /** The same as a kernel's operand. */
  place(values: ArrayLike<number>, gap = NaN): Float32Array {
    return Float32Array.from(this.spread(values, gap));
  }

  /** What the array must hold after a kernel wrote the rows and columns of a band, and nothing else. */
  expect({ values, magnitude }: Accumulated, tolerance: Tolerance, rows: Range, columns: Range): Expectation {
    const covered = new Uint8Array(this.length);
    for (let i = rows[0]; i < rows[1]; i++) {
      for (let j = columns[0]; j < columns[1]; j++) covered[this.index(i, j)] = 1;
    }
    return {
      values: this.spread(values),
      magnitude: this.spread(magnitude),
      tolerance,
      covers: (index) => covered[index] === 1,
    };
  }
}

/** From the first to before the second. */
export type Range = readonly [number, number];
