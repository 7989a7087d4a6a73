import { test } from "node:test";
import { Random } from "../support/random.js";
import { expectTensor, product, sourceOf, tf } from "./backend.js";

/** Shapes of two operands and of the result: equal, one element, rows, columns, both, in the middle, of other ranks. */
const SHAPES: readonly (readonly [a: number[], b: number[], result: number[]])[] = [
  [
    [131, 67],
    [131, 67],
    [131, 67],
  ],
  [[9001], [], [9001]],
  [[1, 1], [9001], [1, 9001]],
  [[131, 67], [67], [131, 67]],
  [
    [131, 1],
    [131, 67],
    [131, 67],
  ],
  [[131, 1], [67], [131, 67]],
  [
    [5, 13, 17],
    [5, 1, 17],
    [5, 13, 17],
  ],
  [
    [5, 1, 7, 1],
    [3, 1, 11],
    [5, 3, 7, 11],
  ],
  [
    [4, 3, 1, 5, 2],
    [4, 1, 6, 1, 2],
    [4, 3, 6, 5, 2],
  ],
  [[0, 3], [3], [0, 3]],
];

interface Binary {
  readonly op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
  readonly f: (a: number, b: number) => number;
  /** Small integers, of which many are equal. */
  readonly integers?: boolean;
}

const BINARY: Readonly<Record<string, Binary>> = {
  add: { op: tf.add, f: (a, b) => a + b },
  sub: { op: tf.sub, f: (a, b) => a - b },
  mul: { op: tf.mul, f: (a, b) => a * b },
  div: { op: tf.div, f: (a, b) => a / b },
  minimum: { op: tf.minimum, f: Math.min },
  maximum: { op: tf.maximum, f: Math.max },
  equal: { op: tf.equal, f: (a, b) => Number(a === b), integers: true },
  notEqual: { op: tf.notEqual, f: (a, b) => Number(a !== b), integers: true },
  less: { op: tf.less, f: (a, b) => Number(a < b), integers: true },
  lessEqual: { op: tf.lessEqual, f: (a, b) => Number(a <= b), integers: true },
  greater: { op: tf.greater, f: (a, b) => Number(a > b), integers: true },
  greaterEqual: { op: tf.greaterEqual, f: (a, b) => Number(a >= b), integers: true },
};

for (const [name, { op, f, integers }] of Object.entries(BINARY)) {
  test(`${name} broadcasts`, () => {
    for (const [shapeA, shapeB, shape] of SHAPES) {
      const context = `${name} [${shapeA.join()}] [${shapeB.join()}]`;
      const random = new Random(3);
      const data = (own: number[]) => (integers ? random.integers(product(own), -2, 2) : random.floats(product(own)));
      const [a, b] = [data(shapeA), data(shapeB)];
      const [A, B] = [tf.tensor(a, shapeA), tf.tensor(b, shapeB)];
      const values = Float64Array.from({ length: product(shape) }, (_, at) =>
        f(a[sourceOf(shapeA, shape, at)]!, b[sourceOf(shapeB, shape, at)]!),
      );
      expectTensor(context, () => op(A, B), shape, { values, tolerance: "exact" });
      tf.dispose([A, B]);
    }
  });
}

test("comparisons, and, or choose by the element and by the row", () => {
  const random = new Random(4);
  const [rows, columns] = [131, 67];
  const shape: [number, number] = [rows, columns];
  const [a, b, row] = [random.floats(rows * columns), random.floats(rows * columns), random.floats(rows)];
  const [A, B, R] = [tf.tensor2d(a, shape), tf.tensor2d(b, shape), tf.tensor1d(row)];
  const clip = a.map((x, i) => ((x >= -0.5 && x <= 0.5) || x > 0.9 ? x : b[i]!));
  const clipped = () => {
    const inside = tf.logicalAnd(tf.greaterEqual(A, -0.5), tf.lessEqual(A, 0.5));
    return tf.where(tf.logicalOr(inside, tf.greater(A, 0.9)), A, B);
  };
  expectTensor("where, by the element", clipped, shape, { values: clip, tolerance: "exact" });
  const chosen = a.map((x, i) => (row[Math.floor(i / columns)]! > 0 ? x : b[i]!));
  const byRow = () => tf.where(tf.expandDims(tf.greater(R, 0), 1), A, B);
  expectTensor("where, by the row", byRow, shape, { values: chosen, tolerance: "exact" });
  tf.dispose([A, B, R]);
});
