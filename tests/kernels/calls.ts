/** Builds calls of the kernels that take matrices: seeded operands, and what the reference says they must become. */
import * as batchNorm from "../reference/batchNorm.js";
import { softmaxCrossEntropy, softmaxCrossEntropyWeighted } from "../reference/losses.js";
import { matmul, type Accumulated, type Epilogue } from "../reference/matmul.js";
import { dropout, type Source } from "../reference/random.js";
import { UNARY } from "../reference/unary.js";
import type { Tolerance } from "../support/compare.js";
import type { Call, Operand } from "../support/harness.js";
import type { Kernels } from "../support/kernels.js";
import { Layout, type Range } from "../support/layout.js";
import type { Random } from "../support/random.js";

/** An output that must be overwritten without being read. */
export function nans(length: number): Float32Array {
  return new Float32Array(length).fill(NaN);
}

/** Scratch of so many floats; nothing may depend on what it holds. */
export function work(length: number): Operand {
  return { before: nans(length), unchecked: true, aligned: true };
}

/** A call's shape as failures print it. */
export function printShape(shape: object): string {
  return Object.entries(shape)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");
}

/** Roundings that a product of depth k may accumulate, in any order, fused or not: k products and sums, alpha, beta, bias, tanh. */
export const matmulRoundings = (k: number) => k + 12;

/** The same value; the sign of a zero is free, since alpha·(x − x) and alpha·x − alpha·x differ in it. */
export const EQUAL: Tolerance = { ulp: 0 };

/** tanh as an epilogue and as a kernel. */
export const TANH_ULP = UNARY.tanh.tolerance.ulp;

export interface SgemmShape {
  m: number;
  n: number;
  k: number;
  /** Strides in elements; by default the operand is row-major without gaps. */
  a?: Strides;
  b?: Strides;
  c?: Strides;
  alpha?: number;
  beta?: number;
  epilogue?: Epilogue;
  rows?: readonly [number, number];
}

export type Strides = readonly [row: number, column: number];

/** "NN", "TN", "NT", "TT": whether A and B are stored transposed, without gaps. */
export function transposed(transposes: string, m: number, n: number, k: number): { a: Strides; b: Strides } {
  return { a: transposes[0] === "T" ? [1, m] : [k, 1], b: transposes[1] === "T" ? [1, k] : [n, 1] };
}

export interface SgemmData {
  a: Float32Array;
  b: Float32Array;
  c: Float32Array;
  bias: Float32Array;
}

/** The matrix with one row (or column) for all, where its stride is 0. */
function repeated(values: Float32Array, columns: number, [rowStride, columnStride]: Strides): Float32Array {
  if (rowStride === 0 && columnStride === 0) return values.fill(values[0]!);
  if (rowStride === 0) return values.map((_, at) => values[at % columns]!);
  if (columnStride === 0) return values.map((_, at) => values[at - (at % columns)]!);
  return values;
}

/** Small integers: every result is exact. */
export function integerData({ m, n, k, a = [k, 1], b = [n, 1], alpha = 1 }: SgemmShape, random: Random): SgemmData {
  // 12²·k·|alpha| stays below 2²⁴ in units of alpha's last bit for every depth that the tests use.
  return {
    a: repeated(random.integers(m * k, -12, 12), k, a),
    b: repeated(random.integers(k * n, -12, 12), n, b),
    c: random.integers(m * n, -100, 100).map((value) => value * Math.abs(alpha || 1)),
    bias: random.integers(n, -100, 100).map((value) => value * Math.abs(alpha || 1)),
  };
}

/** Numbers whose products and sums round. */
export function realData({ m, n, k }: SgemmShape, random: Random): SgemmData {
  return { a: random.floats(m * k), b: random.floats(k * n), c: random.floats(m * n), bias: random.floats(n) };
}

/** Of the epilogue with a leaky ReLU: a power of two, so that small integers stay exact. */
const LEAKY_SLOPE = 0.25;

/** What the reference makes of these matrices. */
export function sgemmReference(
  { m, n, k, alpha = 1, beta = 0, epilogue = 0 }: SgemmShape,
  data: SgemmData,
): Accumulated {
  return matmul(m, n, k, data.a, data.b, data.c, data.bias, alpha, beta, epilogue, LEAKY_SLOPE);
}

/** One product of given matrices (row-major). By default its result must be exact. */
export function sgemmCall(
  shape: SgemmShape,
  data: SgemmData,
  kernels: Kernels,
  tolerance: Tolerance = EQUAL,
  expected: Accumulated = sgemmReference(shape, data),
): Call {
  const { m, n, k, alpha = 1, beta = 0, epilogue = 0, rows = [0, m] } = shape;
  const a = new Layout(m, k, ...(shape.a ?? [k, 1]));
  const b = new Layout(k, n, ...(shape.b ?? [n, 1]));
  const c = new Layout(m, n, ...(shape.c ?? [n, 1]));
  // Without beta, C holds NaN only: it must not be read.
  const cBefore = beta === 0 ? nans(c.length) : c.place(data.c);
  return {
    kernel: "sgemm",
    shape: printShape(shape),
    operands: {
      c: { before: cBefore, origin: c.origin, after: c.expect(expected, tolerance, rows, [0, n]) },
      a: { before: a.place(data.a), origin: a.origin },
      b: { before: b.place(data.b), origin: b.origin },
      bias: { before: epilogue === 0 ? nans(0) : data.bias },
      work: work(kernels.sgemmWorkSize(m, n, k)),
    },
    arguments: (p) => [
      ...[p.c!, p.a!, p.b!, p.bias!, m, n, k],
      ...[c.rowStride, c.columnStride, a.rowStride, a.columnStride, b.rowStride, b.columnStride],
      ...[alpha, beta, epilogue, LEAKY_SLOPE, p.statistics ?? 0, ...rows, p.work!],
    ],
  };
}

/** Roundings of batch norm: a column is summed in tiles of 16 rows, then the tiles' sums; some more around it. */
export const batchNormRoundings = (rows: number) => rows / 32 + 48;

export interface BatchNormShape {
  rows: number;
  cols: number;
  /** Row strides beyond `cols`. */
  gapX?: number;
  gapY?: number;
  eps?: number;
  relu?: 0 | 1;
  /** Columns (training) or rows (inference) to compute; all by default. */
  band?: Range;
}

export interface BatchNormData {
  x: Float32Array;
  gamma: Float32Array;
  beta: Float32Array;
}

/** Columns with means and deviations of many sizes, some constant. */
export function batchNormData({ rows, cols }: BatchNormShape, random: Random): BatchNormData {
  const columns = Array.from({ length: cols }, () => ({
    mean: random.pick([0, 1, -30, 1e4]),
    deviation: random.pick([1, 1e-2, 1e-2, 20, 0]),
  }));
  const x = Float32Array.from({ length: rows * cols }, (_, at) => {
    const { mean, deviation } = columns[at % cols]!;
    return mean + deviation * random.uniform(-1.7, 1.7);
  });
  return { x, gamma: random.floats(cols, -2, 2), beta: random.floats(cols) };
}

export interface RunningOptions {
  momentum?: number;
  unbiased?: 0 | 1;
  /** Whether `saved` holds the column statistics already. */
  measured?: 0 | 1;
}

export function columnStatisticsCall(
  { rows, cols, gapX = 0, band = [0, cols] }: BatchNormShape,
  { x }: Pick<BatchNormData, "x">,
): Call {
  const layout = new Layout(rows, cols, cols + gapX);
  const covers = (at: number) => rows > 0 && at % cols >= band[0] && at % cols < band[1];
  const after = {
    ...batchNorm.columnStatistics(x, rows, cols),
    tolerance: { roundings: batchNormRoundings(rows) },
    covers,
  };
  return {
    kernel: "columnStatistics",
    shape: printShape({ rows, cols, gapX, band }),
    operands: { statistics: { before: nans(3 * cols), after }, x: { before: layout.place(x) } },
    arguments: (p) => [p.statistics!, p.x!, rows, cols, cols + gapX, ...band],
  };
}

export function batchNormForwardCall(
  shape: BatchNormShape & RunningOptions,
  { x, gamma, beta }: BatchNormData,
  kernels: Kernels,
): Call {
  const { rows, cols, gapX = 0, gapY = 0, relu = 0, unbiased = 1, measured = 0, band = [0, cols] } = shape;
  const [eps, momentum] = [Math.fround(shape.eps ?? 1e-5), Math.fround(shape.momentum ?? 0.1)];
  const [layoutX, layoutY] = [new Layout(rows, cols, cols + gapX), new Layout(rows, cols, cols + gapY)];
  const statistics = batchNorm.statistics(x, rows, cols);
  const { mean, variance, spread } = statistics;
  const y = batchNorm.normalize(x, statistics, gamma, beta, rows, cols, eps, relu === 1);
  const tolerance = { roundings: batchNormRoundings(rows) };
  // A batch of no rows leaves everything as it is.
  const covers = (j: number) => rows > 0 && j >= band[0] && j < band[1];

  const inverse = variance.map((value) => 1 / Math.sqrt(value + eps));
  const { values, magnitude } = batchNorm.columnStatistics(x, rows, cols);
  const saved = {
    values: [...values.subarray(0, 2 * cols), ...inverse],
    magnitude: [...magnitude.subarray(0, 2 * cols), ...inverse],
  };
  const measurements = Float32Array.from(values);
  for (let j = 0; j < cols; j++) measurements[cols + j] = mean[j]! - measurements[j]!;
  const running = (before: Float32Array, batch: Float64Array, noise: Float64Array): Operand => ({
    before,
    after: {
      values: Array.from({ length: cols }, (_, j) => batchNorm.updateRunning(before[j]!, batch[j]!, momentum)),
      magnitude: Array.from(noise, (value, j) => Math.abs(before[j]!) + momentum * (Math.abs(batch[j]!) + value)),
      tolerance,
      covers,
    },
  });
  const estimate = variance.map((value) => batchNorm.runningVariance(value, rows, unbiased === 1));
  return {
    kernel: "batchNormForward",
    shape: printShape(shape),
    operands: {
      y: { before: nans(layoutY.length), after: layoutY.expect(y, tolerance, [0, rows], band) },
      saved: {
        before: measured ? measurements : nans(3 * cols),
        after: { ...saved, tolerance, covers: (at) => covers(at % cols) },
      },
      runningMean: running(
        gamma.map((value) => value + 1),
        values.subarray(0, cols),
        spread,
      ),
      runningVar: running(beta.map(Math.abs), estimate, estimate),
      x: { before: layoutX.place(x) },
      gamma: { before: gamma },
      beta: { before: beta },
      work: work(kernels.batchNormWorkSize(rows, cols)),
    },
    arguments: (p) => [
      ...[p.y!, p.saved!, p.runningMean!, p.runningVar!, p.x!, p.gamma!, p.beta!],
      ...[rows, cols, cols + gapY, cols + gapX, eps, momentum, unbiased, relu, measured, ...band, p.work!],
    ],
  };
}

export function batchNormInferenceCall(
  shape: BatchNormShape,
  { x, gamma, beta }: BatchNormData,
  kernels: Kernels,
): Call {
  const { rows, cols, gapX = 0, gapY = 0, relu = 0, band = [0, rows] } = shape;
  const eps = Math.fround(shape.eps ?? 1e-5);
  const [layoutX, layoutY] = [new Layout(rows, cols, cols + gapX), new Layout(rows, cols, cols + gapY)];
  const mean = gamma.map((value) => value + 1);
  const variance = beta.map(Math.abs);
  const statistics = {
    mean: Float64Array.from(mean),
    variance: Float64Array.from(variance),
    spread: new Float64Array(cols),
  };
  const y = batchNorm.normalize(x, statistics, gamma, beta, rows, cols, eps, relu === 1);
  return {
    kernel: "batchNormInference",
    shape: printShape(shape),
    operands: {
      y: { before: nans(layoutY.length), after: layoutY.expect(y, { roundings: 8 }, band, [0, cols]) },
      x: { before: layoutX.place(x) },
      runningMean: { before: mean },
      runningVar: { before: variance },
      gamma: { before: gamma },
      beta: { before: beta },
      work: work(kernels.batchNormWorkSize(rows, cols)),
    },
    arguments: (p) => [
      ...[p.y!, p.x!, p.runningMean!, p.runningVar!, p.gamma!, p.beta!],
      ...[rows, cols, cols + gapY, cols + gapX, eps, relu, ...band, p.work!],
    ],
  };
}

export interface BatchNormBackwardShape extends BatchNormShape {
  gapDx?: number;
  gapDy?: number;
  accumulate?: 0 | 1;
}

export function batchNormBackwardCall(
  shape: BatchNormBackwardShape,
  { x, gamma, beta, dy }: BatchNormData & { dy: Float32Array },
  kernels: Kernels,
): Call {
  const { rows, cols, gapX = 0, gapDx = 0, gapDy = 0, relu = 0, accumulate = 0, band = [0, cols] } = shape;
  const eps = Math.fround(shape.eps ?? 1e-5);
  const layout = (gap: number) => new Layout(rows, cols, cols + gap);
  const statistics = batchNorm.statistics(x, rows, cols);
  const { mean, variance } = statistics;
  const y = batchNorm.normalize(x, statistics, gamma, beta, rows, cols, eps, false);
  // Where rounding may decide whether ReLU lets a gradient pass, there is none.
  const clear = dy.map((value, at) =>
    relu && Math.abs(y.values[at]!) <= (y.magnitude[at]! * batchNormRoundings(rows)) / 2 ** 24 ? 0 : value,
  );
  const masked = clear.map((value, at) => (relu && y.values[at]! <= 0 ? 0 : value));
  const { dx, dGamma, dBeta } = batchNorm.batchNormBackward(masked, x, statistics, gamma, rows, cols, eps);
  const roundedMean = mean.map(Math.fround);
  const saved = [...roundedMean, ...mean.map((value, j) => value - roundedMean[j]!)];
  saved.push(...variance.map((value) => 1 / Math.sqrt(value + eps)));

  const tolerance = { roundings: batchNormRoundings(rows) };
  // A batch of no rows leaves everything as it is.
  const covers = (j: number) => rows > 0 && j >= band[0] && j < band[1];
  const sums = ({ values, magnitude }: Accumulated, before: Float32Array): Operand => ({
    before: accumulate ? before : nans(cols),
    after: {
      values: accumulate ? values.map((value, j) => value + before[j]!) : values,
      magnitude: accumulate ? magnitude.map((value, j) => value + Math.abs(before[j]!)) : magnitude,
      tolerance,
      covers,
    },
  });
  const dxLayout = layout(gapDx);
  return {
    kernel: "batchNormBackward",
    shape: printShape(shape),
    operands: {
      dx: { before: nans(dxLayout.length), after: dxLayout.expect(dx, tolerance, [0, rows], band) },
      dGamma: sums(dGamma, gamma),
      dBeta: sums(dBeta, beta),
      dy: { before: layout(gapDy).place(clear) },
      x: { before: layout(gapX).place(x) },
      saved: { before: Float32Array.from(saved) },
      gamma: { before: gamma },
      beta: { before: beta },
      work: work(kernels.batchNormWorkSize(rows, cols)),
    },
    arguments: (p) => [
      ...[p.dx!, p.dGamma!, p.dBeta!, p.dy!, p.x!, p.saved!, p.gamma!, p.beta!],
      ...[rows, cols, cols + gapDx, cols + gapDy, cols + gapX, relu, accumulate, ...band, p.work!],
    ],
  };
}

export interface SoftmaxShape {
  rows: number;
  cols: number;
  /** Row strides beyond `cols`. */
  gapX?: number;
  gapDx?: number;
  scale?: number;
  /** Rows to compute; all by default. */
  band?: Range;
}

/** Roundings of a row's sum of `cols` exponentials, each within 1 ULP, and of what follows. */
export const softmaxRoundings = (cols: number) => cols + 12;

/** Row i of `scale` 1, 30, 1e4 and 0 in turns. */
export function rowsOfManyScales(random: Random, rows: number, cols: number): Float32Array {
  return Float32Array.from({ length: rows * cols }, (_, at) => {
    const scale = [1, 30, 1e4, 0][Math.floor(at / cols) % 4]!;
    return scale * random.uniform();
  });
}

export function softmaxCall(shape: SoftmaxShape, logits: Float32Array, labels: Int32Array): Call {
  const { rows, cols, gapX = 0, gapDx = 0, scale = 1, band = [0, rows] } = shape;
  const { loss, dLogits } = softmaxCrossEntropy(logits, labels, rows, cols, scale);
  const [layoutX, layoutDx] = [new Layout(rows, cols, cols + gapX), new Layout(rows, cols, cols + gapDx)];
  const tolerance = { roundings: softmaxRoundings(cols) };
  const covers = (i: number) => i >= band[0] && i < band[1];
  return {
    kernel: "softmaxCrossEntropy",
    shape: printShape(shape),
    operands: {
      loss: { before: nans(rows), after: { ...loss, tolerance, covers } },
      dLogits: { before: nans(layoutDx.length), after: layoutDx.expect(dLogits, tolerance, band, [0, cols]) },
      logits: { before: layoutX.place(logits) },
      labels: { before: labels },
    },
    arguments: (p) => [
      ...[p.loss!, p.dLogits!, p.logits!, p.labels!],
      ...[rows, cols, cols + gapDx, cols + gapX, scale, ...band],
    ],
  };
}

/** Softmax cross-entropy of random logits, some −∞ where the target is 0, against labels or probabilities. */
export function weightedSoftmaxCall(
  shape: SoftmaxShape & { kind: string; smoothing: number; weighted: number },
  random: Random,
): Call {
  const { rows, cols, gapX = 0, gapDx = 0, scale = 1, band = [0, rows], kind, smoothing, weighted } = shape;
  const labels = Int32Array.from({ length: rows }, () => random.integer(0, cols - 1));
  const targets = Float32Array.from({ length: rows * cols }, (_, at) => {
    if (kind === "labels") return labels[Math.floor(at / cols)] === at % cols ? 1 : 0;
    return random.pick([0, random.uniform(0, 1)]);
  });
  const weights = Float32Array.from({ length: cols }, () => random.pick([0, 1, random.uniform(0, 3)]));
  const logits = targets.map((target, at) => {
    if (target === 0 && smoothing === 0 && at % cols > 0 && random.bits() % 4 === 0) return -Infinity;
    return [1, 30, 0][Math.floor(at / cols) % 3]! * random.uniform();
  });
  // A row needs a finite logit.
  for (let i = 0; i < rows; i++) logits[i * cols] = Math.max(logits[i * cols]!, -30);
  const given = weighted ? weights : undefined;
  const { loss, dLogits } = softmaxCrossEntropyWeighted(logits, targets, given, rows, cols, smoothing, scale);
  const [layoutX, layoutDx] = [new Layout(rows, cols, cols + gapX), new Layout(rows, cols, cols + gapDx)];
  const layoutT = new Layout(rows, cols, cols + 1);
  const tolerance = { roundings: 2 * softmaxRoundings(cols) };
  const covers = (i: number) => i >= band[0] && i < band[1];
  return {
    kernel: "softmaxCrossEntropyWeighted",
    shape: printShape(shape),
    operands: {
      loss: { before: nans(rows), after: { ...loss, tolerance, covers } },
      dLogits: { before: nans(layoutDx.length), after: layoutDx.expect(dLogits, tolerance, band, [0, cols]) },
      logits: { before: layoutX.place(logits) },
      targets: { before: kind === "labels" ? labels : layoutT.place(targets) },
      weights: { before: weighted ? weights : nans(0) },
    },
    arguments: (p) => [
      ...[p.loss!, p.dLogits!, p.logits!, p.targets!, p.weights!, rows, cols, cols + gapDx, cols + gapX],
      ...[kind === "labels" ? 1 : cols + 1, kind === "labels" ? 0 : 1, weighted, smoothing, scale, ...band],
    ],
  };
}

/** Seed, stream and counter as the words that the random kernels take. */
export function philoxArguments({ seed, stream, counter }: Source): number[] {
  return [seed, stream, counter].flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)]);
}

/** Dropout of the elements of x in a range. */
export function dropoutCall(n: number, rate: number, [begin, end]: Range, source: Source, x: Float32Array): Call {
  const values = dropout(x, source, Math.fround(rate));
  return {
    kernel: "dropout",
    shape: printShape({ n, rate, begin, end }),
    operands: {
      y: { before: nans(x.length), after: { values, tolerance: "exact", covers: (i) => i >= begin && i < end } },
      x: { before: x },
    },
    arguments: (p) => [p.y!, p.x!, n, ...philoxArguments(source), Math.fround(rate), begin, end],
  };
}
