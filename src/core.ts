/**
 * Everything but the binaries, which `init` here takes as `url`, `bytes` or `module`. For pages that would rather fetch
 * one binary, compressed as it is, than hold all in their scripts: simdgrad/strict.wasm and simdgrad/relaxed.wasm.
 */
import type { Runtime } from "./runtime/runtime.js";
import { initSyncWith, initWith, type InitOptions } from "./runtime/init.js";

/** As `init` of "simdgrad", on the binary that `url`, `bytes` or `module` gives. */
export function init(options: InitOptions): Promise<Runtime> {
  return initWith({}, options);
}

/** As `init`, at once; of `bytes` or `module`. */
export function initSync(options: InitOptions): Runtime {
  return initSyncWith({}, options);
}

export { Runtime, type Statistics } from "./runtime/runtime.js";
export type { BinaryUrls, InitOptions } from "./runtime/init.js";
export { capabilities, type Capabilities, type Variant } from "./runtime/features.js";
export type { Kernels } from "./runtime/kernels.js";
export {
  formatFloat32,
  Tensor,
  type AnyTensor,
  type ArrayOf,
  type DType,
  type NumberSource,
  type TensorArray,
} from "./tensor.js";
export {
  ArgumentError,
  DetachedError,
  DisposedError,
  GradientError,
  LabelError,
  LoadError,
  OutOfMemoryError,
  RuntimeMismatchError,
  ShapeError,
  SimdgradError,
  UnsupportedEngineError,
  type ErrorCode,
} from "./errors.js";
export { packMatrix, PackedMatrix, type PackOptions } from "./packedMatrix.js";
export { matmul, type FusedActivation, type MatmulOptions } from "./ops/matmul.js";
export {
  abs,
  add,
  axpy,
  clip,
  cos,
  divide,
  equal,
  exp,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  notEqual,
  reciprocal,
  scale,
  select,
  sign,
  sin,
  sqrt,
  square,
  subtract,
  type AddOptions,
} from "./ops/elementwise.js";
export type { Operand } from "./ops/broadcast.js";
export {
  elu,
  eluBackward,
  gelu,
  geluBackward,
  leakyRelu,
  leakyReluBackward,
  maxout,
  maxoutBackward,
  relu,
  reluBackward,
  reluMaskBackward,
  reluWithMask,
  sigmoid,
  sigmoidBackward,
  silu,
  siluBackward,
  softplus,
  softplusBackward,
  tanh,
  tanhBackward,
  type EluOptions,
  type GeluApproximation,
  type GeluOptions,
  type LeakyReluOptions,
  type ReluWithMaskOptions,
} from "./ops/activations.js";
export { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "./ops/softmax.js";
export {
  batchNorm,
  batchNormBackward,
  type BatchNormBackwardOptions,
  type BatchNormOptions,
  type BatchNormResult,
  type VarianceEstimate,
} from "./ops/batchNorm.js";
export {
  groupNorm,
  groupNormBackward,
  layerNorm,
  layerNormBackward,
  type GroupNormBackwardOptions,
  type GroupNormOptions,
  type GroupNormResult,
  type LayerNormBackwardOptions,
  type LayerNormOptions,
} from "./ops/groupNorm.js";
export type { NormGradients } from "./ops/normGradients.js";
export {
  argmax,
  columnSums,
  max,
  mean,
  min,
  sum,
  sumOfSquares,
  type ColumnSumsOptions,
  type ReductionOptions,
} from "./ops/reductions.js";
export { gatherRows, scatterAddRows, transpose, uint8ToFloat32 } from "./ops/data.js";
export {
  dropout,
  randomBernoulli,
  randomNormal,
  randomPermutation,
  randomUniform,
  type RandomOptions,
} from "./ops/random.js";
export type { OutOption } from "./out.js";
export type { Activation, Layer, Stage, StageMemory } from "./layers/layer.js";
export { Dense, type DenseOptions } from "./layers/dense.js";
export { BatchNorm, type BatchNormLayerOptions } from "./layers/batchNorm.js";
export { GroupNorm, LayerNorm, type GroupNormLayerOptions } from "./layers/groupNorm.js";
export { Elu, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh } from "./layers/activation.js";
export { Dropout } from "./layers/dropout.js";
export { LogSoftmax, Maxout, Softmax } from "./layers/rows.js";
export { Sequential, type SequentialOptions } from "./layers/sequential.js";
export type { BatchLog, EpochLog, FitOptions } from "./layers/fit.js";
export type { LsuvOptions, LsuvResult } from "./layers/lsuv.js";
export type { Inputs, Targets } from "./layers/data.js";
export type { Evaluation } from "./layers/training.js";
export {
  huber,
  meanAbsoluteError,
  meanSquaredError,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
  softmaxCrossEntropyProbabilities,
  type CrossEntropyOptions,
  type HuberOptions,
  type Labels,
  type LossChoice,
  type LossName,
  type LossOptions,
  type SquaredErrorOptions,
} from "./losses.js";
export {
  Adagrad,
  Adam,
  AdamW,
  RmsProp,
  Sgd,
  type AdagradOptions,
  type AdamOptions,
  type RmsPropOptions,
  type SgdOptions,
} from "./optimizers.js";
export { Optimizer, type OptimizerOptions, type Update } from "./optimizer.js";
export type { GroupSettings, ParameterGroup } from "./parameterGroups.js";
export { clipGradientNorm, clipGradientValue } from "./clipping.js";
export { constantRate, cosineDecay, rateSequence, stepDecay, warmUp, type Rate, type Schedule } from "./schedules.js";
export type {
  NamedTensor,
  Parameter,
  ParameterSlab,
  ParameterSpec,
  PlacedSpec,
  SlabRange,
  StateSpec,
  Trainable,
} from "./parameters.js";
export {
  constant,
  glorotUniform,
  heNormal,
  largeNormal,
  normal,
  orthonormal,
  randomWalk,
  smallNormal,
  xavierNormal,
  xavierNormalIn,
  xavierNormalOut,
  zeros,
  type InitialValues,
  type Initializer,
  type RandomWalkOptions,
} from "./initializers.js";
