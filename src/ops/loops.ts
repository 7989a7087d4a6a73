/** How kernels over matrices walk over tensors of any rank: as few matrices as the strides allow. */

/** Dimensions that are one loop; how many elements each operand moves on by in it. */
export interface Loop {
  size: number;
  readonly strides: readonly number[];
}

/** The strides of a row-major tensor among `rank` dimensions, of which it has the last; 0 where it has one element to repeat. */
export function stridesOf(shape: readonly number[], rank: number = shape.length): number[] {
  const strides = new Array<number>(rank).fill(0);
  let step = 1;
  for (let back = 1; back <= shape.length; back++) {
    const size = shape[shape.length - back] as number;
    if (size !== 1) strides[rank - back] = step;
    step *= size;
  }
  return strides;
}

/** The loops over `shape` for operands with these strides, the fastest first; dimensions that run on in all are one loop. */
export function loopsOf(shape: readonly number[], operands: readonly (readonly number[])[]): Loop[] {
  const loops: Loop[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size === 1) continue;
    const strides = operands.map((operand) => operand[axis] as number);
    const inner = loops.at(-1);
    if (inner && strides.every((stride, i) => stride === (inner.strides[i] as number) * inner.size)) inner.size *= size;
    else loops.push({ size, strides });
  }
  return loops;
}

/** Calls `run` with the operands' addresses at every place that `loops` come to, 4 bytes an element. */
export function forEachPlace(
  loops: readonly Loop[],
  addresses: readonly number[],
  run: (addresses: readonly number[]) => void,
): void {
  const loop = loops.at(-1);
  if (loop === undefined) {
    run(addresses);
    return;
  }
  const inner = loops.slice(0, -1);
  for (let i = 0; i < loop.size; i++) {
    const at = addresses.map((address, operand) => address + 4 * i * (loop.strides[operand] as number));
    forEachPlace(inner, at, run);
  }
}
