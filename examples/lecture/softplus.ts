/** softplus(x) = log(1 + exp(x)) through its gates, beside the fused kernel and the closed form exp(x) / (1 + exp(x)). */
import { add, exp, grad, log, softplus as fused, sum, type Operand, type Value } from "simdgrad/graph";
import type { Runtime } from "simdgrad";
import { show, type Claim, type Part } from "./claim.js";

/** b = exp(x), a = 1 + b, y = log(a). */
const byGates = (x: Operand): Value => log(add(1, exp(x)));

/** The greatest difference beside the expected value's size. */
function relative(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  return Array.from(actual).reduce((worst, value, i) => {
    return Math.max(worst, Math.abs(value - expected[i]!) / Math.abs(expected[i]!));
  }, 0);
}

export const softplus: Part = {
  name: "softplus",
  title: "Backpropagation example: softplus",
  run(runtime: Runtime) {
    // Where 1 + exp(x) neither loses exp(x) nor overflows.
    const points = Float64Array.from({ length: 201 }, (_, i) => Math.fround(-2 + (i * 90) / 200));
    const x = runtime.tensor(points);
    const value = points.map((x) => Math.log1p(Math.exp(x)));
    const slope = points.map((x) => Math.exp(x) / (1 + Math.exp(x)));
    const close = (lecture: string, actual: ArrayLike<number>, expected: ArrayLike<number>): Claim => {
      const worst = relative(actual, expected);
      return { lecture, measured: `relative difference at most ${show(worst)}`, holds: worst < 1e-6 };
    };
    const far = runtime.tensor([100, -80]);
    const [overflown = NaN, lost = NaN] = byGates(far).toArray();
    const [high = NaN, low = NaN] = fused(far).toArray();
    return {
      claims: [
        close("y by gates = closed form", byGates(x).toArray(), value),
        close("dy/dx by gates = exp(x) / (1 + exp(x))", grad((x) => sum(byGates(x)))(x).toArray(), slope),
        close("the fused kernel computes the same", fused(x).toArray(), value),
        close("and its gradient is the same", grad((x) => sum(fused(x)))(x).toArray(), slope),
        {
          lecture: "in float32 gates overflow beyond 88 and lose small results, the fused kernel does neither",
          measured: `at 100 gates give ${overflown}, the kernel ${high}; at −80 gates give ${lost}, the kernel ${show(low)}`,
          holds: overflown === Infinity && high === 100 && lost === 0 && Math.abs(low / Math.exp(-80) - 1) < 1e-6,
        },
      ],
    };
  },
};
