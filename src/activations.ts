/** Elementwise functions over tensors and their backward passes, each also in place. ops.ts says what they share. */
import * as check from "./check.js";
import { floatResult, type OutOption } from "./out.js";
import type { Kernels } from "./runtime/kernels.js";
import type { Tensor } from "./tensor.js";

type Unary =
  | "relu"
  | "leakyRelu"
  | "elu"
  | "sigmoid"
  | "softplus"
  | "silu"
  | "gelu"
  | "geluTanh"
  | "tanh"
  | "exp"
  | "log"
  | "sin"
  | "cos";

/** y ← kernel(x) for each element; in place. `scalars` stand behind the count in the kernel's arguments. */
function unary(operation: string, kernel: Unary, x: Tensor, options: OutOption, ...scalars: number[]): Tensor {
  const runtime = check.runtimeOf(operation, "x", x);
  check.floats(operation, "x", x, runtime);
  const y = floatResult(operation, runtime, check.options(operation, options).out, x.shape);
  check.apartOrSame(operation, "out", y, "x", x);
  const run: (...values: number[]) => void = runtime.kernels[kernel];
  run(y.pointer, x.pointer, x.size, ...scalars);
  return y;
}

/** dx ← kernel(x, dy) for each element; in place on either. */
function unaryBackward(
  operation: string,
  kernel: Extract<keyof Kernels, `${Unary}Backward`>,
  name: "x" | "y",
  x: Tensor,
  dy: Tensor,
  options: OutOption,
  ...scalars: number[]
): Tensor {
  const runtime = check.runtimeOf(operation, name, x);
  check.floats(operation, name, x, runtime);
  check.floats(operation, "dy", dy, runtime);
  check.shape(operation, "dy", dy, x.shape, `it must have the shape of ${name}`);
  const dx = floatResult(operation, runtime, check.options(operation, options).out, x.shape);
  check.apartOrSame(operation, "out", dx, name, x);
  check.apartOrSame(operation, "out", dx, "dy", dy);
  const run: (...values: number[]) => void = runtime.kernels[kernel];
  run(dx.pointer, x.pointer, dy.pointer, x.size, ...scalars);
  return dx;
}

/** max(x, 0), with NaN and −0 passed on as in PyTorch; in place. */
export function relu(x: Tensor, options: OutOption = {}): Tensor {
  return unary("relu", "relu", x, options);
}

/** dx = 0 where x ≤ 0, else dy. x may also be relu's result: the mask is the same. In place. */
export function reluBackward(x: Tensor, dy: Tensor, options: OutOption = {}): Tensor {
  return unaryBackward("reluBackward", "reluBackward", "x", x, dy, options);
}

export interface LeakyReluOptions extends OutOption {
  /** The factor of x ≤ 0: any finite number; 0.01 by default. */
  readonly slope?: number;
}

function slopeOf(operation: string, options: LeakyReluOptions): number {
  const { slope = 0.01 } = check.options(operation, options);
  return check.finite(operation, "slope", slope);
}

/** x where x > 0, else slope · x (Maas, Hannun & Ng 2013); in place. */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  return unary("leakyRelu", "leakyRelu", x, options, slopeOf("leakyRelu", options));
}

/** dx = dy where x > 0, else slope · dy. For slope > 0, x may also be leakyRelu's result. In place. */
export function leakyReluBackward(x: Tensor, dy: Tensor, options: LeakyReluOptions = {}): Tensor {
  return unaryBackward(
    "leakyReluBackward",
    "leakyReluBackward",
    "x",
    x,
    dy,
    options,
    slopeOf("leakyReluBackward", options),
  );
}

export interface EluOptions extends OutOption {
  /** −alpha is the limit at −∞; at least 0, and 1 by default. */
  readonly alpha?: number;
}

function alphaOf(operation: string, options: EluOptions): number {
  const { alpha = 1 } = check.options(operation, options);
  return check.rate(operation, "alpha", alpha);
}

/** x where x ≥ 0, else alpha · (eˣ − 1) (Clevert, Unterthiner & Hochreiter 2016); in place. */
export function elu(x: Tensor, options: EluOptions = {}): Tensor {
  return unary("elu", "elu", x, options, alphaOf("elu", options));
}

/** dx = dy where y > 0, else dy · (y + alpha), where y = elu(x); in place. */
export function eluBackward(y: Tensor, dy: Tensor, options: EluOptions = {}): Tensor {
  return unaryBackward("eluBackward", "eluBackward", "y", y, dy, options, alphaOf("eluBackward", options));
}

/** The logistic function σ(x) = 1 / (1 + e⁻ˣ); in place. */
export function sigmoid(x: Tensor, options: OutOption = {}): Tensor {
  return unary("sigmoid", "sigmoid", x, options);
}

/** dx = dy · y · (1 − y), where y = sigmoid(x); in place. */
export function sigmoidBackward(y: Tensor, dy: Tensor, options: OutOption = {}): Tensor {
  return unaryBackward("sigmoidBackward", "sigmoidBackward", "y", y, dy, options);
}

/** ln(1 + eˣ), which neither overflows nor loses small results; in place. */
export function softplus(x: Tensor, options: OutOption = {}): Tensor {
  return unary("softplus", "softplus", x, options);
}

/** dx = dy · σ(x); in place. */
export function softplusBackward(x: Tensor, dy: Tensor, options: OutOption = {}): Tensor {
  return unaryBackward("softplusBackward", "softplusBackward", "x", x, dy, options);
}

/** x · σ(x), also called swish; NaN at −∞, as in PyTorch. In place. */
export function silu(x: Tensor, options: OutOption = {}): Tensor {
  return unary("silu", "silu", x, options);
}

/** dx = dy · (σ(x) + x · σ(x) · σ(−x)); in place. */
export function siluBackward(x: Tensor, dy: Tensor, options: OutOption = {}): Tensor {
  return unaryBackward("siluBackward", "siluBackward", "x", x, dy, options);
}

export interface GeluOptions extends OutOption {
  /** "tanh" for the approximation ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))); "none" by default. PyTorch's names. */
  readonly approximate?: GeluApproximation;
}

export type GeluApproximation = "none" | "tanh";

/** Which pair of kernels computes it. */
function geluKernel(operation: string, options: GeluOptions): "gelu" | "geluTanh" {
  const { approximate = "none" } = check.options(operation, options);
  return check.oneOf(operation, "approximate", approximate, ["none", "tanh"]) === "tanh" ? "geluTanh" : "gelu";
}

/** x · Φ(x), Φ being the normal distribution's (Hendrycks & Gimpel 2016); NaN at −∞, as in PyTorch. In place. */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  return unary("gelu", geluKernel("gelu", options), x, options);
}

/** dx = dy · (Φ(x) + x · φ(x)), or that of the approximation; in place. */
export function geluBackward(x: Tensor, dy: Tensor, options: GeluOptions = {}): Tensor {
  const operation = "geluBackward";
  return unaryBackward(operation, `${geluKernel(operation, options)}Backward`, "x", x, dy, options);
}

/** The hyperbolic tangent; in place. */
export function tanh(x: Tensor, options: OutOption = {}): Tensor {
  return unary("tanh", "tanh", x, options);
}

/** dx = dy · (1 − y²), where y = tanh(x); in place. */
export function tanhBackward(y: Tensor, dy: Tensor, options: OutOption = {}): Tensor {
  return unaryBackward("tanhBackward", "tanhBackward", "y", y, dy, options);
}

/** eˣ; in place. */
export function exp(x: Tensor, options: OutOption = {}): Tensor {
  return unary("exp", "exp", x, options);
}

/** The natural logarithm; in place. */
export function log(x: Tensor, options: OutOption = {}): Tensor {
  return unary("log", "log", x, options);
}

/** The sine of x radians for |x| ≤ 2³⁰, NaN beyond; in place. */
export function sin(x: Tensor, options: OutOption = {}): Tensor {
  return unary("sin", "sin", x, options);
}

/** The cosine of x radians for |x| ≤ 2³⁰, NaN beyond; in place. */
export function cos(x: Tensor, options: OutOption = {}): Tensor {
  return unary("cos", "cos", x, options);
}
