/** y = x·scale + shift. */
export function uint8ToFloat32(x: number, scale: number, shift: number): number {
  return x * scale + shift;
}

/** Row i of the result is row index[i] of x (columns elements each). */
export function gatherRows(
  x: ArrayLike<number>,
  index: ArrayLike<number>,
  rows: number,
  columns: number,
): Float64Array {
  const y = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) y[i * columns + j] = x[index[i]! * columns + j]!;
  }
  return y;
}

/** y with row i of x added to its row index[i], in the order of i, each sum rounded to float32. */
export function scatterAddRows(
  y: ArrayLike<number>,
  x: ArrayLike<number>,
  index: ArrayLike<number>,
  columns: number,
): Float32Array {
  const sums = Float32Array.from(y);
  for (let i = 0; i < index.length; i++) {
    for (let j = 0; j < columns; j++) sums[index[i]! * columns + j]! += x[i * columns + j]!;
  }
  return sums;
}

/** Element (j, i) of the result is x[i, j]; x is rows × columns. */
export function transpose(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const y = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) y[j * rows + i] = x[i * columns + j]!;
  }
  return y;
}
