/** The kernels y = f(x): what each computes, and how near it comes over all float32. */
import type { KernelName } from "../support/kernels.js";
import * as activations from "./activations.js";

export interface UnaryKernel {
  reference: (x: number) => number;
  tolerance: "exact" | { ulp: number };
  /** What the kernel takes behind y, x and n. */
  scalars: readonly number[];
  /** Where f is neither constant nor x alone. */
  range: readonly [low: number, high: number];
}

/** The lecture's "very leaky" ReLU. */
const SLOPE = Math.fround(1 / 3);

const FACTOR = Math.fround(-0.3);

export const UNARY = {
  relu: { reference: activations.relu, tolerance: "exact", scalars: [], range: [-4, 4] },
  leakyRelu: {
    reference: (x) => activations.leakyRelu(x, SLOPE),
    tolerance: "exact",
    scalars: [SLOPE],
    range: [-4, 4],
  },
  elu: { reference: (x) => activations.elu(x, 1), tolerance: { ulp: 2 }, scalars: [1], range: [-20, 1] },
  sigmoid: { reference: activations.sigmoid, tolerance: { ulp: 2 }, scalars: [], range: [-105, 20] },
  softplus: { reference: activations.softplus, tolerance: { ulp: 3 }, scalars: [], range: [-105, 20] },
  silu: { reference: activations.silu, tolerance: { ulp: 3 }, scalars: [], range: [-110, 20] },
  tanh: { reference: Math.tanh, tolerance: { ulp: 2 }, scalars: [], range: [-4, 4] },
  exp: { reference: Math.exp, tolerance: { ulp: 1 }, scalars: [], range: [-104, 89] },
  log: { reference: Math.log, tolerance: { ulp: 1 }, scalars: [], range: [0.5, 2] },
  scale: { reference: (x) => FACTOR * x, tolerance: "exact", scalars: [FACTOR], range: [-4, 4] },
  clamp: {
    reference: (x) => (x < -1.5 ? -1.5 : x > 0.5 ? 0.5 : x),
    tolerance: "exact",
    scalars: [-1.5, 0.5],
    range: [-2, 1],
  },
} satisfies Partial<Record<KernelName, UnaryKernel>>;

export type UnaryName = keyof typeof UNARY;
