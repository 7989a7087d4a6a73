/** The kernels z = f(x, y): what each computes of two elements, and how near it comes. */
import type { Tolerance } from "../support/compare.js";
import type { KernelName } from "../support/kernels.js";

export interface BinaryKernel {
  readonly reference: (x: number, y: number) => number;
  readonly tolerance: Tolerance;
  /** What was accumulated, for a tolerance in roundings. */
  readonly magnitude?: (x: number, y: number) => number;
  /** What the kernel takes behind the strides. */
  readonly scalars: readonly number[];
}

/** x + alpha · y */
export function add(alpha: number): BinaryKernel {
  return {
    reference: (x, y) => x + alpha * y,
    tolerance: Math.abs(alpha) === 1 ? "exact" : { roundings: 2 },
    magnitude: (x, y) => Math.abs(x) + Math.abs(alpha * y),
    scalars: [alpha],
  };
}

/** 1 for true. */
const one = (truth: boolean) => (truth ? 1 : 0);

const exactly = (reference: (x: number, y: number) => number): BinaryKernel => ({
  reference,
  tolerance: "exact",
  scalars: [],
});

export const BINARY = {
  multiply: exactly((x, y) => x * y),
  divide: exactly((x, y) => x / y),
  // JavaScript's are IEEE's: NaN where one is NaN, and −0 below 0.
  minimum: exactly(Math.min),
  maximum: exactly(Math.max),
  equal: exactly((x, y) => one(x === y)),
  notEqual: exactly((x, y) => one(x !== y)),
  less: exactly((x, y) => one(x < y)),
  lessEqual: exactly((x, y) => one(x <= y)),
} satisfies Partial<Record<KernelName, BinaryKernel>>;

/** x where the condition is not 0 (NaN is not), else y. */
export function select(condition: number, x: number, y: number): number {
  return condition === 0 ? y : x;
}

/** f of the inputs' elements in every place of `shape`, to which they broadcast: their sizes are its own, or 1, from the last. */
export function broadcast(
  shape: readonly number[],
  inputs: readonly { readonly shape: readonly number[]; readonly values: ArrayLike<number> }[],
  f: (...elements: number[]) => number,
): Float64Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float64Array.from({ length: size }, (_, place) => {
    const elements = inputs.map((input) => {
      let [rest, step, at] = [place, 1, 0];
      for (let back = 1; back <= shape.length; back++) {
        const index = rest % shape[shape.length - back]!;
        rest = (rest - index) / shape[shape.length - back]!;
        const length = input.shape[input.shape.length - back] ?? 1;
        if (length > 1) at += index * step;
        step *= length;
      }
      return input.values[at]!;
    });
    return f(...elements);
  });
}
