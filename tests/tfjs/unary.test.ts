import { test } from "node:test";
import { Random } from "../support/random.js";
import { expectTensor, tf } from "./backend.js";

const ROWS = 131;
const COLUMNS = 67;
const SHAPE: [number, number] = [ROWS, COLUMNS];

interface Unary {
  readonly op: (x: tf.Tensor) => tf.Tensor;
  readonly f: (x: number) => number;
  /** In ULP; exact without. */
  readonly ulp?: number;
  readonly low?: number;
}

const UNARY: Readonly<Record<string, Unary>> = {
  relu: { op: tf.relu, f: (x) => Math.max(x, 0) },
  relu6: { op: tf.relu6, f: (x) => Math.min(Math.max(x, 0), 6) },
  leakyRelu: { op: (x) => tf.leakyRelu(x, 0.25), f: (x) => (x > 0 ? x : 0.25 * x) },
  prelu: { op: (x) => tf.prelu(x, tf.scalar(0.25)), f: (x) => (x > 0 ? x : 0.25 * x) },
  elu: { op: tf.elu, f: (x) => (x > 0 ? x : Math.expm1(x)), ulp: 3 },
  sigmoid: { op: tf.sigmoid, f: (x) => 1 / (1 + Math.exp(-x)), ulp: 3 },
  softplus: { op: tf.softplus, f: (x) => Math.log1p(Math.exp(x)), ulp: 4 },
  tanh: { op: tf.tanh, f: Math.tanh, ulp: 3 },
  step: { op: (x) => tf.step(x, 0.5), f: (x) => (x > 0 ? 1 : 0.5) },
  abs: { op: tf.abs, f: Math.abs },
  clipByValue: { op: (x) => tf.clipByValue(x, -1.5, 2), f: (x) => Math.min(Math.max(x, -1.5), 2) },
  exp: { op: tf.exp, f: Math.exp, ulp: 2 },
  log: { op: tf.log, f: Math.log, ulp: 2, low: 0.1 },
  neg: { op: tf.neg, f: (x) => -x },
  reciprocal: { op: tf.reciprocal, f: (x) => 1 / x },
  rsqrt: { op: tf.rsqrt, f: (x) => 1 / Math.sqrt(x), ulp: 2, low: 0.1 },
  sqrt: { op: tf.sqrt, f: Math.sqrt, low: 0 },
  square: { op: tf.square, f: (x) => x * x },
  squaredDifference: { op: (x) => tf.squaredDifference(x, tf.scalar(2)), f: (x) => Math.fround(x - 2) ** 2 },
  logicalNot: { op: (x) => tf.logicalNot(tf.greater(x, 1)), f: (x) => Number(!(x > 1)) },
  onesLike: { op: tf.onesLike, f: () => 1 },
  zerosLike: { op: tf.zerosLike, f: () => 0 },
};

for (const [name, { op, f, ulp, low = -8 }] of Object.entries(UNARY)) {
  test(`${name} of ${ROWS}×${COLUMNS}`, () => {
    const data = new Random(14).floats(ROWS * COLUMNS, low, 8);
    const x = tf.tensor2d(data, SHAPE);
    const values = Float64Array.from(data, f);
    expectTensor(name, () => op(x), SHAPE, { values, tolerance: ulp === undefined ? "exact" : { ulp } });
    x.dispose();
  });
}

test(`softmax of ${ROWS}×${COLUMNS}`, () => {
  const data = new Random(15).floats(ROWS * COLUMNS, -8, 8);
  const x = tf.tensor2d(data, SHAPE);
  const exps = Float64Array.from(data, Math.exp);
  const values = exps.map((e, i) => {
    const row = i - (i % COLUMNS);
    return e / exps.subarray(row, row + COLUMNS).reduce((sum, other) => sum + other, 0);
  });
  expectTensor("softmax", () => tf.softmax(x), SHAPE, { values, magnitude: values, tolerance: { roundings: 32 } });
  x.dispose();
});

test(`logSoftmax of ${ROWS}×${COLUMNS}, which TensorFlow.js composes`, () => {
  const data = new Random(18).floats(ROWS * COLUMNS, -8, 8);
  const x = tf.tensor2d(data, SHAPE);
  const values = Float64Array.from(data, (value, i) => {
    const row = i - (i % COLUMNS);
    return value - Math.log(data.subarray(row, row + COLUMNS).reduce((sum, other) => sum + Math.exp(other), 0));
  });
  const magnitude = values.map((value) => 16 + Math.abs(value));
  expectTensor("logSoftmax", () => tf.logSoftmax(x), SHAPE, { values, magnitude, tolerance: { roundings: 4 } });
  x.dispose();
});

test(`batchNorm of ${ROWS}×${COLUMNS}`, () => {
  const random = new Random(16);
  const data = random.floats(ROWS * COLUMNS, -8, 8);
  const row = (low: number, high: number) => random.floats(COLUMNS, low, high);
  const [mean, variance, offset, scale] = [row(-1, 1), row(0.1, 4), row(-1, 1), row(-2, 2)];
  const values = Float64Array.from(data, (x, i) => {
    const j = i % COLUMNS;
    return ((x - mean[j]!) / Math.sqrt(variance[j]! + 1e-3)) * scale[j]! + offset[j]!;
  });
  const tensors = [tf.tensor2d(data, SHAPE), ...[mean, variance, offset, scale].map((values) => tf.tensor1d(values))];
  const [x, m, v, b, g] = tensors as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  const magnitude = values.map((y) => Math.abs(y) + 20);
  expectTensor("batchNorm", () => tf.batchNorm(x, m, v, b, g), SHAPE, {
    values,
    magnitude,
    tolerance: { roundings: 16 },
  });
  tf.dispose(tensors);
});
