/** The table of gates: what each computes, as loops over float64. */
import * as graph from "../../src/graph.js";
import type { Tensor } from "../../src/index.js";
import { EPILOGUE } from "../../src/ops/products.js";
import { normalize, statistics } from "../reference/batchNorm.js";
import { softmaxCrossEntropy } from "../reference/losses.js";
import * as matmul from "../reference/matmul.js";
import * as softmax from "../reference/softmax.js";

type Operand = graph.Operand;

export const sizeOf = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

export interface GateCase {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly gate: (...inputs: never[]) => graph.Value;
  readonly reference: (...inputs: never[]) => ArrayLike<number>;
  /** Where inputs are drawn from; −1 … 1 unless given. */
  readonly range?: readonly [low: number, high: number];
}

/** A row-major rows × columns matrix, transposed. */
function transposed(x: Float64Array, rows: number, columns: number): Float64Array {
  return x.map((_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

function product(m: number, n: number, k: number, transposeA: boolean, transposeB: boolean): GateCase {
  return {
    name: `matmul ${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}`,
    shapes: [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]],
    gate: (a: Operand, b: Operand) => graph.matmul(a, b, { transposeA, transposeB }),
    reference: (a: Float64Array, b: Float64Array) => {
      const left = transposeA ? transposed(a, k, m) : a;
      const right = transposeB ? transposed(b, n, k) : b;
      return matmul.matmul(m, n, k, left, right, [], [], 1, 0, 0).values;
    },
  };
}

/** An elementwise gate of one operand. */
function unary(
  name: string,
  gate: (x: Operand) => graph.Value,
  f: (x: number) => number,
  range: readonly [low: number, high: number] = [-2, 2],
): GateCase {
  return { name, shapes: [[3, 5]], gate, reference: (x: Float64Array) => x.map(f), range };
}

/** An elementwise gate of two operands, of shapes that broadcast to 3×4 or 2×3×2. */
function binary(
  name: string,
  gate: (a: Operand, b: Operand) => graph.Value,
  f: (a: number, b: number) => number,
  range: readonly [low: number, high: number] = [0.5, 2],
): GateCase[] {
  const shapes = [
    [
      [3, 4],
      [3, 4],
    ],
    [[3, 4], [4]],
    [
      [3, 1],
      [3, 4],
    ],
    [[1], [3, 4]],
    [
      [3, 1],
      [1, 4],
    ],
    [
      [2, 1, 2],
      [3, 1],
    ],
  ];
  return shapes.map(([a, b]) => ({
    name: `${name} ${a!.join("×")}, ${b!.join("×")}`,
    shapes: [a!, b!],
    gate,
    reference: (x: Float64Array, y: Float64Array) => {
      const shape = broadcastShape(a!, b!);
      return Array.from({ length: sizeOf(shape) }, (_, i) => f(x[indexIn(a!, shape, i)]!, y[indexIn(b!, shape, i)]!));
    },
    range,
  }));
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => Math.max(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1));
}

/** Where element `i` of a broadcast shape comes from. */
function indexIn(own: readonly number[], shape: readonly number[], i: number): number {
  let [at, stride] = [0, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const place = i % shape[axis]!;
    i = Math.floor(i / shape[axis]!);
    const length = own[axis - shape.length + own.length] ?? 1;
    if (length > 1) at += place * stride;
    stride *= length;
  }
  return at;
}

/** Σ over one dimension of a 2×3×4 array, in float64. */
function sumsOf(x: Float64Array, [outer, size, inner]: readonly [number, number, number]): Float64Array {
  return Float64Array.from({ length: outer * inner }, (_, at) => {
    let total = 0;
    for (let k = 0; k < size; k++) total += x[(Math.floor(at / inner) * size + k) * inner + (at % inner)]!;
    return total;
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const total = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0);

const labels = [2, 0, 1];

export const cases: readonly GateCase[] = [
  ...[false, true].flatMap((a) => [false, true].map((b) => product(3, 4, 5, a, b))),
  unary("relu", graph.relu, (x) => Math.max(x, 0)),
  unary(
    "leakyRelu",
    (x) => graph.leakyRelu(x, 1 / 3),
    (x) => (x > 0 ? x : x / 3),
  ),
  unary("tanh", graph.tanh, Math.tanh),
  unary("sigmoid", graph.sigmoid, sigmoid),
  unary("softplus", graph.softplus, (x) => Math.log1p(Math.exp(x))),
  unary("exp", graph.exp, Math.exp),
  unary("log", graph.log, Math.log, [0.5, 2]),
  unary("negate", graph.negate, (x) => -x),
  unary("square", graph.square, (x) => x * x),
  unary("reciprocal", graph.reciprocal, (x) => 1 / x, [0.75, 2]),
  unary("sqrt", graph.sqrt, Math.sqrt, [0.5, 2]),
  unary(
    "scale",
    (x) => graph.scale(x, -0.75),
    (x) => -0.75 * x,
  ),
  ...binary("add", graph.add, (a, b) => a + b),
  ...binary("subtract", graph.subtract, (a, b) => a - b),
  ...binary("multiply", graph.multiply, (a, b) => a * b),
  ...binary("divide", graph.divide, (a, b) => a / b, [0.75, 2]),
  ...binary("maximum", graph.maximum, Math.max),
  ...binary("minimum", graph.minimum, Math.min),
  {
    name: "add a number",
    shapes: [[3]],
    gate: (x: Operand) => graph.add(2, x),
    reference: (x: Float64Array) => x.map((value) => value + 2),
  },
  { name: "sum", shapes: [[3, 7]], gate: (x: Operand) => graph.sum(x), reference: (x: Float64Array) => [total(x)] },
  {
    name: "mean",
    shapes: [[3, 7]],
    gate: (x: Operand) => graph.mean(x),
    reference: (x: Float64Array) => [total(x) / 21],
  },
  ...(
    [
      [1, 2, 12],
      [2, 3, 4],
      [6, 4, 1],
    ] as const
  ).map((sizes, axis) => ({
    name: `sum along ${axis}`,
    shapes: [[2, 3, 4]],
    gate: (x: Operand) => graph.sum(x, { axis }),
    reference: (x: Float64Array) => sumsOf(x, sizes),
  })),
  {
    name: "mean along −1",
    shapes: [[2, 3]],
    gate: (x: Operand) => graph.mean(x, { axis: -1, keepDims: true }),
    reference: (x: Float64Array) => sumsOf(x, [2, 3, 1]).map((value) => value / 3),
  },
  {
    name: "broadcastTo",
    shapes: [[3, 1]],
    gate: (x: Operand) => graph.broadcastTo(x, [2, 3, 4]),
    reference: (x: Float64Array) => Array.from({ length: 24 }, (_, i) => x[Math.floor(i / 4) % 3]!),
  },
  {
    name: "reshape",
    shapes: [[2, 6]],
    gate: (x: Operand) => graph.reshape(x, [3, 4]),
    reference: (x: Float64Array) => x,
  },
  {
    name: "slice rows",
    shapes: [[4, 3]],
    gate: (x: Operand) => graph.slice(x, 0, 1, 3),
    reference: (x: Float64Array) => x.slice(3, 9),
  },
  {
    name: "slice columns",
    shapes: [[2, 5]],
    gate: (x: Operand) => graph.slice(x, -1, 2, 4),
    reference: (x: Float64Array) => [x[2]!, x[3]!, x[7]!, x[8]!],
  },
  {
    name: "concat rows",
    shapes: [
      [1, 2],
      [2, 2],
    ],
    gate: (a: Operand, b: Operand) => graph.concat([a, b], 0),
    reference: (a: Float64Array, b: Float64Array) => [...a, ...b],
  },
  {
    name: "concat columns",
    shapes: [
      [2, 1],
      [2, 2],
    ],
    gate: (a: Operand, b: Operand) => graph.concat([a, b], 1),
    reference: (a: Float64Array, b: Float64Array) => [a[0]!, b[0]!, b[1]!, a[1]!, b[2]!, b[3]!],
  },
  {
    name: "transpose",
    shapes: [[2, 3]],
    gate: (x: Operand) => graph.transpose(x),
    reference: (x: Float64Array) => transposed(x, 2, 3),
  },
  {
    name: "gather",
    shapes: [[3, 2]],
    gate: (x: graph.Value | Tensor) =>
      graph.gather(x, (x instanceof graph.Value ? x.tensor : x).runtime.tensor(Int32Array.of(2, 0, 2))),
    reference: (x: Float64Array) => [4, 5, 0, 1, 4, 5].map((i) => x[i]!),
  },
  {
    name: "max",
    shapes: [[3, 4]],
    gate: (x: Operand) => graph.max(x),
    reference: (x: Float64Array) => [Math.max(...x)],
  },
  {
    name: "max along 0",
    shapes: [[3, 2]],
    gate: (x: Operand) => graph.max(x, { axis: 0 }),
    reference: (x: Float64Array) => [Math.max(x[0]!, x[2]!, x[4]!), Math.max(x[1]!, x[3]!, x[5]!)],
  },
  {
    name: "softmax",
    shapes: [[3, 4]],
    gate: (x: Operand) => graph.softmax(x),
    reference: (x: Float64Array) => softmax.softmax(x, 3, 4).values,
    range: [-2, 2],
  },
  {
    name: "logSoftmax",
    shapes: [[3, 4]],
    gate: (x: Operand) => graph.logSoftmax(x),
    reference: (x: Float64Array) => softmax.logSoftmax(x, 3, 4).values,
    range: [-2, 2],
  },
  {
    name: "softmaxCrossEntropy",
    shapes: [[3, 4]],
    gate: (x: Operand) => graph.softmaxCrossEntropy(x, labels),
    reference: (x: Float64Array) => [total(softmaxCrossEntropy(x, labels, 3, 4, 1 / 3).loss.values) / 3],
    range: [-2, 2],
  },
  ...([undefined, "relu", "tanh", "leakyRelu"] as const).map((activation) => ({
    name: `dense ${activation ?? ""}`,
    shapes: [[3, 5], [4, 5], [4]],
    gate: (x: Operand, W: Operand, b: Operand) => graph.dense(x, W, b, activation && { activation }),
    reference: (x: Float64Array, W: Float64Array, b: Float64Array) => {
      return matmul.matmul(3, 4, 5, x, transposed(W, 4, 5), [], b, 1, 0, EPILOGUE[activation ?? "none"], 0.01).values;
    },
  })),
  ...([undefined, "relu"] as const).map((activation) => ({
    name: `batchNorm ${activation ?? ""}`,
    shapes: [[6, 3], [3], [3]],
    gate: (x: Operand, gamma: Operand, beta: Operand) => graph.batchNorm(x, gamma, beta, activation && { activation }),
    reference: (x: Float64Array, gamma: Float64Array, beta: Float64Array) =>
      normalize(x, statistics(x, 6, 3), gamma, beta, 6, 3, 1e-5, activation === "relu").values,
  })),
];
