/** The table of everything that `npm run bench` times: one row a case. operations/ says how each kind of row is set up. */
import { squares, TRANSPOSES, type Sweep } from "./cliffs.js";
import { unary, unaryBackward } from "./operations/activations.js";
import { batchNormBackward, batchNormForward, batchNormInference } from "./operations/batchNorm.js";
import { copyMatrix, gatherRows, gatherRowsUint8, scatterAddRows, transpose } from "./operations/data.js";
import { binary, selection } from "./operations/elementwise.js";
import { groupNormBackward, groupNormForward } from "./operations/groupNorm.js";
import {
  elementwiseLoss,
  meanSquaredError,
  softmaxCrossEntropy,
  softmaxCrossEntropyWeighted,
} from "./operations/losses.js";
import { sgemm, sgemmPrepacked, sgemmStridedBatched } from "./operations/matmul.js";
import { adagrad, adam, rmsprop, sgd, sgdMomentum } from "./operations/optimizers.js";
import { dropout, philoxNormal, philoxPermutation, philoxUniform } from "./operations/random.js";
import { argmaxRows, columnMaxima, columnSums, rowwiseReduction, sumOfSquares } from "./operations/reductions.js";
import { maxout, reluMaskBackward, reluWithMask } from "./operations/selections.js";
import type { BenchCase } from "./operations/setup.js";
import { rowwise } from "./operations/softmax.js";
import { graphStep, trainingStep } from "./trainingStep.js";

const SQUARES = [240, 256, 384, 512, 768, 1000, 1024, 2048];
const SMALL = [4, 8, 12, 16, 24, 32, 48, 64, 100, 128, 200];

export const cases: readonly BenchCase[] = [
  ...SQUARES.flatMap((n) => TRANSPOSES.map((transposes) => sgemm(transposes, n, n, n))),
  ...SMALL.flatMap((n) => [sgemm("NN", n, n, n), sgemm("NT", n, n, n)]),

  // Dense 784 → 256 at batch 32 and 128: forward, dW, dX.
  ...[32, 128].flatMap((batch) => [
    sgemm("NT", batch, 256, 784),
    sgemm("TN", 256, 784, batch),
    sgemm("NN", batch, 784, 256),
  ]),
  // What an epilogue costs beside the plain square above.
  ...[128, 256, 1024].flatMap((n) =>
    (["bias", "bias relu", "bias leakyRelu", "bias tanh", "statistics"] as const).map((epilogue) =>
      sgemm("NN", n, n, n, epilogue),
    ),
  ),
  sgemm("NT", 128, 256, 784, "bias relu"),
  // Dense 256 → 256 and 256 → 10 at batch 128.
  sgemm("NT", 128, 256, 256),
  sgemm("TN", 256, 256, 128),
  sgemm("NN", 128, 256, 256),
  sgemm("NT", 128, 10, 256),
  sgemm("TN", 10, 256, 128),
  sgemm("NN", 128, 256, 10),
  // One example, and a few, through wide layers.
  sgemm("NT", 1, 256, 784),
  ...(["NN", "NT"] as const).flatMap((transposes) => [
    sgemm(transposes, 1, 128, 784),
    sgemm(transposes, 1, 4096, 4096),
  ]),
  sgemm("NN", 8, 4096, 4096),
  sgemm("NT", 4, 4096, 4096),
  sgemm("NT", 8, 4096, 4096),
  // Weights packed once, and many small products.
  ...[1, 4, 8].map((batch) => sgemmPrepacked(batch, 4096, 4096)),
  sgemmPrepacked(32, 256, 784),
  sgemmStridedBatched(64, 32, 32, 32),

  ...[1_000, 100_000].flatMap((n) => [
    unary("relu", n, { low: -1, high: 1 }),
    unaryBackward("reluBackward", n),
    reluWithMask(n),
    reluMaskBackward(n),
    unary("leakyRelu", n, { low: -1, high: 1 }),
    unaryBackward("leakyReluBackward", n),
    unary("elu", n, { low: -4, high: 4 }),
    unaryBackward("eluBackward", n),
    unary("sigmoid", n, { low: -4, high: 4 }),
    unaryBackward("sigmoidBackward", n, 0),
    unary("softplus", n, { low: -4, high: 4 }),
    unaryBackward("softplusBackward", n),
    unary("silu", n, { low: -4, high: 4 }),
    unaryBackward("siluBackward", n),
    unary("gelu", n, { low: -4, high: 4 }),
    unaryBackward("geluBackward", n),
    unary("geluTanh", n, { low: -4, high: 4 }),
    unaryBackward("geluTanhBackward", n),
    unary("tanh", n, { low: -4, high: 4 }),
    unaryBackward("tanhBackward", n),
    unary("step", n, { low: -1, high: 1 }),
    unary("exp", n, { low: -10, high: 10 }),
    unary("log", n, { low: 1e-3, high: 1e3 }),
    unary("clamp", n, { low: -4, high: 4 }),
    unary("sin", n, { low: -6, high: 6 }),
    unary("cos", n, { low: -6, high: 6 }),
    unary("abs", n, { low: -1, high: 1 }),
    unary("sign", n, { low: -1, high: 1 }),
    unary("sqrt", n, { low: 0, high: 4 }),
    binary("add", 1, n),
    binary("multiply", 1, n, "element"),
    binary("divide", 1, n),
    binary("maximum", 1, n),
    binary("less", 1, n),
    selection(n),
  ]),
  binary("add", 128, 10, "row"),
  binary("multiply", 128, 256, "column"),

  ...[
    [256, 128],
    [1024, 1024],
  ].flatMap(([rows = 0, columns = 0]) => [
    batchNormForward(rows, columns),
    batchNormForward(rows, columns, "relu"),
    batchNormBackward(rows, columns),
    batchNormBackward(rows, columns, "relu"),
    batchNormInference(rows, columns),
    columnSums(rows, columns),
    columnMaxima(rows, columns),
    rowwiseReduction("rowSums", rows, columns),
    rowwiseReduction("rowSumsOfSquares", rows, columns),
    rowwiseReduction("rowMaxima", rows, columns),
  ]),
  ...[
    [256, 128, 1],
    [256, 128, 8],
    [1024, 1024, 1],
    [1024, 1024, 32],
  ].flatMap(([rows = 0, columns = 0, groups = 1]) => [
    groupNormForward(rows, columns, groups),
    groupNormBackward(rows, columns, groups),
  ]),

  rowwise("softmax", 128, 10),
  rowwise("softmax", 1024, 1000),
  rowwise("logSoftmax", 128, 10),
  rowwise("logSoftmax", 1024, 1000),
  maxout(128, 256, 4),
  softmaxCrossEntropy(128, 10),
  softmaxCrossEntropy(1024, 1000),
  softmaxCrossEntropyWeighted(128, 10),
  softmaxCrossEntropyWeighted(1024, 1000),
  meanSquaredError(128, 100),
  elementwiseLoss("meanAbsoluteError", 128, 100),
  elementwiseLoss("huber", 128, 100),
  elementwiseLoss("sigmoidBinaryCrossEntropy", 128, 100),
  argmaxRows(128, 10),
  argmaxRows(1024, 1000),
  sgd(1_000_000),
  sgdMomentum(1_000_000),
  sgdMomentum(1_000_000, "sgdNesterov"),
  adam(1_000_000),
  adam(1_000_000, "adamW"),
  rmsprop(1_000_000),
  adagrad(1_000_000),
  sumOfSquares(1_000_000),
  philoxNormal(1_000_000),
  philoxUniform(1_000_000),
  philoxPermutation(60_000),
  dropout(100_000),
  gatherRows(128, 784),
  gatherRowsUint8(128, 784),
  scatterAddRows(128, 784),
  copyMatrix(64, 64),
  copyMatrix(1000, 784),
  transpose(128, 784),
  transpose(1000, 1000),
  transpose(1024, 1024),

  trainingStep(128),
  graphStep(128),
];

/** All cases: those of a sweep of squares, or else the table. */
export function casesOf(sweep: Sweep | undefined): readonly BenchCase[] {
  return sweep === undefined ? cases : squares(sweep);
}
