/** Activations and their backward passes. */
import * as check from "../check.js";
import { ShapeError } from "../errors.js";
import { checkOut, floatResult, orRelease, result, type OutOption } from "../out.js";
import type { Kernels } from "../runtime/kernels.js";
import type { Tensor } from "../tensor.js";
import { unary, type Unary } from "./elementwise.js";

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

export interface ReluWithMaskOptions {
  /** Take the results; y may be x. */
  readonly out?: { readonly y?: Tensor; readonly mask?: Tensor<"uint8"> };
}

/**
 * max(x, 0) as relu has it, and its mask for reluMaskBackward, a bit for each element: bit i mod 8 of byte ⌊i / 8⌋ is 1
 * where x > 0 or NaN. Beside y, which reluBackward needs, the mask takes a 32nd of the memory.
 */
export function reluWithMask(
  x: Tensor,
  options: ReluWithMaskOptions = {},
): { readonly y: Tensor; readonly mask: Tensor<"uint8"> } {
  const operation = "reluWithMask";
  const runtime = check.runtimeOf(operation, "x", x);
  check.floats(operation, "x", x, runtime);
  const { out = {} } = check.options(operation, options);
  check.options(operation, out, "out");
  const bytes = [Math.ceil(x.size / 8)];
  if (out.y) {
    checkOut(operation, runtime, out.y, x.shape, "float32", "out.y");
    check.apartOrSame(operation, "out.y", out.y, "x", x);
  }
  if (out.mask) {
    checkOut(operation, runtime, out.mask, bytes, "uint8", "out.mask");
    check.apart(operation, "out.mask", out.mask, "x", x);
    if (out.y) check.apart(operation, "out.mask", out.mask, "out.y", out.y);
  }
  const y = floatResult(operation, runtime, out.y, x.shape);
  const mask = orRelease(() => result(operation, runtime, out.mask, bytes, "uint8"), out.y ? undefined : y);
  runtime.kernels.reluWithMask(y.pointer, mask.pointer, x.pointer, x.size);
  return { y, mask };
}

/** dx = dy where the mask of reluWithMask has a 1, else 0; in place on dy. */
export function reluMaskBackward(mask: Tensor<"uint8">, dy: Tensor, options: OutOption = {}): Tensor {
  const operation = "reluMaskBackward";
  const runtime = check.runtimeOf(operation, "dy", dy);
  check.floats(operation, "dy", dy, runtime);
  check.dtype(operation, "mask", check.tensor(operation, "mask", mask, runtime), "uint8");
  check.shape(operation, "mask", mask, [Math.ceil(dy.size / 8)], "a bit for each element of dy");
  const dx = floatResult(operation, runtime, check.options(operation, options).out, dy.shape);
  check.apartOrSame(operation, "out", dx, "dy", dy);
  check.apart(operation, "out", dx, "mask", mask);
  runtime.kernels.reluMaskBackward(dx.pointer, mask.pointer, dy.pointer, dy.size);
  return dx;
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

/**
 * y_ij = max_p x_(i, p · features + j), p = 0 … pieces − 1 (Goodfellow et al. 2013): x is rows × pieces · features, all
 * features of one piece beside each other, y is rows × features. A NaN counts as the greatest. `out` must share no memory
 * with x.
 */
export function maxout(x: Tensor, pieces: number, options: OutOption = {}): Tensor {
  const operation = "maxout";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  check.integer(operation, "pieces", pieces, 1);
  const [rows, cols] = x.shape as [number, number];
  const features = featuresOf(operation, cols, pieces);
  const y = floatResult(operation, runtime, check.options(operation, options).out, [rows, features]);
  check.apart(operation, "out", y, "x", x);
  runtime.kernels.maxout(y.pointer, x.pointer, rows, features, pieces, features, cols, 0, rows);
  return y;
}

/** How many features so many columns are, in so many pieces. */
export function featuresOf(operation: string, cols: number, pieces: number): number {
  if (cols % pieces !== 0) {
    throw new ShapeError(
      `${operation}: ${String(cols)} columns in ${String(pieces)} pieces; pieces must divide the columns.`,
    );
  }
  return cols / pieces;
}

/**
 * dx = dy at the first piece that is the greatest, 0 at the others, where dy has the shape of maxout(x, pieces). `out` may
 * be x.
 */
export function maxoutBackward(x: Tensor, dy: Tensor, pieces: number, options: OutOption = {}): Tensor {
  const operation = "maxoutBackward";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  check.integer(operation, "pieces", pieces, 1);
  const [rows, cols] = x.shape as [number, number];
  const features = featuresOf(operation, cols, pieces);
  check.floats(operation, "dy", dy, runtime);
  check.shape(operation, "dy", dy, [rows, features], "it must have the shape of maxout's result");
  const dx = floatResult(operation, runtime, check.options(operation, options).out, x.shape);
  check.apartOrSame(operation, "out", dx, "x", x);
  check.apart(operation, "out", dx, "dy", dy);
  const { kernels } = runtime;
  kernels.maxoutBackward(dx.pointer, x.pointer, dy.pointer, rows, features, pieces, cols, cols, features, 0, rows);
  return dx;
}
