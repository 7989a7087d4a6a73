/** Functions of each element. */
import * as check from "../check.js";
import { floatResult, type OutOption } from "../out.js";
import type { Tensor } from "../tensor.js";

export type Unary =
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
export function unary(operation: string, kernel: Unary, x: Tensor, options: OutOption, ...scalars: number[]): Tensor {
  const runtime = check.runtimeOf(operation, "x", x);
  check.floats(operation, "x", x, runtime);
  const y = floatResult(operation, runtime, check.options(operation, options).out, x.shape);
  check.apartOrSame(operation, "out", y, "x", x);
  const run: (...values: number[]) => void = runtime.kernels[kernel];
  run(y.pointer, x.pointer, x.size, ...scalars);
  return y;
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
