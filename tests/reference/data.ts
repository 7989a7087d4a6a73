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
