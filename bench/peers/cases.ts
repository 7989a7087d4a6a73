/** The table of everything that `npm run bench:peers` compares: one row a case, in suites. */
import { relu, reluBackward, tanhBackward } from "../../tests/reference/activations.js";
import { batchNormBackward, normalize, statistics } from "../../tests/reference/batchNorm.js";
import { CLASSES, EPS, LAYERS, stepFlops, trainingStep } from "../../tests/reference/trainingStep.js";
import { expectClose, type Tolerance } from "../../tests/support/compare.js";
import type { Random } from "../../tests/support/random.js";
import type { Limit, Unit } from "../harness.js";
import { expectProduct, type Product } from "../operations/matmul.js";
import type { Task } from "./protocol.js";

export const SUITES = ["gemm", "elementwise", "norm", "step"] as const;
export type Suite = (typeof SUITES)[number];

export interface PeerCase {
  readonly suite: Suite;
  readonly name: string;
  readonly unit: Unit;
  /** Operations or elements of one call; a case in ms has none. */
  readonly amount: number;
  readonly limit: Limit;
  readonly task: Task;
  /** The data that all peers share. */
  readonly inputs: (random: Random) => Float32Array[];
  /** Of results, one array after the other: throws an Error that names the first wrong value. */
  readonly checker: (inputs: readonly Float32Array[]) => (outputs: Float32Array) => void;
}

const NONE = new Float32Array();

type Transposes = "NN" | "NT" | "TN";

/** C = op(A)·op(B), m×n, with A and B as `transposes` says they are stored. */
function gemm(transposes: Transposes, m: number, n: number, k: number): PeerCase {
  const product: Product = { transposes, m, n, k };
  const flops = 2 * m * n * k;
  return {
    suite: "gemm",
    name: `${transposes} ${m}x${n}x${k}`,
    unit: "GFLOP/s",
    amount: flops,
    limit: { flops },
    task: { operation: `gemm${transposes}`, sizes: [m, n, k] },
    inputs: (random) => [random.floats(m * k), random.floats(k * n)],
    checker:
      ([a = NONE, b = NONE]) =>
      (c) => {
        expectProduct(product, a, b, c);
      },
  };
}

/** Other libraries' functions may be this far from float64, which still tells them from another function. */
const TRANSCENDENTAL: Tolerance = { roundings: 256 };

interface Unary {
  readonly low: number;
  readonly high: number;
  readonly f: (x: number) => number;
  /** The scale of its errors at a result y. */
  readonly magnitude: (y: number, x: number) => number;
}

const UNARY: Readonly<Record<"relu" | "tanh" | "exp" | "log", Unary>> = {
  relu: { low: -1, high: 1, f: relu, magnitude: () => 0 },
  tanh: { low: -4, high: 4, f: Math.tanh, magnitude: () => 1 },
  exp: { low: -10, high: 10, f: Math.exp, magnitude: (y, x) => y * Math.max(1, Math.abs(x)) },
  log: { low: 1e-3, high: 1e3, f: Math.log, magnitude: (y) => Math.max(1, Math.abs(y)) },
};

/** y = f(x) of n elements. */
function unary(name: keyof typeof UNARY, n: number): PeerCase {
  const { low, high, f, magnitude } = UNARY[name];
  return {
    suite: "elementwise",
    name: `${name} ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n },
    task: { operation: name, sizes: [n] },
    inputs: (random) => [random.floats(n, low, high)],
    checker: ([x = NONE]) => {
      const values = Float64Array.from(x, f);
      const scales = values.map((y, i) => magnitude(y, x[i] ?? NaN));
      return (y) => {
        expectClose(name, "y", y, { values, magnitude: scales, tolerance: TRANSCENDENTAL });
      };
    },
  };
}

/** dx from dy and from what the forward pass left: relu's x, tanh's y. */
function backward(name: "relu" | "tanh", n: number): PeerCase {
  const f = name === "relu" ? reluBackward : tanhBackward;
  const operation = `${name}Backward`;
  return {
    suite: "elementwise",
    name: `${operation} ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n },
    task: { operation, sizes: [n] },
    inputs: (random) => [random.floats(n), random.floats(n)],
    checker: ([saved = NONE, dy = NONE]) => {
      const values = Float64Array.from(dy, (gradient, i) => f(saved[i] ?? NaN, gradient));
      const magnitude = dy.map((gradient) => 2 * Math.abs(gradient));
      return (dx) => {
        expectClose(operation, "dx", dx, { values, magnitude, tolerance: { roundings: 8 } });
      };
    },
  };
}

/** Sums over the rows, in any order, of values whose errors are a few roundings. */
const SUMS: Tolerance = { roundings: 256 };

/** The normalised batch of rows × columns by its own statistics. Reads x and writes y at least. */
function batchNormForward(rows: number, columns: number): PeerCase {
  const n = rows * columns;
  return {
    suite: "norm",
    name: `forward ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n },
    task: { operation: "batchNormForward", sizes: [rows, columns] },
    inputs: (random) => [random.floats(n), random.floats(columns, 0.5, 1.5), random.floats(columns)],
    checker: ([x = NONE, gamma = NONE, beta = NONE]) => {
      const expected = normalize(x, statistics(x, rows, columns), gamma, beta, rows, columns, EPS, false);
      return (y) => {
        expectClose("batch norm", "y", y, { ...expected, tolerance: SUMS });
      };
    },
  };
}

/** Forward, then dx, dGamma and dBeta, which are the results. Reads x twice and dy, writes y and dx at least. */
function batchNormTraining(rows: number, columns: number): PeerCase {
  const n = rows * columns;
  const { inputs, ...forward } = batchNormForward(rows, columns);
  return {
    ...forward,
    name: `forward and backward ${rows}x${columns}`,
    limit: { stream: "scaleAdd", length: 4 * n, bytes: 5 * 4 * n },
    task: { operation: "batchNormTraining", sizes: [rows, columns] },
    inputs: (random) => [...inputs(random), random.floats(n)],
    checker: ([x = NONE, gamma = NONE, , dy = NONE]) => {
      const { dx, dGamma, dBeta } = batchNormBackward(dy, x, statistics(x, rows, columns), gamma, rows, columns, EPS);
      return (outputs) => {
        const [ofGamma, ofBeta] = [n, n + columns];
        const tolerance = SUMS;
        expectClose("batch norm", "dx", outputs.subarray(0, ofGamma), { ...dx, tolerance });
        expectClose("batch norm", "dGamma", outputs.subarray(ofGamma, ofBeta), { ...dGamma, tolerance });
        expectClose("batch norm", "dBeta", outputs.subarray(ofBeta), { ...dBeta, tolerance });
      };
    },
  };
}

/** How many steps' losses must be right before steps are timed. */
export const CHECKED_STEPS = 3;

/**
 * A training step of an MLP 784-256-256-10 with batch norm and ReLU by SGD, always on the same batch. The inputs are x, the one-hot
 * labels, and of each layer W (outFeatures × inFeatures), b and, but for the last one, gamma and beta. The results are
 * the losses of the first steps.
 */
function step(batch: number): PeerCase {
  return {
    suite: "step",
    name: `mlp 784-256-256-10 b${batch}`,
    unit: "ms",
    amount: 1,
    limit: { flops: stepFlops(batch) },
    task: { operation: "step", sizes: [batch] },
    inputs: (random) => {
      const labels = new Float32Array(batch * CLASSES);
      for (let row = 0; row < batch; row++) labels[row * CLASSES + random.integer(0, CLASSES - 1)] = 1;
      const parameters = LAYERS.flatMap(([from, to], layer) => {
        const bound = 1 / from ** 0.5;
        const dense = [random.floats(to * from, -bound, bound), random.floats(to, -bound, bound)];
        const norm = [random.floats(to, 0.5, 1.5), random.floats(to, -0.5, 0.5)];
        return layer === LAYERS.length - 1 ? dense : [...dense, ...norm];
      });
      return [random.floats(batch * LAYERS[0][0]), labels, ...parameters];
    },
    checker: ([x = NONE, oneHot = NONE, ...initial]) => {
      const parameters = initial.map((values) => Float64Array.from(values));
      const labels = Array.from({ length: batch }, (_, row) => {
        return oneHot.subarray(row * CLASSES, (row + 1) * CLASSES).indexOf(1);
      });
      const losses = Array.from({ length: CHECKED_STEPS }, () => trainingStep(parameters, x, labels, batch));
      return (outputs) => {
        // The first loss sums little; of later ones the weights have moved by float32 gradients.
        expectClose("step", "loss", outputs, { values: losses, magnitude: losses, tolerance: { roundings: 2000 } });
      };
    },
  };
}

const SQUARES = [4, 8, 16, 32, 64, 100, 127, 128, 129, 200, 256, 384, 512, 768, 1024];
const TRANSPOSED_SQUARES = [64, 128, 256, 512, 1024];

export const cases: readonly PeerCase[] = [
  ...SQUARES.map((n) => gemm("NN", n, n, n)),
  ...TRANSPOSED_SQUARES.flatMap((n) => [gemm("NT", n, n, n), gemm("TN", n, n, n)]),
  // One example, and a few, through wide layers.
  gemm("NN", 1, 128, 784),
  gemm("NN", 1, 4096, 4096),
  gemm("NN", 8, 4096, 4096),
  // Dense 784 → 256 at batch 32 and 128: forward, dW and dX with weights inFeatures × outFeatures, then the other way.
  ...[32, 128].flatMap((batch) => [
    gemm("NN", batch, 256, 784),
    gemm("TN", 784, 256, batch),
    gemm("NT", batch, 784, 256),
    gemm("NT", batch, 256, 784),
    gemm("TN", 256, 784, batch),
    gemm("NN", batch, 784, 256),
  ]),
  gemm("NN", 1000, 100, 100),
  gemm("NN", 1000, 10, 100),

  ...[1_000, 100_000, 1_000_000].flatMap((n) => [
    unary("relu", n),
    backward("relu", n),
    unary("tanh", n),
    backward("tanh", n),
    unary("exp", n),
    unary("log", n),
  ]),

  ...[
    [256, 128],
    [1000, 100],
    [1024, 1024],
  ].flatMap(([rows = 0, columns = 0]) => [batchNormForward(rows, columns), batchNormTraining(rows, columns)]),

  step(128),
];

/** The case of a task. */
export function findCase({ operation, sizes }: Task): PeerCase {
  const found = cases.find(({ task }) => task.operation === operation && String(task.sizes) === String(sizes));
  if (found === undefined) throw new Error(`there is no case ${operation} ${sizes.join(",")}.`);
  return found;
}
