/** Calls of TensorFlow.js on tensors so small that nearly all of their time is the way to the kernel and back. */
import * as tf from "@tensorflow/tfjs-core";

const SIZE = 4;
const SHAPE: [number, number] = [SIZE, SIZE];

/** What the calls work on: numbers from −2 to 2 that are no zeros. */
function makeOperands() {
  const numbers = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7) % 16) / 4 - 1.9);
  const matrix = () => tf.tensor2d(numbers(SIZE * SIZE), SHAPE);
  const [a, b] = [matrix(), matrix()];
  const row = tf.tensor1d(numbers(SIZE));
  const index = tf.tensor1d([2, 0, 3, 1], "int32");
  const flags = tf.greater(a, row);
  return { a, b, row, two: tf.scalar(2), index, flags };
}

type Operands = ReturnType<typeof makeOperands>;

/** What is timed, by name. Results are of the types that all backends give them. */
const CALLS = {
  relu: ({ a }) => tf.relu(a),
  tanh: ({ a }) => tf.tanh(a),
  sigmoid: ({ a }) => tf.sigmoid(a),
  exp: ({ a }) => tf.exp(a),
  square: ({ a }) => tf.square(a),
  neg: ({ a }) => tf.neg(a),
  step: ({ a }) => tf.step(a),
  clipByValue: ({ a }) => tf.clipByValue(a, -1, 1),
  add: ({ a, b }) => tf.add(a, b),
  "add, a row": ({ a, row }) => tf.add(a, row),
  "mul, a scalar": ({ a, two }) => tf.mul(a, two),
  sub: ({ a, b }) => tf.sub(a, b),
  div: ({ a, b }) => tf.div(a, b),
  maximum: ({ a, b }) => tf.maximum(a, b),
  greater: ({ a, b }) => tf.greater(a, b),
  where: ({ flags, a, b }) => tf.where(flags, a, b),
  sum: ({ a }) => tf.sum(a),
  "sum, columns": ({ a }) => tf.sum(a, 0),
  mean: ({ a }) => tf.mean(a),
  "max, rows": ({ a }) => tf.max(a, 1),
  softmax: ({ a }) => tf.softmax(a),
  matMul: ({ a, b }) => tf.matMul(a, b),
  "fused.matMul": ({ a, b, row }) => tf.fused.matMul({ a, b, bias: row, activation: "relu" }),
  reshape: ({ a }) => tf.reshape(a, [SIZE * SIZE]),
  transpose: ({ a }) => tf.transpose(a),
  slice: ({ a }) => tf.slice(a, [1, 1], [2, 2]),
  concat: ({ a, b }) => tf.concat([a, b], 1),
  stack: ({ a, b }) => tf.stack([a, b]),
  pad: ({ a }) => tf.pad2d(a, [[1, 1], [1, 1]]), // prettier-ignore
  tile: ({ row }) => tf.tile(row, [3]),
  gather: ({ a, index }) => tf.gather(a, index),
  oneHot: ({ index }) => tf.oneHot(index, SIZE),
  cast: ({ flags }) => tf.cast(flags, "float32"),
  zerosLike: ({ a }) => tf.zerosLike(a),
  clone: ({ a }) => tf.clone(a),
} satisfies Record<string, (operands: Operands) => tf.Tensor>;

export type CallName = keyof typeof CALLS;
export const CALL_NAMES = Object.keys(CALLS) as CallName[];

/** A call and what it works on. */
export interface TinyCall {
  /** The result's elements. */
  values(): number[];
  /** Makes the call and lets its result go, so many times. */
  repeat(times: number): void;
}

let operands: Operands | undefined;

export function makeCall(name: CallName): TinyCall {
  const own = (operands ??= makeOperands());
  const call: (operands: Operands) => tf.Tensor = CALLS[name];
  return {
    values() {
      const result = call(own);
      const values = Array.from(result.dataSync());
      result.dispose();
      return values;
    },
    repeat(times) {
      for (let i = 0; i < times; i++) call(own).dispose();
    },
  };
}
