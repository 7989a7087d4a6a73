/** The whole ABI: every kernel that a binary exports. Pointers are byte addresses; counts and strides are in elements. */
export {
  sgemm, sgemmWorkSize, sgemmStridedBatched, sgemmBatched, sgemmPackedSize, sgemmPackB, sgemmPrepacked,
} from "./matmul/sgemm";
export {
  relu, reluBackward, leakyRelu, leakyReluBackward, elu, eluBackward, sigmoid, sigmoidBackward,
  softplus, softplusBackward, silu, siluBackward, gelu, geluBackward, geluTanh, geluTanhBackward,
  tanh, tanhBackward, step, exp, log, sin, cos,
} from "./activations";
export { reluWithMask, reluMaskBackward, maxout, maxoutBackward } from "./selections";
export { softmax, softmaxBackward, logSoftmax, logSoftmaxBackward } from "./softmax";
export {
  scale, clamp, abs, sign, sqrt, add, multiply, divide, minimum, maximum, equal, notEqual, less, lessEqual,
} from "./elementwise";
export { select } from "./broadcast";
export {
  rowSums, columnSums, columnSumsWorkSize, rowSumsOfSquares, columnSumsOfSquares, rowMaxima, columnMaxima, rowMinima, columnMinima,
  argmaxRows, argmaxColumns, sumOfSquares, sumOfSquaresSize,
} from "./reductions";
export { uint8ToFloat32, gatherRows, gatherRowsUint8, scatterAddRows, transpose, copyMatrix } from "./data";
export {
  softmaxCrossEntropy, softmaxCrossEntropyWeighted,
  sigmoidBinaryCrossEntropy, meanSquaredError, meanAbsoluteError, huber,
} from "./losses";
export {
  sgd, sgdMomentum, sgdNesterov, adam, adamW, rmsprop, rmspropMomentum, adagrad,
} from "./optimizers";
export { groupNormForward, groupNormBackward, groupNormPartsSize } from "./groupNorm";
export { columnStatistics } from "./columnStatistics";
export { batchNormForward, batchNormInference, batchNormBackward, batchNormWorkSize } from "./batchNorm";
export { philoxBits, philoxUniform, philoxNormal, philoxBernoulli, philoxPermutation, dropout } from "./random";
