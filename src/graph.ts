/**
 * A computational graph over tensors: gates, and gradients of what is made of them, backward through the graph (reverse mode).
 *
 *     import { grad, matmul, square, subtract, sum } from "simdgrad/graph";
 *     const gradient = grad((W) => sum(square(subtract(matmul(W, x), y))))(W); // of W's shape
 */
export {
  constant,
  grad,
  valueAndGrad,
  type Gradient,
  type GradientOptions,
  type ValueAndGradient,
} from "./graph/gradients.js";
export { hessian, hessianVectorProduct, jacobian } from "./graph/jacobian.js";
export { checkGradients, type CheckGradientsOptions, type GradientComparison } from "./graph/checkGradients.js";
export { Parameters, type ParameterOptions } from "./graph/parameters.js";
export { gate } from "./graph/gate.js";
export type { TensorsOf } from "./graph/variables.js";
export { Value, type Gate, type Operand, type TensorsFor } from "./graph/value.js";
export { leakyRelu, relu, sigmoid, softplus, tanh } from "./graph/gates/activations.js";
export {
  add,
  divide,
  exp,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  reciprocal,
  scale,
  square,
  sqrt,
  subtract,
} from "./graph/gates/arithmetic.js";
export { batchNorm, type BatchNormGateOptions } from "./graph/gates/batchNorm.js";
export { softmaxCrossEntropy } from "./graph/gates/losses.js";
export { dense, matmul, type DenseGateOptions, type MatmulGateOptions } from "./graph/gates/products.js";
export { broadcastTo } from "./graph/gates/broadcasting.js";
export { max, mean, sum, type ReductionOptions } from "./graph/gates/reductions.js";
export { concat, gather, reshape, slice, transpose } from "./graph/gates/shapes.js";
export { logSoftmax, softmax } from "./graph/gates/softmax.js";
