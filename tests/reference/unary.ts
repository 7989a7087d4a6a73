/** The kernels y = f(x): what each computes, and how near it comes over all float32. */
import type { Expectation, Tolerance } from "../support/compare.js";
import type { KernelName } from "../support/kernels.js";
import * as activations from "./activations.js";

export interface UnaryKernel {
  reference: (x: number) => number;
  tolerance: Tolerance;
  /** Where a tail is held to an absolute bound instead. */
  tail?: { readonly below: number; readonly absolute: number };
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
  gelu: {
    reference: activations.gelu,
    tolerance: { ulp: 3 },
    tail: { below: -5, absolute: 2 ** -30 },
    scalars: [],
    range: [-15, 6],
  },
  geluTanh: { reference: activations.geluTanh, tolerance: { ulp: 3 }, scalars: [], range: [-12, 6] },
  tanh: { reference: Math.tanh, tolerance: { ulp: 2 }, scalars: [], range: [-4, 4] },
  step: {
    reference: (x) => (Number.isNaN(x) ? NaN : x > 0 ? 1 : SLOPE),
    tolerance: "exact",
    scalars: [SLOPE],
    range: [-4, 4],
  },
  exp: { reference: Math.exp, tolerance: { ulp: 1 }, scalars: [], range: [-104, 89] },
  log: { reference: Math.log, tolerance: { ulp: 1 }, scalars: [], range: [0.5, 2] },
  scale: { reference: (x) => FACTOR * x, tolerance: "exact", scalars: [FACTOR], range: [-4, 4] },
  clamp: {
    reference: (x) => (x < -1.5 ? -1.5 : x > 0.5 ? 0.5 : x),
    tolerance: "exact",
    scalars: [-1.5, 0.5],
    range: [-2, 1],
  },
  abs: { reference: Math.abs, tolerance: "exact", scalars: [], range: [-4, 4] },
  // JavaScript's keeps −0 and NaN.
  sign: { reference: Math.sign, tolerance: "exact", scalars: [], range: [-4, 4] },
  sqrt: { reference: Math.sqrt, tolerance: "exact", scalars: [], range: [0, 4] },
  sin: { reference: activations.sin, tolerance: { ulp: 2 }, scalars: [], range: [-7, 7] },
  cos: { reference: activations.cos, tolerance: { ulp: 2 }, scalars: [], range: [-7, 7] },
} satisfies Partial<Record<KernelName, UnaryKernel>>;

export type UnaryName = keyof typeof UNARY;

/** What a kernel must make of x. */
export function expectUnary({ reference, tolerance, tail }: UnaryKernel, x: Float32Array): Expectation {
  const values = Float64Array.from(x, reference);
  return { values, tolerance: tail ? (i) => (x[i]! < tail.below ? tail : tolerance) : tolerance };
}
