/** Derivatives of float64 functions by central differences: what the graph's are held to. */

/** Arrays in, one number out. */
export type ScalarFunction = (inputs: readonly Float64Array[]) => number;

/** A first difference is off by h² of the third derivative and by 2⁻⁵³ / h: least near h = 2⁻¹⁷. */
const FIRST_STEP = 2 ** -17;
/** A second one by h² and 2⁻⁵³ / h². */
const SECOND_STEP = 2 ** -12;

/** f at inputs + Σ step · direction. */
function at(
  f: ScalarFunction,
  inputs: readonly Float64Array[],
  ...moves: readonly [step: number, direction: readonly Float64Array[]][]
): number {
  return f(
    inputs.map((input, k) =>
      input.map((value, i) => moves.reduce((sum, [step, direction]) => sum + step * direction[k]![i]!, value)),
    ),
  );
}

/** An array for each input, of zeros but for a one. */
function unit(inputs: readonly Float64Array[], input: number, index: number): Float64Array[] {
  return inputs.map(({ length }, k) => Float64Array.from({ length }, (_, i) => (k === input && i === index ? 1 : 0)));
}

/** ∂f/∂x for every element of every input. */
export function gradient(f: ScalarFunction, inputs: readonly Float64Array[]): Float64Array[] {
  const h = FIRST_STEP;
  return inputs.map((input, k) =>
    input.map((_, i) => {
      const direction = unit(inputs, k, i);
      return (at(f, inputs, [h, direction]) - at(f, inputs, [-h, direction])) / (2 * h);
    }),
  );
}

/** H·v: how the gradient changes along v. */
export function hessianVectorProduct(
  f: ScalarFunction,
  inputs: readonly Float64Array[],
  v: readonly Float64Array[],
): Float64Array[] {
  const h = SECOND_STEP;
  return inputs.map((input, k) =>
    input.map((_, i) => {
      const u = unit(inputs, k, i);
      const value = (a: number, b: number) => at(f, inputs, [a * h, u], [b * h, v]);
      return (value(1, 1) - value(1, -1) - value(-1, 1) + value(-1, -1)) / (4 * h * h);
    }),
  );
}
