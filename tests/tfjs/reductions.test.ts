import { test } from "node:test";
import { Random } from "../support/random.js";
import { expectTensor, product, tf } from "./backend.js";

const SHAPE = [7, 5, 13, 31];

/** Sets of axes: each, neighbours, apart, all. */
const AXES = [[0], [1], [2], [3], [0, 1], [2, 3], [1, 2], [0, 2], [1, 3], [0, 2, 3], [0, 1, 2, 3]];

/** Reduces data of SHAPE along axes by plain loops; `step` takes the result so far and an element. */
function reduced(data: Float32Array, axes: readonly number[], start: number, step: (sum: number, x: number) => number) {
  const kept = SHAPE.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const values = new Float64Array(product(kept)).fill(start);
  data.forEach((x, at) => {
    let place = 0;
    let size = 1;
    for (let axis = SHAPE.length - 1; axis >= 0; axis--) {
      if (!axes.includes(axis)) {
        place += (at % SHAPE[axis]!) * size;
        size *= SHAPE[axis]!;
      }
      at = Math.floor(at / SHAPE[axis]!);
    }
    values[place] = step(values[place]!, x);
  });
  return { values, kept };
}

type Reduce = (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor;

const REDUCTIONS: Readonly<Record<string, { op: Reduce; start: number; step: (sum: number, x: number) => number }>> = {
  sum: { op: tf.sum, start: 0, step: (sum, x) => sum + x },
  max: { op: tf.max, start: -Infinity, step: Math.max },
  min: { op: tf.min, start: Infinity, step: Math.min },
};

for (const [name, { op, start, step }] of Object.entries(REDUCTIONS)) {
  test(`${name} along any axes`, () => {
    const data = new Random(9).floats(product(SHAPE));
    const x = tf.tensor(data, SHAPE);
    for (const axes of AXES) {
      const { values, kept } = reduced(data, axes, start, step);
      const magnitude = reduced(data, axes, 0, (sum, value) => sum + Math.abs(value)).values;
      const expected = { values, magnitude, tolerance: { roundings: name === "sum" ? 64 : 0 } };
      const shape = SHAPE.filter((_, axis) => !axes.includes(axis));
      expectTensor(`${name} [${axes.join()}]`, () => op(x, axes, false), shape, expected);
      expectTensor(`${name} [${axes.join()}], kept`, () => op(x, axes.toReversed(), true), kept, expected);
    }
    x.dispose();
  });
}

test("mean along any axes", () => {
  const data = new Random(10).floats(product(SHAPE));
  const x = tf.tensor(data, SHAPE);
  for (const axes of AXES) {
    const count = product(axes.map((axis) => SHAPE[axis]!));
    const { values, kept } = reduced(data, axes, 0, (sum, value) => sum + value / count);
    const magnitude = reduced(data, axes, 0, (sum, value) => sum + Math.abs(value) / count).values;
    const expected = { values, magnitude, tolerance: { roundings: 64 } };
    expectTensor(`mean [${axes.join()}]`, () => tf.mean(x, axes, true), kept, expected);
  }
  x.dispose();
});
