/** Arithmetic element by element, as gates; operands broadcast as in numpy. */
import * as check from "../../check.js";
import * as ops from "../../ops/elementwise.js";
import type { Tensor } from "../../tensor.js";
import { Value, type Gate, type Operand } from "../value.js";
import { sumTo } from "./broadcasting.js";

/** A gate of two operands; the gradients are those before broadcasting, which adds up what it repeated. */
function binary(
  name: string,
  kernel: (a: Tensor, b: Tensor) => Tensor,
  gradientOfA: (dy: Value, a: Value, b: Value, y: Value) => Value,
  gradientOfB: (dy: Value, a: Value, b: Value, y: Value) => Value,
): (a: Operand, b: Operand) => Value {
  const gate: Gate<readonly [a: Value, b: Value]> = {
    name,
    forward: ([a, b]) => kernel(a, b),
    backward: (dy, [a, b], y, [needsA, needsB]) => [
      needsA ? sumTo(gradientOfA(dy, a, b, y), a.shape) : undefined,
      needsB ? sumTo(gradientOfB(dy, a, b, y), b.shape) : undefined,
    ],
  };
  return (a, b) => Value.apply(gate, [a, b]);
}

/** A gate of one operand, dx = dy · f′. */
function unary(
  name: string,
  kernel: (x: Tensor) => Tensor,
  gradient: (dy: Value, x: Value, y: Value) => Value,
): (x: Operand) => Value {
  const gate: Gate<readonly [x: Value]> = {
    name,
    forward: ([x]) => kernel(x),
    backward: (dy, [x], y) => [gradient(dy, x, y)],
  };
  return (x) => Value.apply(gate, [x]);
}

/** a + b: distributes the gradient. */
export const add = binary(
  "add",
  (a, b) => ops.add(a, b),
  (dy) => dy,
  (dy) => dy,
);

/** a − b: distributes the gradient, to b with the other sign. */
export const subtract = binary(
  "subtract",
  (a, b) => ops.subtract(a, b),
  (dy) => dy,
  (dy) => negate(dy),
);

/** a · b by elements: switches the gradient, da = dy · b and db = dy · a. */
export const multiply = binary(
  "multiply",
  (a, b) => ops.multiply(a, b),
  (dy, _, b) => multiply(dy, b),
  (dy, a) => multiply(dy, a),
);

/** a / b by elements: da = dy / b, db = −dy · y / b. */
export const divide = binary(
  "divide",
  (a, b) => ops.divide(a, b),
  (dy, _, b) => divide(dy, b),
  (dy, _, b, y) => negate(divide(multiply(dy, y), b)),
);

/** The greater of a and b: routes the gradient to it, to a where they are equal. */
export const maximum = binary(
  "maximum",
  (a, b) => ops.maximum(a, b),
  (dy, a, b) => multiply(dy, Value.constant(ops.greaterEqual(a.tensor, b.tensor))),
  (dy, a, b) => multiply(dy, Value.constant(ops.less(a.tensor, b.tensor))),
);

/** The lesser of a and b: routes the gradient to it, to a where they are equal. */
export const minimum = binary(
  "minimum",
  (a, b) => ops.minimum(a, b),
  (dy, a, b) => multiply(dy, Value.constant(ops.lessEqual(a.tensor, b.tensor))),
  (dy, a, b) => multiply(dy, Value.constant(ops.greater(a.tensor, b.tensor))),
);

/** −x. */
export const negate = unary(
  "negate",
  (x) => ops.negate(x),
  (dy) => negate(dy),
);

/** x²: dx = 2 x · dy. */
export const square = unary(
  "square",
  (x) => ops.square(x),
  (dy, x) => multiply(scale(dy, 2), x),
);

/** 1 / x: dx = −dy · y². */
export const reciprocal = unary(
  "reciprocal",
  (x) => ops.reciprocal(x),
  (dy, _, y) => negate(multiply(dy, square(y))),
);

/** √x: dx = ½ dy / y. */
export const sqrt = unary(
  "sqrt",
  (x) => ops.sqrt(x),
  (dy, _, y) => scale(divide(dy, y), 0.5),
);

/** eˣ: dx = dy · y. */
export const exp = unary(
  "exp",
  (x) => ops.exp(x),
  (dy, _, y) => multiply(dy, y),
);

/** The natural logarithm: dx = dy / x. */
export const log = unary(
  "log",
  (x) => ops.log(x),
  (dy, x) => divide(dy, x),
);

/** factor · x for a number that nobody differentiates. */
export function scale(x: Operand, factor: number): Value {
  check.finite("scale", "factor", factor);
  return unary(
    "scale",
    (x) => ops.scale(x, factor),
    (dy) => scale(dy, factor),
  )(x);
}
