/** The backend under test, and what its tests share. */
import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import "../../src/adapters/tfjs/index.js";
import type { SimdgradBackend } from "../../src/adapters/tfjs/index.js";
import { expectClose, type Expectation } from "../support/compare.js";

await tf.setBackend("simdgrad");

export { tf };

/** The backend of this process. */
export const backend = tf.backend() as SimdgradBackend;

/** The number of elements of a tensor. */
export const product = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

/** The number of the element of a tensor of shape `own` that broadcasting puts at element `at` of shape `outer`. */
export function sourceOf(own: readonly number[], outer: readonly number[], at: number): number {
  let source = 0;
  let step = 1;
  for (let axis = 1; axis <= own.length; axis++) {
    const length = own.at(-axis)!;
    source += ((at % outer.at(-axis)!) % length) * step;
    at = Math.floor(at / outer.at(-axis)!);
    step *= length;
  }
  return source;
}

/** Checks the shape and the elements of a tensor that `compute` makes, and that kernels of ours made it; lets all go. */
export function expectTensor(context: string, compute: () => tf.Tensor, shape: number[], expected: Expectation): void {
  const before = tf.memory().numTensors;
  const tensor = tf.tidy(compute);
  assert.deepEqual(tensor.shape, shape, context);
  assert.ok(backend.isResident(tensor), `${context}: the cpu backend's kernel ran`);
  expectClose(context, "result", tensor.dataSync(), expected);
  tensor.dispose();
  assert.equal(tf.memory().numTensors, before, `${context}: tensors were left behind`);
}
