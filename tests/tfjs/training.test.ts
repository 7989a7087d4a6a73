import "@tensorflow/tfjs-layers"; // registers the gradients
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../support/random.js";
import { backend, tf } from "./backend.js";

const PATTERN = tf.keep(tf.tensor2d(new Random(13).floats(35, 0, 1), [5, 7]));

/** A function of several tensors, of shapes that are no multiples of a vector. */
const FUNCTIONS: Readonly<Record<string, { shapes: number[][]; f: (...xs: tf.Tensor[]) => tf.Tensor }>> = {
  "matMul, bias, tanh": {
    shapes: [[5, 7], [7, 3], [3]],
    f: (x, W, b) => tf.tanh(tf.add(tf.matMul(x, W), b)),
  },
  "matMul, transposed and batched": {
    shapes: [
      [2, 7, 5],
      [2, 3, 7],
    ],
    f: (a, b) => tf.matMul(a, b, true, true),
  },
  "fused.matMul with ReLU": {
    shapes: [[5, 7], [7, 3], [3]],
    f: (a, b, bias) => tf.fused.matMul({ a, b, bias, activation: "relu" }),
  },
  "sigmoid, elu, softplus, leakyRelu": {
    shapes: [[5, 7]],
    f: (x) => tf.addN([tf.sigmoid(x), tf.elu(x), tf.softplus(x), tf.leakyRelu(x, 0.3)]),
  },
  "softmax and log": { shapes: [[5, 7]], f: (x) => tf.log(tf.softmax(x)) },
  "division and square root that broadcast": {
    shapes: [[5, 7], [7]],
    f: (x, y) => tf.div(x, tf.sqrt(tf.add(tf.square(y), 1))),
  },
  "clipping and where": {
    shapes: [[5, 7]],
    f: (x) => tf.where(tf.greater(PATTERN, 0.5), tf.clipByValue(x, -0.5, 0.5), tf.square(x)),
  },
  "batchNorm, every input": {
    shapes: [[9, 7], [7], [7], [7], [7]],
    f: (x, mean, deviation, gamma, beta) => tf.batchNorm(x, mean, tf.add(tf.square(deviation), 1), beta, gamma, 1e-3),
  },
  "batchNorm of a batch": {
    shapes: [[9, 5], [5], [5]],
    f: (x, gamma, beta) => {
      const { mean, variance } = tf.moments(x, 0);
      return tf.batchNorm(x, mean, variance, beta, gamma, 1e-3);
    },
  },
  "slice, concat, pad, transpose": {
    shapes: [
      [5, 7],
      [5, 2],
    ],
    f: (x, y) =>
      tf.square(
        tf.pad(tf.transpose(tf.concat([tf.slice(x, [0, 2], [5, 3]), y], 1)), [
          [1, 0],
          [0, 2],
        ]),
      ),
  },
  gather: { shapes: [[7, 3]], f: (x) => tf.square(tf.gather(x, tf.tensor1d([2, 0, 2, 6], "int32"))) },
  "stack, unstack, tile": {
    shapes: [[3, 5]],
    f: (x) => tf.square(tf.tile(tf.stack(tf.unstack(x, 1).toReversed(), 0), [2, 1])),
  },
  "max and mean": { shapes: [[5, 7]], f: (x) => tf.add(tf.max(x, 1), tf.mean(x, 1)) },
};

for (const [name, { shapes, f }] of Object.entries(FUNCTIONS)) {
  test(`gradients by central differences: ${name}`, () => {
    tf.tidy(() => {
      const random = new Random(11);
      const data = shapes.map((shape) => random.floats(shape.reduce((size, length) => size * length, 1)));
      const tensors = () => data.map((values, i) => tf.tensor(values.slice(), shapes[i]));
      // Weights that differ, so that an element in the wrong place shows.
      const weigh = (y: tf.Tensor) => {
        const weights = tf.tensor(
          Float32Array.from({ length: y.size }, (_, i) => 1 + (i % 5)),
          y.shape,
        );
        return tf.sum<tf.Scalar>(tf.mul(y, weights));
      };
      const gradients = tf.grads((...xs) => weigh(f(...xs)))(tensors());
      const step = 2 ** -7;
      for (const [i, values] of data.entries()) {
        const gradient = gradients[i]!.dataSync();
        for (let at = 0; at < values.length; at++) {
          const before = values[at]!;
          const value = (x: number) => {
            values[at] = x;
            return tf.tidy(() => weigh(f(...tensors())).dataSync()[0]!);
          };
          const difference = (value(before + step) - value(before - step)) / (2 * step);
          values[at] = before;
          const error = Math.abs(difference - gradient[at]!);
          const bound = 0.01 * (1 + Math.abs(difference));
          assert.ok(error < bound, `input ${i}, element ${at}: ${gradient[at]}, by differences ${difference}`);
        }
      }
    });
  });
}

/** A small network with its data; `step` trains once and returns the loss. */
function network(makeOptimizer: () => tf.Optimizer) {
  const random = new Random(12);
  const [x, y] = [tf.tensor2d(random.floats(33 * 13), [33, 13]), tf.tensor2d(random.floats(33 * 3), [33, 3])];
  const weights = [
    tf.tensor2d(random.floats(13 * 17), [13, 17]),
    tf.zeros([17]),
    tf.tensor2d(random.floats(51), [17, 3]),
  ];
  const [W, b, V] = weights.map((initial) => tf.variable(initial)) as [tf.Variable, tf.Variable, tf.Variable];
  tf.dispose(weights);
  const optimizer = makeOptimizer();
  const loss = () => {
    const hidden = tf.relu(tf.add(tf.matMul(x, W), b));
    return tf.losses.meanSquaredError<tf.Tensor, tf.Scalar>(y, tf.matMul(hidden, V));
  };
  const step = () => {
    const cost = optimizer.minimize(loss, true)!;
    const [value = NaN] = cost.dataSync();
    cost.dispose();
    return value;
  };
  const dispose = () => {
    optimizer.dispose();
    tf.dispose([x, y, W, b, V]);
  };
  return { step, dispose };
}

const OPTIMIZERS: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.02, 0.9),
  nesterov: () => tf.train.momentum(0.02, 0.9, true),
  adam: () => tf.train.adam(0.01),
};

for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
  test(`the losses of 100 steps of ${name} are the cpu backend's to four digits`, async (t) => {
    t.mock.method(console, "warn", () => undefined); // cpu recommends another package
    const losses = async (backendName: string) => {
      await tf.setBackend(backendName);
      const { step, dispose } = network(optimizer);
      const all = Array.from({ length: 100 }, step);
      dispose();
      return all;
    };
    const expected = await losses("cpu");
    const actual = await losses("simdgrad");
    assert.ok(expected[99]! < expected[0]! / 2, "it trains");
    for (const [i, loss] of actual.entries()) {
      assert.ok(Math.abs(loss - expected[i]!) <= 1e-4 * expected[i]!, `step ${i}: ${loss}, on cpu ${expected[i]}`);
    }
  });
}

for (const [name, makeOptimizer] of Object.entries(OPTIMIZERS)) {
  test(`${name} leaves a variable's copies alone`, () => {
    const initial = tf.tensor1d([1, 2, 3]);
    const w = tf.variable(initial);
    const copy = tf.clone(w);
    const optimizer = makeOptimizer();
    optimizer.minimize(() => tf.sum(tf.square(w)));
    assert.deepEqual(initial.dataSync(), Float32Array.of(1, 2, 3));
    assert.deepEqual(copy.dataSync(), Float32Array.of(1, 2, 3));
    for (const [i, value] of w.dataSync().entries()) assert.ok(value < i + 1, `element ${i}`);
    optimizer.dispose();
    tf.dispose([initial, copy, w]);
  });

  test(`${name} refuses a gradient of another shape and leaves out a missing one`, () => {
    const [w, other] = [tf.variable(tf.tensor1d([1, 2, 3])), tf.variable(tf.tensor1d([4]))];
    const optimizer = makeOptimizer();
    const wrong = tf.tensor1d([1]);
    assert.throws(() => {
      optimizer.applyGradients([{ name: other.name, tensor: tf.ones([3]) }]);
    }, /shape/);
    optimizer.applyGradients([
      { name: w.name, tensor: null as unknown as tf.Tensor },
      { name: other.name, tensor: wrong },
    ]);
    assert.deepEqual(w.dataSync(), Float32Array.of(1, 2, 3));
    assert.ok(other.dataSync()[0]! < 4);
    optimizer.dispose();
    tf.dispose([w, other, wrong]);
  });
}

test("second derivatives of sums, means and batch norm", () => {
  tf.tidy(() => {
    const x = tf.tensor2d(new Random(19).floats(35), [5, 7]);
    const normalize = (value: tf.Tensor) => {
      const { mean, variance } = tf.moments(value, 0);
      return tf.mean(tf.square(tf.batchNorm(value, mean, variance, tf.ones([7]), tf.ones([7]))), 0);
    };
    const weights = tf.linspace(1, 2, 7);
    const first = tf.grad((value: tf.Tensor) => tf.sum(tf.mul(tf.mul(normalize(value), weights), tf.sum(value, 0))));
    const second = tf
      .grad((value: tf.Tensor) => tf.sum(tf.square(first(value))))(x)
      .dataSync();
    const step = 2 ** -6;
    for (const at of [0, 11, 34]) {
      const value = (change: number) => {
        const moved = x.dataSync();
        moved[at]! += change;
        return tf.sum(tf.square(first(tf.tensor2d(moved, [5, 7])))).dataSync()[0]!;
      };
      const difference = (value(step) - value(-step)) / (2 * step);
      assert.ok(
        Math.abs(difference - second[at]!) < 0.02 * (1 + Math.abs(difference)),
        `element ${at}: ${second[at]}, by differences ${difference}`,
      );
    }
  });
});

test("10,000 steps leave tensors, data ids and memory as they were", () => {
  const { step, dispose } = network(() => tf.train.adam(0.001));
  const held = () => {
    const { bytesInUse, memoryBytes } = backend.runtime.statistics;
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    return { bytesInUse, memoryBytes, numTensors, numDataBuffers, numBytes, ids: backend.numDataIds() };
  };
  for (let i = 0; i < 10; i++) step();
  const before = held();
  for (let i = 0; i < 10_000; i++) step();
  assert.deepEqual(held(), before);
  dispose();
});
