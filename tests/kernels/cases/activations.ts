/** exp, log and the like, activations and their derivatives, over n elements. */
import * as activations from "../../reference/activations.js";
import { UNARY, expectUnary, type UnaryKernel } from "../../reference/unary.js";
import type { KernelName } from "../../support/kernels.js";
import { anyFloats, mixed, type Random } from "../../support/random.js";
import { nans } from "../calls.js";
import { counts } from "./shapes.js";
import { add } from "./table.js";

// Elementwise, one input: y ← f(x), with special values among those in a range, and among floats of any bits.

for (const [kernel, unary] of Object.entries<UnaryKernel>(UNARY)) {
  add(kernel as KernelName, {
    shapes: counts.flatMap(({ n }) => [
      { n, inputs: "in range" },
      { n, inputs: "any" },
    ]),
    call: ({ n, inputs }, random) => {
      const x = inputs === "any" ? anyFloats(random, n) : mixed(random, n, ...unary.range);
      return {
        operands: { y: { before: nans(x.length), after: expectUnary(unary, x) }, x: { before: x } },
        arguments: (p) => [p.y!, p.x!, n, ...unary.scalars],
      };
    },
    inPlace: [{ y: "x" }],
  });
}

// Elementwise, dx from dy and from x or y = f(x).

interface Backward {
  /** The operand beside dy. Where it is y, the values are those that f takes. */
  from: "x" | "y";
  values?: (random: Random, n: number) => Float32Array;
  /** The derivative times dy, and what was accumulated beside dy; exact without it. */
  reference: (x: number, dy: number) => number;
  magnitude?: (x: number) => number;
  roundings?: number;
  scalars?: number[];
}

function backward(kernel: KernelName, { from, values, reference, magnitude, roundings, scalars = [] }: Backward): void {
  add(kernel, {
    shapes: counts,
    call: ({ n }, random) => {
      const x = values?.(random, n) ?? mixed(random, n);
      const dy = magnitude ? mixed(random, n) : anyFloats(random, n);
      const expected = Array.from(x, (value, i) => reference(value, dy[i]!));
      const after = magnitude
        ? {
            values: expected,
            magnitude: Array.from(x, (value, i) => Math.abs(dy[i]!) * magnitude(value)),
            tolerance: { roundings: roundings! },
          }
        : { values: expected, tolerance: "exact" as const };
      return {
        operands: { dx: { before: nans(x.length), after }, [from]: { before: x }, dy: { before: dy } },
        arguments: (p) => [p.dx!, p[from]!, p.dy!, n, ...scalars],
      };
    },
    inPlace: [{ dx: from }, { dx: "dy" }],
  });
}

/** NaN or a value from low to high, special ones among them. */
const between = (low: number, high: number) => (random: Random, n: number) =>
  mixed(random, n, low, high).map((value) => (value < low ? low : value > high ? high : value));

backward("reluBackward", { from: "x", reference: activations.reluBackward });
for (const slope of [1 / 4, -2]) {
  backward("leakyReluBackward", {
    from: "x",
    reference: (x, dy) => activations.leakyReluBackward(x, dy, slope),
    scalars: [slope],
  });
}
backward("tanhBackward", {
  from: "y",
  values: between(-1, 1),
  reference: activations.tanhBackward,
  magnitude: (y) => 1 + y * y,
  roundings: 3,
});
backward("sigmoidBackward", {
  from: "y",
  values: between(0, 1),
  reference: activations.sigmoidBackward,
  magnitude: (y) => y,
  roundings: 3,
});
backward("eluBackward", {
  from: "y",
  values: between(-1.5, 20),
  reference: (y, dy) => activations.eluBackward(y, dy, 1.5),
  magnitude: (y) => (y > 0 ? 1 : 3),
  roundings: 2,
  scalars: [1.5],
});
backward("softplusBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -30, 30),
  reference: activations.softplusBackward,
  magnitude: activations.sigmoid,
  roundings: 6,
});
backward("siluBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -30, 30),
  reference: activations.siluBackward,
  magnitude: (x) => activations.sigmoid(x) * (1 + Math.abs(x)),
  roundings: 8,
});
backward("geluBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -5, 5),
  reference: activations.geluBackward,
  magnitude: (x) => activations.normal(x) + Math.abs(x) * Math.exp((-x * x) / 2),
  roundings: 8,
});
backward("geluTanhBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -6, 6),
  reference: activations.geluTanhBackward,
  magnitude: (x) => {
    const s = activations.sigmoid(activations.geluTanhArgument(x));
    return s * (1 + Math.min(Math.abs(x), 1e4) * (1.6 + 0.22 * Math.min(x * x, 1e8)));
  },
  roundings: 12,
});
