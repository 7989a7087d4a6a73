import { test } from "node:test";
import { matmul } from "../reference/matmul.js";
import { Random } from "../support/random.js";
import { expectTensor, product, sourceOf, tf } from "./backend.js";

type Sizes = readonly [m: number, n: number, k: number];

/** One of each kind of batch: none, equal, B or A shared, broadcast on both sides, of further dimensions. */
const BATCHES: readonly { outerA: number[]; outerB: number[]; outer: number[]; sizes: Sizes }[] = [
  { outerA: [], outerB: [], outer: [], sizes: [131, 97, 263] },
  { outerA: [3], outerB: [3], outer: [3], sizes: [37, 29, 53] },
  { outerA: [5], outerB: [1], outer: [5], sizes: [37, 29, 53] },
  { outerA: [1], outerB: [4], outer: [4], sizes: [37, 29, 53] },
  { outerA: [2, 1], outerB: [1, 3], outer: [2, 3], sizes: [19, 23, 31] },
  { outerA: [3], outerB: [2, 3], outer: [2, 3], sizes: [19, 23, 31] },
  { outerA: [2, 1, 2], outerB: [3, 1], outer: [2, 3, 2], sizes: [5, 7, 11] },
];

const TRANSPOSES = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Matrices of rows × columns as they are stored transposed. */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const size = rows * columns;
  return data.map((_, i) => {
    const within = i % size;
    return data[i - within + (within % rows) * columns + Math.floor(within / rows)]!;
  });
}

/** A·B in float64 with the scale of its errors, and with a bias that `biasAt` gives for each element. */
function reference(
  { outerA, outerB, outer, sizes: [m, n, k] }: (typeof BATCHES)[number],
  a: Float32Array,
  b: Float32Array,
  biasAt: (row: number, column: number) => number,
) {
  const values = new Float64Array(product(outer) * m * n);
  const magnitude = new Float64Array(values.length);
  for (let batch = 0; batch < product(outer); batch++) {
    const [i, j] = [sourceOf(outerA, outer, batch), sourceOf(outerB, outer, batch)];
    const [A, B] = [a.subarray(i * m * k, (i + 1) * m * k), b.subarray(j * k * n, (j + 1) * k * n)];
    const c = matmul(m, n, k, A, B, [], [], 1, 0, 0);
    c.values.forEach((value, at) => {
      const bias = biasAt(Math.floor(at / n), at % n);
      values[batch * m * n + at] = value + bias;
      magnitude[batch * m * n + at] = c.magnitude[at]! + Math.abs(bias);
    });
  }
  return { values, magnitude };
}

for (const row of BATCHES) {
  const { outerA, outerB, outer, sizes } = row;
  const [m, n, k] = sizes;
  for (const [transposeA, transposeB] of TRANSPOSES) {
    const name = `[${outerA.join()}]×[${outerB.join()}] ${transposeA ? "T" : "N"}${transposeB ? "T" : "N"} ${sizes.join("×")}`;
    test(`matMul ${name}`, () => {
      const random = new Random(1);
      const a = random.floats(product(outerA) * m * k);
      const b = random.floats(product(outerB) * k * n);
      const [A, B] = [
        transposeA ? tf.tensor(transposed(a, m, k), [...outerA, k, m]) : tf.tensor(a, [...outerA, m, k]),
        transposeB ? tf.tensor(transposed(b, k, n), [...outerB, n, k]) : tf.tensor(b, [...outerB, k, n]),
      ];
      const expected = reference(row, a, b, () => 0);
      const tolerance = { roundings: k + 2 };
      expectTensor(name, () => tf.matMul(A, B, transposeA, transposeB), [...outer, m, n], { ...expected, tolerance });
      A.dispose();
      B.dispose();
    });
  }
}

/** fused.matMul folds the batch dimensions of each operand into one before any backend sees them: one batch alone broadcasts. */
const FOLDED = BATCHES.filter(({ outerA, outerB }) => outerA.length < 2 && outerB.length < 2);

for (const row of FOLDED) {
  const { outerA, outerB, outer, sizes } = row;
  const [m, n, k] = sizes;
  for (const [transposeA, transposeB] of TRANSPOSES) {
    const name = `fused.matMul [${outerA.join()}]×[${outerB.join()}] ${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}, bias, relu`;
    test(name, () => {
      const random = new Random(3);
      const [a, b] = [random.floats(product(outerA) * m * k), random.floats(product(outerB) * k * n)];
      const bias = random.floats(n);
      const A = transposeA ? tf.tensor(transposed(a, m, k), [...outerA, k, m]) : tf.tensor(a, [...outerA, m, k]);
      const B = transposeB ? tf.tensor(transposed(b, k, n), [...outerB, n, k]) : tf.tensor(b, [...outerB, k, n]);
      const biasTensor = tf.tensor1d(bias);
      const { values, magnitude } = reference(row, a, b, (_, column) => bias[column]!);
      const expected = {
        values: values.map((value) => Math.max(value, 0)),
        magnitude,
        tolerance: { roundings: k + 3 },
      };
      const fused = { a: A, b: B, transposeA, transposeB, bias: biasTensor, activation: "relu" } as const;
      expectTensor(name, () => tf.fused.matMul(fused), [...outer, m, n], expected);
      tf.dispose([A, B, biasTensor]);
    });
  }
}

type Activation = "linear" | "relu" | "relu6" | "elu" | "sigmoid" | "leakyrelu" | "prelu";

const SLOPE = 0.3;

const ACTIVATIONS: Readonly<Record<Activation, (x: number, alpha: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  leakyrelu: (x) => (x > 0 ? x : SLOPE * x),
  prelu: (x, alpha) => (x > 0 ? x : alpha * x),
};

const FUSED: Sizes = [67, 43, 101];

/** Shapes of a bias of 67×43 products: none, one a column, one a row, one an element, one for all. */
const BIASES = [undefined, [43], [1, 43], [67, 1], [67, 43], [1]];

for (const [activation, f] of Object.entries(ACTIVATIONS) as [Activation, (typeof ACTIVATIONS)[Activation]][]) {
  for (const biasShape of BIASES) {
    const name = `fused.matMul ${activation}, bias ${biasShape ? `[${biasShape.join()}]` : "none"}`;
    test(name, () => {
      const random = new Random(2);
      const [m, n, k] = FUSED;
      const [a, b] = [random.floats(m * k), random.floats(k * n)];
      const bias = biasShape && random.floats(product(biasShape));
      const alphas = random.floats(n, 0, 1);
      const [A, B] = [tf.tensor2d(a, [m, k]), tf.tensor2d(b, [k, n])];
      const biasTensor = bias && tf.tensor(bias, biasShape);
      const alpha = tf.tensor1d(alphas);
      const biasAt = (row: number, column: number) => {
        if (!bias) return 0;
        const rowStride = biasShape.length < 2 || biasShape[0] === 1 ? 0 : biasShape[1]!;
        return bias[row * rowStride + (biasShape.at(-1) === 1 ? 0 : column)]!;
      };
      const { values, magnitude } = reference({ outerA: [], outerB: [], outer: [], sizes: FUSED }, a, b, biasAt);
      const expected = values.map((value, at) => f(value, alphas[at % n]!));
      expectTensor(
        name,
        () =>
          tf.fused.matMul({
            a: A,
            b: B,
            activation,
            leakyreluAlpha: SLOPE,
            ...(biasTensor ? { bias: biasTensor } : {}),
            ...(activation === "prelu" ? { preluActivationWeights: alpha } : {}),
          }),
        [m, n],
        { values: expected, magnitude: magnitude.map((sum) => sum + 1), tolerance: { roundings: k + 8 } },
      );
      tf.dispose([A, B, alpha, ...(biasTensor ? [biasTensor] : [])]);
    });
  }
}
