/** Shapes that many kernels run in. */

/** Every count around a vector (4), an iteration of the loops (16, 32) and a few of both; none and less than none. */
export const COUNTS = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 129, 1027, -1,
];
export const counts = COUNTS.map((n) => ({ n }));

/** Widths and heights around every unrolling, rows with gaps, and a band. */
const matrices = [
  ...COUNTS.map((cols) => ({ rows: 5, cols, gap: 0 })),
  ...[0, 1, 2, 3, 31, 32, 33, 65, 200, -1].map((rows) => ({ rows, cols: 37, gap: 3 })),
];
export const columnBands = [
  ...matrices.map((shape) => ({ ...shape, colBegin: 0, colEnd: Math.max(shape.cols, 0) })),
  { rows: 40, cols: 70, gap: 1, colBegin: 3, colEnd: 66 },
  { rows: 40, cols: 70, gap: 1, colBegin: 9, colEnd: 9 },
];
export const rowBands = [
  ...matrices.map((shape) => ({ ...shape, rowBegin: 0, rowEnd: Math.max(shape.rows, 0) })),
  { rows: 40, cols: 10, gap: 0, rowBegin: 3, rowEnd: 38 },
  { rows: 9, cols: 21, gap: 2, rowBegin: 2, rowEnd: 7 },
  { rows: 9, cols: 21, gap: 2, rowBegin: 4, rowEnd: 4 },
];
