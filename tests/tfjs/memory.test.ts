import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutOfMemoryError } from "../../src/index.js";
import { SimdgradBackend } from "../../src/adapters/tfjs/index.js";
import { backend, tf } from "./backend.js";

test("a tensor comes into the memory when a kernel of ours needs it, and reads as before", () => {
  const values = Float32Array.of(1, -2, 3);
  const x = tf.tensor1d(values);
  assert.equal(backend.isResident(x), false);
  const y = tf.relu(x);
  assert.equal(backend.isResident(x), true);
  assert.equal(backend.isResident(y), true);
  assert.deepEqual(x.dataSync(), values);
  assert.deepEqual(y.dataSync(), Float32Array.of(1, 0, 3));
  tf.dispose([x, y]);
});

test("what is read is a copy that later kernels leave alone", () => {
  const y = tf.relu(tf.tensor1d([1, 2, 3]));
  const read = y.dataSync();
  y.dispose();
  const other = tf.relu(tf.tensor1d([7, 8, 9]));
  assert.deepEqual(read, Float32Array.of(1, 2, 3));
  other.dispose();
});

test("parts of a resident tensor outlive it", () => {
  const [first, second] = tf.tidy(() => tf.split(tf.relu(tf.tensor1d([1, 2, 3, 4])), 2));
  const other = tf.relu(tf.tensor1d([9, 9, 9, 9]));
  assert.deepEqual(first!.dataSync(), Float32Array.of(1, 2));
  assert.deepEqual(second!.dataSync(), Float32Array.of(3, 4));
  tf.dispose([first!, second!, other]);
});

test("reshaped, cloned and variable tensors share elements until the last is gone", () => {
  const { bytesInUse } = backend.runtime.statistics;
  const y = tf.relu(tf.tensor1d([1, 2, 3, 4]));
  const [matrix, clone, variable] = [tf.reshape(y, [2, 2]), y.clone(), tf.variable(y)];
  y.dispose();
  matrix.dispose();
  variable.dispose();
  assert.deepEqual(clone.dataSync(), Float32Array.of(1, 2, 3, 4));
  clone.dispose();
  tf.disposeVariables();
  assert.ok(backend.runtime.statistics.bytesInUse <= bytesInUse + 64, "only the input remains");
});

test("tensors move to another backend and back", async (t) => {
  t.mock.method(console, "warn", () => undefined); // cpu recommends another package
  const y = tf.relu(tf.tensor1d([1, -2, 3]));
  await tf.setBackend("cpu");
  const doubled = tf.add(y, y);
  await tf.setBackend("simdgrad");
  const again = tf.relu(y);
  assert.deepEqual(doubled.dataSync(), Float32Array.of(2, 0, 6));
  assert.deepEqual(again.dataSync(), Float32Array.of(1, 0, 3));
  tf.dispose([y, doubled, again]);
});

test("complex, string and bool tensors come from another backend", async (t) => {
  t.mock.method(console, "warn", () => undefined);
  const ids = backend.numDataIds();
  await tf.setBackend("cpu");
  const [number, text, flag] = [tf.complex([1, 2], [3, 4]), tf.tensor(["a", "b"]), tf.tensor1d([1, 0], "bool")];
  await tf.setBackend("simdgrad");
  const doubled = tf.add(number, number);
  const joined = tf.reshape(text, [2, 1]);
  const negated = tf.logicalNot(flag);
  assert.deepEqual(doubled.dataSync(), Float32Array.of(2, 6, 4, 8));
  assert.deepEqual(joined.dataSync(), ["a", "b"]);
  assert.deepEqual(negated.dataSync(), Uint8Array.of(0, 1));
  tf.dispose([number, text, flag, doubled, joined, negated]);
  assert.equal(backend.numDataIds(), ids);
});

test("tf.memory() tells what the backend holds", () => {
  const before = tf.memory() as unknown as { bytesInUse: number; memoryBytes: number };
  const y = tf.relu(tf.zeros([1000]));
  const after = tf.memory() as unknown as { bytesInUse: number; memoryBytes: number };
  assert.ok(after.bytesInUse >= before.bytesInUse + 4000);
  assert.ok(after.memoryBytes >= after.bytesInUse);
  y.dispose();
});

test("out of memory is a typed error; existing tensors keep their values and smaller ones still fit", async () => {
  tf.removeBackend("simdgrad");
  tf.registerBackend("simdgrad", () => new SimdgradBackend({ maximumMemory: 1 << 20 }));
  await tf.setBackend("simdgrad");
  const values = Float32Array.from({ length: 1024 }, (_, i) => i);
  const x = tf.relu(tf.tensor2d(values, [32, 32]));
  const large = tf.ones([1024, 100]);
  const { numTensors } = tf.memory();
  const { bytesInUse } = (tf.backend() as SimdgradBackend).runtime.statistics;
  const attempts = [
    () => tf.relu(tf.zeros([1 << 18])),
    () => tf.matMul(large, large, false, true),
    () => tf.fused.matMul({ a: large, b: large, transposeB: true, activation: "sigmoid" }),
  ];
  for (const attempt of attempts) {
    assert.throws(
      () => tf.tidy(attempt),
      (error: OutOfMemoryError) => error.code === "ERR_OUT_OF_MEMORY" && error.limit === 1 << 20,
    );
    assert.deepEqual(x.dataSync(), values);
    assert.deepEqual(large.dataSync(), new Float32Array(102400).fill(1));
    assert.equal(tf.memory().numTensors, numTensors);
  }
  const held = (tf.backend() as SimdgradBackend).runtime.statistics.bytesInUse - bytesInUse;
  assert.ok(held <= large.size * 4 + 64, `${String(held)} bytes were left behind`);
  const y = tf.matMul(x, x);
  const expected = values.slice(32, 64).reduce((sum, value, k) => sum + value * values[k * 32 + 1]!, 0);
  assert.equal(y.dataSync()[33], expected);
  tf.dispose([x, y, large]);
});

/** Operations on 180 × 180 numbers that each need more than a few KiB. */
const HUNGRY: Readonly<Record<string, (x: tf.Tensor2D, index: tf.Tensor1D) => unknown>> = {
  add: (x) => tf.add(x, x),
  batchNorm: (x) => tf.batchNorm(x, tf.zeros([180]), tf.ones([180]), tf.zeros([180]), tf.ones([180])),
  cast: (x) => tf.transpose(tf.cast(x, "int32")),
  concat: (x) => tf.concat([x, x]),
  "fused.matMul": (x) => tf.fused.matMul({ a: x, b: x, activation: "elu" }),
  gather: (x, index) => tf.gather(x, index),
  gradient: (x) => tf.grad((value) => tf.sum(tf.square(tf.matMul(value, value as tf.Tensor2D))))(x),
  oneHot: (_, index) => tf.oneHot(index, 100),
  pad: (x) => tf.pad(x, [[5, 5], [5, 5]]), // prettier-ignore
  prelu: (x) => tf.prelu(x, tf.fill([1, 180], 2)),
  slice: (x) => tf.slice(x, [0, 0], [180, 179]),
  softmax: (x) => tf.softmax(x),
  split: (x) => tf.split(x, 2),
  squaredDifference: (x) => tf.squaredDifference(x, 1),
  sum: (x) => tf.sum(tf.tile(x, [2, 1]), 0),
  transpose: (x) => tf.transpose(x),
  unsortedSegmentSum: (x) => tf.unsortedSegmentSum(x, tf.range(0, 180, 1, "int32"), 4000),
  unstack: (x) => tf.unstack(x),
  where: (x) => tf.where(tf.greater(x, 0), x, x),
};

test("whatever runs out of memory leaves tensors, data ids and values as they were", async () => {
  tf.removeBackend("simdgrad");
  tf.registerBackend("simdgrad", () => new SimdgradBackend({ maximumMemory: 1 << 20 }));
  await tf.setBackend("simdgrad");
  const own = tf.backend() as SimdgradBackend;
  const x = tf.tidy(() => tf.neg(tf.randomUniform<tf.Rank.R2>([180, 180], -1, 1, "float32", 1)));
  const index = tf.tensor1d(
    Int32Array.from({ length: 2000 }, (_, i) => i % 180),
    "int32",
  );
  const values = x.dataSync();
  const fillers = Array.from({ length: 26 }, () => tf.tidy(() => tf.neg(tf.zeros([8192])))); // 832 of 1024 KiB
  const held = () => [tf.memory().numTensors, own.numDataIds()];
  const before = held();
  for (const [name, operation] of Object.entries(HUNGRY)) {
    const isOutOfMemory = (error: OutOfMemoryError) => error.code === "ERR_OUT_OF_MEMORY";
    assert.throws(() => tf.tidy(() => void operation(x, index)), isOutOfMemory, name);
    assert.deepEqual(held(), before, name);
    assert.deepEqual(x.dataSync(), values, name);
  }
  tf.dispose([x, index, ...fillers]);
});

test("an Adam step that runs out of memory moves no variable, and works when there is room again", async () => {
  tf.removeBackend("simdgrad");
  tf.registerBackend("simdgrad", () => new SimdgradBackend({ maximumMemory: 1 << 20 }));
  await tf.setBackend("simdgrad");
  const resident = (length: number, value: number) => tf.tidy(() => tf.relu(tf.fill([length], value)));
  let [refused, taken] = [0, 0];
  // Six tensors of 32 KiB, the moments as many more, and between 256 and 800 KiB of 1024 taken by others.
  for (let chunks = 32; chunks < 100; chunks++) {
    const variables = [1, 2, 3].map((value) => tf.tidy(() => tf.variable(resident(8192, value))));
    const gradients = variables.map(({ name }) => ({ name, tensor: resident(8192, 1) }));
    const fillers = Array.from({ length: chunks }, () => resident(2048, 0));
    const optimizer = tf.train.adam(0.1);
    const firsts = () => variables.map((variable) => variable.dataSync()[0]!);
    const before = firsts();
    try {
      optimizer.applyGradients(gradients);
      taken++;
    } catch (error) {
      assert.equal((error as OutOfMemoryError).code, "ERR_OUT_OF_MEMORY");
      assert.deepEqual(firsts(), before, `${String(chunks)} chunks of 8 KiB taken by others`);
      refused++;
      tf.dispose(fillers);
      optimizer.applyGradients(gradients);
    }
    for (const [i, value] of firsts().entries())
      assert.ok(Math.abs(before[i]! - value - 0.1) < 1e-5, "one step of 0.1");
    tf.dispose([...variables, ...gradients.map(({ tensor }) => tensor), ...fillers]);
    optimizer.dispose();
  }
  assert.ok(refused > 0 && taken > 0, `${String(refused)} steps were refused, ${String(taken)} taken`);
});
