/** Activations as gates: backward by their own kernels, and by gates where that is differentiated again. */
import * as kernels from "../../ops/activations.js";
import type { Tensor } from "../../tensor.js";
import { Value, type Gate, type Operand } from "../value.js";
import { multiply, square, subtract } from "./arithmetic.js";

/** An elementwise gate whose kernel for dx takes x or y beside dy. */
function activation(
  name: string,
  forward: (x: Tensor) => Tensor,
  backwardKernel: (x: Tensor, y: Tensor, dy: Tensor) => Tensor,
  backward: (x: Value, y: Value, dy: Value) => Value,
): (x: Operand) => Value {
  const gate: Gate<readonly [x: Value]> = {
    name,
    forward: ([x]) => forward(x),
    backward: (dy, [x], y) => [backward(x, y, dy)],
    backwardKernels: (dy, [x], y) => [backwardKernel(x, y, dy)],
  };
  return (x) => Value.apply(gate, [x]);
}

/** max(x, 0): routes the gradient to where x > 0. */
export const relu = activation(
  "relu",
  (x) => kernels.relu(x),
  (x, _, dy) => kernels.reluBackward(x, dy),
  (x, _, dy) => leakyGradient(x, dy, 0),
);

/** x where x > 0, else slope · x. */
export function leakyRelu(x: Operand, slope = 0.01): Value {
  return activation(
    "leakyRelu",
    (x) => kernels.leakyRelu(x, { slope }),
    (x, _, dy) => kernels.leakyReluBackward(x, dy, { slope }),
    (x, _, dy) => leakyGradient(x, dy, slope),
  )(x);
}

/** dy where x > 0, else slope · dy: linear in dy, and constant in x wherever it has a derivative. */
function leakyGradient(x: Value, dy: Value, slope: number): Value {
  return Value.apply<readonly [x: Value, dy: Value]>(
    {
      name: "leakyRelu's gradient",
      forward: ([x, dy]) => (slope === 0 ? kernels.reluBackward(x, dy) : kernels.leakyReluBackward(x, dy, { slope })),
      backward: (ddx, [x]) => [undefined, leakyGradient(x, ddx, slope)],
    },
    [x, dy],
  );
}

/** The hyperbolic tangent: dx = dy · (1 − y²). */
export const tanh = activation(
  "tanh",
  (x) => kernels.tanh(x),
  (_, y, dy) => kernels.tanhBackward(y, dy),
  (_, y, dy) => multiply(dy, subtract(1, square(y))),
);

/** σ(x) = 1 / (1 + e⁻ˣ): dx = dy · y · (1 − y). */
export const sigmoid = activation(
  "sigmoid",
  (x) => kernels.sigmoid(x),
  (_, y, dy) => kernels.sigmoidBackward(y, dy),
  (_, y, dy) => multiply(dy, multiply(y, subtract(1, y))),
);

/** ln(1 + eˣ), which does not overflow: dx = dy · σ(x). */
export const softplus = activation(
  "softplus",
  (x) => kernels.softplus(x),
  (x, _, dy) => kernels.softplusBackward(x, dy),
  (x, _, dy) => multiply(dy, sigmoid(x)),
);
