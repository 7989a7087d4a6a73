/** The kernels that are ours, by the names that TensorFlow.js has for them; all others are the cpu backend's. */
import { binary, prelu, select, squaredDifference } from "./broadcast.js";
import type { Kernel } from "./kernel.js";
import { batchMatMul, fusedMatMul } from "./matmul.js";
import {
  concat,
  gather,
  oneHot,
  pack,
  pad,
  reshape,
  segmentSum,
  slice,
  splitV,
  tile,
  transpose,
  unpack,
} from "./movement.js";
import { batchNorm, softmax } from "./normalize.js";
import { MAX, MIN, reduction, SUM } from "./reductions.js";
import { cast, filledLike, gradient, logicalNot, reciprocal, square, unary } from "./unary.js";

export const kernels: Readonly<Record<string, Kernel>> = {
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,

  Relu: unary((k, y, x, n) => k.relu(y, x, n)),
  Relu6: unary((k, y, x, n) => k.clamp(y, x, n, 0, 6)),
  LeakyRelu: unary((k, y, x, n, { alpha }) => k.leakyRelu(y, x, n, alpha as number)),
  Elu: unary((k, y, x, n) => k.elu(y, x, n, 1)),
  EluGrad: gradient((k, dx, y, dy, n) => k.eluBackward(dx, y, dy, n, 1)),
  Sigmoid: unary((k, y, x, n) => k.sigmoid(y, x, n)),
  Softplus: unary((k, y, x, n) => k.softplus(y, x, n)),
  Tanh: unary((k, y, x, n) => k.tanh(y, x, n)),
  Step: unary((k, y, x, n, { alpha }) => k.step(y, x, n, alpha as number)),
  Softmax: softmax,
  FusedBatchNorm: batchNorm,

  Abs: unary((k, y, x, n) => k.abs(y, x, n)),
  ClipByValue: unary((k, y, x, n, { clipValueMin, clipValueMax }) =>
    k.clamp(y, x, n, clipValueMin as number, clipValueMax as number),
  ),
  Exp: unary((k, y, x, n) => k.exp(y, x, n)),
  Log: unary((k, y, x, n) => k.log(y, x, n)),
  Neg: unary((k, y, x, n) => k.scale(y, x, n, -1)),
  Reciprocal: unary((k, y, x, n, _, one) => reciprocal(k, y, x, n, one)),
  Rsqrt: unary((k, y, x, n, _, one) => {
    k.sqrt(y, x, n);
    reciprocal(k, y, y, n, one);
  }),
  Sqrt: unary((k, y, x, n) => k.sqrt(y, x, n)),
  Square: unary(square),

  Add: binary((k) => k.add, { scalar: 1 }),
  Sub: binary((k) => k.add, { scalar: -1 }),
  Multiply: binary((k) => k.multiply),
  RealDiv: binary((k) => k.divide),
  SquaredDifference: squaredDifference,
  Minimum: binary((k) => k.minimum),
  Maximum: binary((k) => k.maximum),
  Equal: binary((k) => k.equal, { result: "bool" }),
  NotEqual: binary((k) => k.notEqual, { result: "bool" }),
  Less: binary((k) => k.less, { result: "bool" }),
  LessEqual: binary((k) => k.lessEqual, { result: "bool" }),
  Greater: binary((k) => k.less, { result: "bool", isSwapped: true }),
  GreaterEqual: binary((k) => k.lessEqual, { result: "bool", isSwapped: true }),
  LogicalAnd: binary((k) => k.multiply, { operands: "bool", result: "bool" }),
  LogicalOr: binary((k) => k.maximum, { operands: "bool", result: "bool" }),
  LogicalNot: logicalNot,
  Select: select,
  Prelu: prelu,

  Sum: reduction(SUM),
  Mean: reduction(SUM, true),
  Max: reduction(MAX),
  Min: reduction(MIN),

  Cast: cast,
  Concat: concat,
  GatherV2: gather,
  OneHot: oneHot,
  OnesLike: filledLike(1),
  Pack: pack,
  PadV2: pad,
  Reshape: reshape,
  Slice: slice,
  SplitV: splitV,
  Tile: tile,
  Transpose: transpose,
  Unpack: unpack,
  UnsortedSegmentSum: segmentSum,
  ZerosLike: filledLike(0),
};
