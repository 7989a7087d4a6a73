/**
 * A computational graph over tensors: gates, and gradients of what is made of them, backward through the graph (reverse mode).
 *
 *     const { grad, matmul, relu, sum } = graph;
 *     const gradient = grad((W) => sum(relu(matmul(W, x))))(W); // of W's shape
 */
export {
  constant,
  grad,
  valueAndGrad,
  type Gradient,
  type GradientOptions,
  type ValueAndGradient,
} from "./gradients.js";
export type { TensorsOf, ValueTree } from "./tree.js";
export { Value, type Gate, type Operand } from "./value.js";
export { relu } from "./gates/activations.js";
export { scale } from "./gates/arithmetic.js";
export { matmul, type MatmulGateOptions } from "./gates/products.js";
export { sum } from "./gates/reductions.js";
