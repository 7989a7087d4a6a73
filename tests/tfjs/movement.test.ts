import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../support/random.js";
import { expectTensor, product, tf } from "./backend.js";

type Index = number[];

/** Every index of a tensor of this shape, row by row. */
function* indicesOf(shape: readonly number[]): Generator<Index> {
  for (let at = 0; at < product(shape); at++) {
    let rest = at;
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield index;
  }
}

const offsetOf = (shape: readonly number[], index: Index) => index.reduce((at, i, axis) => at * shape[axis]! + i, 0);

/** A resident tensor of random numbers, and its elements by their index. */
function resident(shape: number[], seed = 5): { x: tf.Tensor; at: (index: Index) => number } {
  const data = new Random(seed).floats(product(shape));
  const outside = tf.tensor(data, shape);
  const x = tf.neg(outside);
  outside.dispose();
  return { x, at: (index) => -data[offsetOf(shape, index)]! };
}

/** Checks that the element at each index of `compute`'s result is the one that `source` gives. */
function expectMoved(context: string, compute: () => tf.Tensor, shape: number[], source: (index: Index) => number) {
  const values = Float64Array.from([...indicesOf(shape)].map(source));
  expectTensor(context, compute, shape, { values, tolerance: "exact" });
}

const SHAPE = [5, 67, 3, 17];

test("slice: consecutive, of the last dimension, of all, of one column, of nothing", () => {
  const { x, at } = resident(SHAPE);
  for (const [begin, size] of [
    [
      [2, 0, 0, 0],
      [3, 67, 3, 17],
    ],
    [
      [0, 0, 0, 4],
      [5, 67, 3, 9],
    ],
    [
      [1, 5, 1, 2],
      [3, 50, 2, 7],
    ],
    [
      [0, 3, 0, 16],
      [5, 60, 3, 1],
    ],
    [
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ],
    [
      [0, 0, 0, 3],
      [5, 0, 3, 4],
    ],
  ] as const) {
    const moved = (index: Index) => at(index.map((i, axis) => i + begin[axis]!));
    expectMoved(`slice ${begin.join()} ${size.join()}`, () => tf.slice(x, [...begin], [...size]), [...size], moved);
  }
  x.dispose();
});

test("transpose: every permutation of four dimensions", () => {
  const { x, at } = resident(SHAPE);
  for (const first of [0, 1, 2, 3]) {
    for (const second of [0, 1, 2, 3]) {
      for (const third of [0, 1, 2, 3]) {
        const perm = [first, second, third, 6 - first - second - third];
        if (new Set(perm).size < 4) continue;
        const shape = perm.map((axis) => SHAPE[axis]!);
        const back = (index: Index) => at(perm.map((_, axis) => index[perm.indexOf(axis)]!));
        expectMoved(`transpose ${perm.join()}`, () => tf.transpose(x, perm), shape, back);
      }
    }
  }
  x.dispose();
});

test("concat and split along every dimension", () => {
  for (const axis of [0, 1, 2, 3]) {
    const sizes = [3, 1, 5];
    const shapes = sizes.map((size) => SHAPE.map((own, other) => (other === axis ? size : own)));
    const parts = shapes.map((shape, i) => resident(shape, i));
    const shape = SHAPE.map((own, other) => (other === axis ? 9 : own));
    const begins = [0, 3, 4];
    const partOf = (i: number) => (i < 3 ? 0 : i < 4 ? 1 : 2);
    const source = (index: Index) => {
      const part = partOf(index[axis]!);
      return parts[part]!.at(index.map((i, other) => (other === axis ? i - begins[part]! : i)));
    };
    const join = () =>
      tf.concat(
        parts.map(({ x }) => x),
        axis,
      );
    expectMoved(`concat ${axis}`, join, shape, source);
    const joined = join();
    for (const [i, { at }] of parts.entries()) {
      expectMoved(`split ${axis}, ${i}`, () => tf.split(joined, sizes, axis)[i]!, shapes[i]!, at);
    }
    tf.dispose([joined, ...parts.map(({ x }) => x)]);
  }
});

test("stack and unstack along every dimension", () => {
  const shape = [7, 13, 5];
  const parts = [0, 1, 2].map((seed) => resident(shape, seed));
  for (const axis of [0, 1, 2, 3]) {
    const whole = [...shape.slice(0, axis), 3, ...shape.slice(axis)];
    const source = (index: Index) => parts[index[axis]!]!.at(index.filter((_, other) => other !== axis));
    const join = () =>
      tf.stack(
        parts.map(({ x }) => x),
        axis,
      );
    expectMoved(`stack ${axis}`, join, whole, source);
    const joined = join();
    for (const [i, { at }] of parts.entries()) {
      expectMoved(`unstack ${axis}, ${i}`, () => tf.unstack(joined, axis)[i]!, shape, at);
    }
    joined.dispose();
  }
  tf.dispose(parts.map(({ x }) => x));
});

test("pad with a number on every side", () => {
  const { x, at } = resident([7, 19, 3]);
  const paddings: [number, number][] = [
    [1, 2],
    [0, 3],
    [4, 0],
  ];
  const inside = (index: Index) => index.map((i, axis) => i - paddings[axis]![0]);
  const isInside = (index: Index) => inside(index).every((i, axis) => i >= 0 && i < x.shape[axis]!);
  const source = (index: Index) => (isInside(index) ? at(inside(index)) : -1.5);
  expectMoved("pad", () => tf.pad(x, paddings, -1.5), [10, 22, 7], source);
  const column = resident([31, 1]);
  const padded = (index: Index) => (index[1] === 2 ? column.at([index[0]!, 0]) : 0);
  expectMoved(
    "pad a column",
    () =>
      tf.pad(column.x, [
        [0, 0],
        [2, 4],
      ] as never),
    [31, 7],
    padded,
  );
  tf.dispose([x, column.x]);
});

test("tile whole tensors, rows, columns and single elements", () => {
  for (const [shape, reps] of [
    [
      [31, 17],
      [2, 3],
    ],
    [
      [1, 17],
      [31, 1],
    ],
    [
      [31, 1],
      [1, 17],
    ],
    [
      [1, 1, 1, 29],
      [1, 1, 64, 1],
    ],
    [[1], [1001]],
  ] as const) {
    const { x, at } = resident([...shape]);
    const source = (index: Index) => at(index.map((i, axis) => i % shape[axis]!));
    const result = shape.map((size, axis) => size * reps[axis]!);
    expectMoved(`tile [${shape.join()}] ${reps.join()}`, () => tf.tile(x, [...reps]), result, source);
    x.dispose();
  }
});

test("gather rows, columns and by batch; an index outside is refused", () => {
  const { x, at } = resident([7, 53, 31]);
  const index = new Random(6).integers(40, 0, 6);
  for (const axis of [0, 1, 2]) {
    const shape = x.shape.map((size, other) => (other === axis ? index.length : size));
    const places = tf.tensor1d(index, "int32");
    const source = (to: Index) => at(to.map((i, other) => (other === axis ? index[i]! : i)));
    expectMoved(`gather ${axis}`, () => tf.gather(x, places, axis), shape, source);
    places.dispose();
  }
  const perBatch = tf.tensor2d(new Random(7).integers(7 * 3, 0, 52), [7, 3], "int32");
  const batchIndex = perBatch.dataSync();
  const fromBatch = ([b, i, j]: Index) => at([b!, batchIndex[b! * 3 + i!]!, j!]);
  expectMoved("gather by batch", () => tf.gather(x, perBatch, 1, 1), [7, 3, 31], fromBatch);
  assert.throws(() => tf.gather(x, tf.tensor1d([7], "int32")), /index value 7 is not in \[0, 6\]/);
  tf.dispose([x, perBatch]);
});

test("oneHot of every type; an index outside gives a row without", () => {
  const depth = 67;
  const index = Int32Array.from({ length: 131 }, (_, i) => ((i * 29) % (depth + 4)) - 2);
  const indices = tf.tensor2d(index, [1, 131], "int32");
  for (const dtype of ["float32", "int32", "bool"] as const) {
    const [on, off] = dtype === "bool" ? [1, 0] : [5, -3];
    const values = Float64Array.from({ length: 131 * depth }, (_, at) =>
      index[Math.floor(at / depth)] === at % depth ? on : off,
    );
    const hot = () => tf.oneHot(indices, depth, on, off, dtype);
    expectTensor(`oneHot, ${dtype}`, hot, [1, 131, depth], { values, tolerance: "exact" });
  }
  indices.dispose();
});

test("unsortedSegmentSum adds rows with the same number", () => {
  const { x, at } = resident([257, 33]);
  const ids = Int32Array.from(new Random(8).integers(257, 0, 18));
  const values = new Float64Array(20 * 33);
  const magnitude = new Float64Array(20 * 33);
  for (const [row, id] of ids.entries()) {
    for (let j = 0; j < 33; j++) {
      values[id * 33 + j]! += at([row, j]);
      magnitude[id * 33 + j]! += Math.abs(at([row, j]));
    }
  }
  const segments = tf.tensor1d(ids, "int32");
  const sum = () => tf.unsortedSegmentSum(x, segments, 20);
  expectTensor("unsortedSegmentSum", sum, [20, 33], { values, magnitude, tolerance: { roundings: 40 } });
  tf.dispose([x, segments]);
});

test("int32 and bool move bit for bit", () => {
  const integers = tf.tensor2d([2 ** 31 - 1, -1, 0x7f800001, 3, 4, 5], [2, 3], "int32");
  const flags = tf.greater(tf.cast(integers, "float32"), 3);
  const [turned, turnedFlags] = [tf.transpose(integers), tf.transpose(flags)];
  assert.deepEqual(turned.dataSync(), Int32Array.of(2 ** 31 - 1, 3, -1, 4, 0x7f800001, 5));
  assert.deepEqual(turnedFlags.dataSync(), Uint8Array.of(1, 0, 0, 1, 1, 1));
  tf.dispose([integers, flags, turned, turnedFlags]);
});

test("casts convert", () => {
  const floats = tf.tensor1d([1.9, -1.9, 0, 3e9, NaN]);
  const integers = tf.cast(floats, "int32");
  assert.deepEqual(integers.dataSync(), Int32Array.of(1, -1, 0, 3e9, NaN));
  const again = tf.cast(integers, "float32");
  expectTensor("arithmetic on cast integers", () => tf.add(again, again), [5], {
    values: [2, -2, 0, 2 * (3e9 | 0), 0],
    tolerance: "exact",
  });
  tf.dispose([floats, integers, again]);
});
