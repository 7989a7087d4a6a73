import assert from "node:assert/strict";
import { test } from "node:test";
import { backend, tf } from "./backend.js";

const ints = (values: number[], shape?: number[]) => tf.tensor(values, shape, "int32");
const bools = (values: number[], shape?: number[]) => tf.tensor(values, shape, "bool");
/** Flags that a kernel of ours made. */
const flags = () => tf.greater(tf.tensor1d([1, -1, 3]), 0);
/** Numbers that a kernel of ours made. */
const floats = (...values: number[]) => tf.neg(tf.neg(tf.tensor1d(values)));

/** Programs at the edges of types and shapes, some of which mean nothing and throw. */
const PROGRAMS: Readonly<Record<string, () => tf.Tensor | tf.Tensor[]>> = {
  "int32 that overflows": () => [tf.add(ints([2 ** 31 - 1]), ints([1])), tf.mul(ints([65536]), ints([46341]))],
  "int32 and float32": () => tf.add(ints([1, 2]), floats(0.5, 0.5)),
  "int32 alone": () => [tf.neg(ints([3])), tf.abs(ints([-3])), tf.square(ints([3])), tf.relu(ints([-3]))],
  "int32 divided": () => [tf.div(ints([7, -7]), ints([2, 2])), tf.floorDiv(ints([7, -7]), ints([2, 2]))],
  "int32 reduced": () => [tf.sum(ints([1, 5])), tf.mean(ints([1, 4])), tf.max(ints([1, 5]))],
  "matMul of int32": () => tf.matMul(ints([1, 2, 3, 4], [2, 2]), ints([5, 6, 7, 8], [2, 2])),
  "bool and float32": () => tf.add(flags(), floats(2, 3, 4)),
  "bool and bool": () => [tf.add(flags(), bools([1, 1, 0])), tf.equal(flags(), bools([1, 1, 0]))],
  "bool reduced": () => [tf.sum(flags()), tf.mean(flags()), tf.all(flags()), tf.any(flags())],
  "bool moved": () => [tf.tile(flags(), [2]), tf.pad(flags(), [[1, 1]], 1), tf.concat([flags(), bools([1])])],
  "bool in where": () => tf.where(flags(), bools([1, 1, 0]), bools([0, 1, 1])),
  "float32 as bool": () => tf.cast(floats(1, 0, -0, 0.5, NaN), "bool"),
  "casts one after another": () => tf.cast(tf.cast(tf.cast(floats(1.5, 0), "bool"), "float32"), "int32"),
  "arithmetic on cast numbers": () => tf.add(tf.cast(tf.cast(floats(1.5, 2.7), "int32"), "float32"), 0.5),
  "where of int32": () => tf.where(bools([1, 0]), ints([1, 2]), ints([3, 4])),
  "where that broadcasts": () => tf.where(bools([1, 0], [2, 1]), tf.ones([1, 3]), tf.zeros([2, 3])),
  "types mixed in concat": () => tf.concat([ints([1]), floats(0.5)]),
  "types mixed in stack": () => tf.stack([ints([1]), floats(0.5)]),
  "nothing reduced": () => [tf.sum(tf.zeros([0, 3]), 0), tf.sum(tf.zeros([0, 3]), 1), tf.sum(tf.zeros([0]))],
  "no axes": () => [tf.sum(floats(1, 2), []), tf.mean(floats(1, 2), [])],
  "products of nothing": () => [
    tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])),
    tf.matMul(tf.zeros([0, 2]), tf.ones([2, 3])),
  ],
  "nothing moved": () => [tf.concat([tf.zeros([2, 0]), tf.ones([2, 3])], 1), tf.gather(tf.ones([3, 2]), ints([]))],
  "nothing split": () => [
    ...tf.split(tf.neg(tf.zeros([0, 4])), 2, 1),
    ...tf.split(tf.neg(tf.ones([2, 4])), [0, 4], 1),
    ...tf.unstack(tf.zeros([2, 0])),
  ],
  "softmax of nothing": () => [tf.softmax(tf.zeros([0, 4])), tf.softmax(tf.zeros([4, 0]))],
  "reshape with a dimension to find": () => tf.reshape(tf.neg(tf.ones([2, 6])), [-1, 3]),
  "reshape to another size": () => tf.reshape(tf.ones([2, 6]), [5, 3]),
  "reshape with two dimensions to find": () => tf.reshape(tf.ones([2, 6]), [-1, -12]),
  "complex reshaped": () => tf.real(tf.reshape(tf.complex([1, 2], [3, 4]), [2, 1])),
  "complex multiplied": () => {
    const z = tf.complex(floats(1, 2), floats(3, 4));
    return [tf.real(tf.mul(z, z)), tf.imag(tf.mul(z, z))];
  },
  "complex moved": () => tf.imag(tf.concat([tf.slice(tf.complex([1, 2], [4, 5]), 1, 1), tf.complex([3], [6])])),
  "Fourier transform": () => tf.real(tf.spectral.fft(tf.complex(floats(1, 2, 3, 4), tf.zeros([4])))),
  "strings moved": () => [
    tf.concat([tf.tensor(["a"]), tf.tensor(["b"])]),
    tf.slice(tf.tensor(["a", "b", "c"]), 1, 2),
    tf.gather(tf.tensor(["a", "b"]), ints([1, 0])),
    tf.stack([tf.tensor(["a"]), tf.tensor(["b"])]),
    tf.reshape(tf.tensor(["a", "b"]), [2, 1]),
  ],
  "strings compared": () => tf.equal(tf.tensor(["a", "b"]), tf.tensor(["a", "c"])),
  "NaN and infinities": () => [
    tf.relu(floats(NaN, -0, Infinity, -Infinity)),
    tf.max(floats(1, NaN, 2)),
    tf.maximum(floats(1, NaN), floats(NaN, 2)),
    tf.div(floats(1, -1, 0), floats(0, 0, 0)),
    tf.sqrt(floats(-1)),
    tf.log(floats(0)),
  ],
  "six dimensions": () => tf.transpose(tf.neg(tf.ones([1, 2, 1, 3, 1, 2])), [5, 4, 3, 2, 1, 0]),
  "six dimensions that broadcast": () => tf.add(tf.ones([1, 2, 1, 3, 1, 2]), tf.ones([2, 1, 1, 2, 1])),
  "kernels of cpu on what ours made": () => [
    tf.argMax(floats(1, 5, 3)),
    tf.cumsum(floats(1, 5, 3)),
    tf.reverse(floats(1, 5, 3)),
    tf.pow(floats(2, 3), 2),
    tf.prod(floats(2, 3)),
    tf.scatterND(ints([1], [1, 1]), floats(5), [3]),
    tf.conv1d(tf.neg(tf.ones<tf.Rank.R3>([1, 4, 1])), tf.ones([2, 1, 1]), 1, "valid"),
  ],
  "oneHot of a cast": () => tf.oneHot(tf.cast(floats(1.7, 0.2), "int32"), 3),
  "one index outside": () => tf.gather(floats(1, 2), ints([2])),
  "a slice beyond the end": () => tf.slice(floats(1, 2), [1], [5]),
  "an axis too many": () => tf.sum(floats(1, 2), [3]),
  "parts of unequal size": () => tf.split(floats(1, 2, 3), 2),
  "shapes that do not broadcast": () => tf.add(floats(1, 2), floats(1, 2, 3)),
  "matrices that do not fit": () => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3])),
  "a disposed tensor": () => {
    const x = floats(1);
    x.dispose();
    return tf.relu(x);
  },
};

interface Outcome {
  readonly shape: number[];
  readonly dtype: string;
  readonly values: readonly unknown[];
}

/** What a program's results are, "throws" if it has none. */
function outcomesOf(program: () => tf.Tensor | tf.Tensor[]): Outcome[] | "throws" {
  tf.engine().startScope();
  try {
    const results = program();
    return (Array.isArray(results) ? results : [results]).map((result) => ({
      shape: result.shape,
      dtype: result.dtype,
      values: Array.from<unknown>(result.dataSync()),
    }));
  } catch {
    return "throws";
  } finally {
    tf.engine().endScope();
  }
}

/** Whether values are equal, numbers but for some roundings. */
const areAlike = (a: unknown, b: unknown) =>
  a === b ||
  Object.is(a, b) ||
  (typeof a === "number" && typeof b === "number" && Math.abs(a - b) <= 1e-6 * (1 + Math.abs(b)));

for (const [name, program] of Object.entries(PROGRAMS)) {
  test(`as on cpu: ${name}`, async (t) => {
    t.mock.method(console, "warn", () => undefined); // cpu recommends another package
    await tf.setBackend("cpu");
    const expected = outcomesOf(program);
    await tf.setBackend("simdgrad");
    const held = [tf.memory().numTensors, backend.numDataIds()];
    const actual = outcomesOf(program);
    assert.deepEqual([tf.memory().numTensors, backend.numDataIds()], held, "what is held");
    if (expected === "throws" || actual === "throws") {
      assert.equal(actual, expected);
      return;
    }
    const shapes = (outcomes: Outcome[]) => outcomes.map(({ shape, dtype }) => `${dtype} ${shape.join("×")}`);
    assert.deepEqual(shapes(actual), shapes(expected));
    for (const [i, { values }] of expected.entries()) {
      for (const [at, value] of values.entries()) {
        const own = actual[i]!.values[at];
        assert.ok(areAlike(own, value), `result ${i}, element ${at}: ${String(own)}, on cpu ${String(value)}`);
      }
    }
  });
}
