/** Activations and their derivatives, exp, log and the like. */
import * as activations from "../../tests/reference/activations.js";
import { expectUnary, UNARY, type UnaryKernel, type UnaryName } from "../../tests/reference/unary.js";
import { expectClose } from "../../tests/support/compare.js";
import { FEW, twice, type BenchCase } from "./setup.js";

/** y = f(x). */
export function unary(name: UnaryName, n: number, range: { low: number; high: number }): BenchCase {
  const kernel: UnaryKernel = UNARY[name];
  return {
    name: `${name} ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) => {
      const run: (...args: number[]) => void = desk.kernels[name];
      return twice(run, () => {
        const x = desk.uniform(n, range.low, range.high);
        const y = desk.output(n);
        const check = () => {
          expectClose(name, "y", desk.floats(y, n), expectUnary(kernel, desk.floats(x, n)));
        };
        return { args: [y, x, n, ...kernel.scalars], check };
      });
    },
  };
}

/** The derivatives, each with the most that it takes beside dy for the tolerance. */
const BACKWARD = {
  reluBackward: { reference: activations.reluBackward, scalars: [] },
  leakyReluBackward: { reference: (x, dy) => activations.leakyReluBackward(x, dy, 0.25), scalars: [0.25] },
  eluBackward: { reference: (y, dy) => activations.eluBackward(y, dy, 1), scalars: [1] },
  sigmoidBackward: { reference: activations.sigmoidBackward, scalars: [] },
  softplusBackward: { reference: activations.softplusBackward, scalars: [] },
  siluBackward: { reference: activations.siluBackward, scalars: [] },
  geluBackward: { reference: activations.geluBackward, scalars: [] },
  geluTanhBackward: { reference: activations.geluTanhBackward, scalars: [] },
  tanhBackward: { reference: activations.tanhBackward, scalars: [] },
} satisfies Record<string, { reference: (x: number, dy: number) => number; scalars: readonly number[] }>;

/** dx from dy and from x or y = f(x), which lies from `low` to 1. */
export function unaryBackward(name: keyof typeof BACKWARD, n: number, low = -1): BenchCase {
  const { reference, scalars } = BACKWARD[name];
  return {
    name: `${name} ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [0, 1, 2] },
    prepare: (desk) => {
      const run: (...args: number[]) => void = desk.kernels[name];
      return twice(run, () => {
        const x = desk.uniform(n, low, 1);
        const dy = desk.uniform(n);
        const dx = desk.output(n);
        const check = () => {
          const gradient = desk.floats(dy, n);
          const values = Float64Array.from(desk.floats(x, n), (value, i) => reference(value, gradient[i] ?? NaN));
          // No derivative here exceeds 2, nor do its terms.
          const magnitude = Float64Array.from(gradient, (value) => 2 * Math.abs(value));
          expectClose(name, "dx", desk.floats(dx, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [dx, x, dy, n, ...scalars], check };
      });
    },
  };
}
