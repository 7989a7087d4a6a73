/** Functions of each element: of one tensor, or of several that broadcast to one shape. */
import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { floatResult, type OutOption } from "../out.js";
import type { Tensor } from "../tensor.js";
import { broadcast, type Operand } from "./broadcast.js";

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
  | "cos"
  | "scale"
  | "clamp"
  | "abs"
  | "sign"
  | "sqrt";

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

export interface AddOptions extends OutOption {
  /** Scales y; any finite number, 1 by default. */
  readonly alpha?: number;
}

/**
 * x + alpha · y, broadcast as in numpy: sizes are equal or 1, counted from the last dimension. x or y may be a number. In
 * place on what has the result's shape; all functions of two operands here are alike.
 */
export function add(x: Operand, y: Operand, options: AddOptions = {}): Tensor {
  const { alpha = 1 } = check.options("add", options);
  return broadcast("add", "add", { x, y }, options, check.finite("add", "alpha", alpha));
}

/** x − y, broadcast; in place. */
export function subtract(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("subtract", "add", { x, y }, options, -1);
}

/** alpha · x + y as in BLAS, broadcast; in place. */
export function axpy(alpha: number, x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("axpy", "add", { y, x }, options, check.finite("axpy", "alpha", alpha));
}

/** x · y by elements, broadcast; in place. */
export function multiply(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("multiply", "multiply", { x, y }, options);
}

/** x / y by elements, broadcast; in place. */
export function divide(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("divide", "divide", { x, y }, options);
}

/** The lesser of x and y, NaN where one is NaN, broadcast; in place. */
export function minimum(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("minimum", "minimum", { x, y }, options);
}

/** The greater of x and y, NaN where one is NaN, broadcast; in place. */
export function maximum(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("maximum", "maximum", { x, y }, options);
}

/** 1 where x = y, else 0, broadcast; NaN equals nothing. In place. */
export function equal(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("equal", "equal", { x, y }, options);
}

/** 1 where x ≠ y, else 0, broadcast; in place. */
export function notEqual(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("notEqual", "notEqual", { x, y }, options);
}

/** 1 where x < y, else 0, also where one is NaN; broadcast; in place. */
export function less(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("less", "less", { x, y }, options);
}

/** 1 where x ≤ y, else 0, broadcast; in place. */
export function lessEqual(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("lessEqual", "lessEqual", { x, y }, options);
}

/** 1 where x > y, else 0, broadcast; in place. */
export function greater(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("greater", "less", { y, x }, options);
}

/** 1 where x ≥ y, else 0, broadcast; in place. */
export function greaterEqual(x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("greaterEqual", "lessEqual", { y, x }, options);
}

/** x where `condition` is not 0, else y, broadcast (torch.where); NaN is not 0. In place. */
export function select(condition: Tensor, x: Operand, y: Operand, options: OutOption = {}): Tensor {
  return broadcast("select", "select", { condition, x, y }, options);
}

/** factor · x; in place. */
export function scale(x: Tensor, factor: number, options: OutOption = {}): Tensor {
  return unary("scale", "scale", x, options, check.finite("scale", "factor", factor));
}

/** −x; in place. */
export function negate(x: Tensor, options: OutOption = {}): Tensor {
  return unary("negate", "scale", x, options, -1);
}

/** x within [low, high], which may be infinite; NaN stays. In place. */
export function clip(x: Tensor, low: number, high: number, options: OutOption = {}): Tensor {
  if (!(low <= high)) {
    throw new ArgumentError(`clip: low is ${check.show(low)}, high ${check.show(high)}; low must not exceed high.`);
  }
  return unary("clip", "clamp", x, options, low, high);
}

/** |x|; in place. */
export function abs(x: Tensor, options: OutOption = {}): Tensor {
  return unary("abs", "abs", x, options);
}

/** −1, 0 or 1, the sign of x; −0 and NaN stay, as with Math.sign. In place. */
export function sign(x: Tensor, options: OutOption = {}): Tensor {
  return unary("sign", "sign", x, options);
}

/** √x, NaN where x < 0; in place. */
export function sqrt(x: Tensor, options: OutOption = {}): Tensor {
  return unary("sqrt", "sqrt", x, options);
}

/** x²; in place. */
export function square(x: Tensor, options: OutOption = {}): Tensor {
  return broadcast("square", "multiply", { x, y: x }, options);
}

/** 1 / x; in place. */
export function reciprocal(x: Tensor, options: OutOption = {}): Tensor {
  return broadcast("reciprocal", "divide", { one: 1, x }, options);
}
