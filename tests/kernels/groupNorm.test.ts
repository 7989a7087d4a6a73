import assert from "node:assert/strict";
import { test } from "node:test";
import * as reference from "../reference/groupNorm.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { testVariants, type Harness } from "../support/harness.js";
import { Random } from "../support/random.js";
import { nans } from "./calls.js";
import {
  groupNormBackwardCall,
  groupNormData,
  groupNormForwardCall,
  type GroupNormData,
  type GroupNormShape,
} from "./groupNormCalls.js";

/** What forward makes of data of its own choice. */
function forward(
  harness: Harness,
  shape: GroupNormShape,
  data: GroupNormData,
): { y: Float32Array; saved: Float32Array } {
  const { y, saved } = harness.run(groupNormForwardCall(shape, data));
  return { y: y as Float32Array, saved: saved as Float32Array };
}

testVariants("groupNormForward", "a mean of 1e4 with a deviation of 1e-2 still normalises", (harness) => {
  for (const [groups, size] of [
    [1, 768],
    [8, 31],
  ] as const) {
    const [rows, cols] = [9, groups * size];
    const x = new Random(1).floats(rows * cols, 1e4 - 0.02, 1e4 + 0.02);
    const data = { x, gamma: new Float32Array(cols).fill(1), beta: new Float32Array(cols) };
    const { y, saved } = forward(harness, { rows, groups, size, eps: 1e-12 }, data);
    const exact = reference.groupStatistics(x, size);
    const { mean, variance } = reference.groupStatistics(y, size);
    mean.forEach((value, g) => {
      assert.ok(Math.abs(value) < 1e-5, `group ${String(g)} has mean ${String(value)}`);
      assert.ok(Math.abs(variance[g]! - 1) < 1e-5, `group ${String(g)} has variance ${String(variance[g])}`);
      // float32 alone would be 5e-4 off.
      const error = Math.abs(saved[g]! + saved[mean.length + g]! - exact.mean[g]!);
      assert.ok(error < 1e-8, `mean + residual of group ${String(g)} is ${String(error)} off`);
    });
  }
});

testVariants("groupNormForward", "eps counts: a small variance is divided by √(variance + eps)", (harness) => {
  for (const eps of [1e-5, 1e-3, 0.5]) {
    const [rows, groups, size] = [8, 2, 33];
    const x = new Random(2).floats(rows * groups * size, -2e-3, 2e-3);
    const data = { x, gamma: nans(groups * size).fill(1), beta: nans(groups * size).fill(0) };
    forward(harness, { rows, groups, size, eps }, data);
  }
});

testVariants("groupNormForward", "a constant group becomes beta, and so does a group of one feature", (harness) => {
  const random = new Random(3);
  for (const [groups, size] of [
    [3, 13],
    [7, 1],
  ] as const) {
    const [rows, cols] = [4, groups * size];
    const constants = random.floats(rows * groups, -1e4, 1e4);
    const x = Float32Array.from({ length: rows * cols }, (_, at) => constants[Math.floor(at / size)]!);
    const data = { x, gamma: random.floats(cols), beta: random.floats(cols) };
    const { y, saved } = forward(harness, { rows, groups, size }, data);
    for (let i = 0; i < rows; i++) {
      expectSameBits(`groupNormForward ${harness.variant}`, "y", y.slice(i * cols, (i + 1) * cols), data.beta);
    }
    expectSameBits("groupNormForward", "saved mean", saved.slice(0, constants.length), constants);
  }
});

testVariants("groupNorm", "NaN and infinities stay in their group, and reach all of it", (harness) => {
  const [rows, groups, size] = [3, 3, 6];
  const cols = groups * size;
  for (const special of [NaN, Infinity, -Infinity]) {
    const shape = { rows, groups, size };
    const data = groupNormData(shape, new Random(4));
    data.x[cols + size + 2] = special;
    const { y } = forward(harness, shape, data);
    const dy = new Random(5).floats(rows * cols);
    const { dx } = harness.run(groupNormBackwardCall(shape, { ...data, dy }, harness.kernels));
    for (const values of [y, dx!]) {
      values.forEach((value, at) => {
        const hit = Math.floor(at / size) === groups + 1;
        assert.equal(Number.isNaN(value), hit, `${harness.variant}: element ${String(at)} is ${String(value)}`);
      });
    }
  }
});

testVariants("groupNormBackward", "gradients through forward and backward equal central differences", (harness) => {
  const [rows, groups, size, eps] = [5, 3, 7, 1e-3];
  const cols = groups * size;
  const random = new Random(8);
  const data = { x: random.floats(rows * cols), gamma: random.floats(cols, 0.5, 2), beta: random.floats(cols) };
  const dy = random.floats(rows * cols);
  const shape = { rows, groups, size, eps };
  const { saved } = forward(harness, shape, data);
  const call = groupNormBackwardCall(shape, { ...data, dy }, harness.kernels);
  const { dx, parts } = harness.run({ ...call, operands: { ...call.operands, saved: { before: saved } } });

  /** Σ dy·y, whose gradients these are. */
  const differences = (of: "x" | "gamma" | "beta"): Float64Array =>
    Float64Array.from(data[of], (_, at) => {
      const moved = (step: number) => {
        const values = Float64Array.from(data[of]);
        values[at]! += step;
        const all = { ...data, [of]: values };
        const y = reference.groupNorm(all.x, all.gamma, all.beta, cols, groups, eps);
        return y.values.reduce((sum, value, i) => sum + value * dy[i]!, 0);
      };
      return (moved(1e-5) - moved(-1e-5)) / 2e-5;
    });
  for (const [name, actual, of] of [
    ["dx", dx, "x"],
    ["dGamma", parts!.slice(0, cols), "gamma"],
    ["dBeta", parts!.slice(cols), "beta"],
  ] as const) {
    const values = differences(of);
    const expected = { values, magnitude: values.map(() => 10), tolerance: { roundings: 30 } };
    expectClose(`groupNormBackward ${harness.variant}`, name, actual!, expected);
  }
});

testVariants("groupNorm", "bands, gaps and the place of a group do not change its bits", (harness) => {
  const [rows, size] = [70, 19];
  const one = { rows, groups: 1, size };
  const data = groupNormData(one, new Random(9));
  const dy = new Random(10).floats(rows * size);
  const whole = forward(harness, one, data);
  const wholeBack = harness.run(groupNormBackwardCall(one, { ...data, dy }, harness.kernels));
  const context = `groupNorm ${harness.variant}`;
  for (const band of [
    [0, 1],
    [1, 40],
    [40, 70],
  ] as const) {
    const { y } = forward(harness, { ...one, band }, data);
    const cut = (values: Float32Array) => values.slice(band[0] * size, band[1] * size);
    expectSameBits(context, "y of a band", cut(y), cut(whole.y));
  }
  for (const part of [0, 1, 2]) {
    const shape = { ...one, band: [part, part + 1] } as const;
    const back = harness.run(groupNormBackwardCall(shape, { ...data, dy }, harness.kernels));
    for (const [name, length] of [
      ["dx", 32 * size],
      ["parts", 2 * size],
    ] as const) {
      const cut = (values: ArrayLike<number>) => Float32Array.from(values).slice(part * length, (part + 1) * length);
      expectSameBits(context, `${name} of a part`, cut(back[name]!), cut(wholeBack[name]!));
    }
  }
  // The same features as the second of two groups, with gaps between the rows.
  const twice = (values: Float32Array) =>
    Float32Array.from(
      { length: 2 * values.length },
      (_, at) => values[Math.floor(at / (2 * size)) * size + (at % size)]!,
    );
  const pair = { rows, groups: 2, size, gapX: 3, gapY: 0 };
  const doubled = { x: twice(data.x), gamma: twice(data.gamma), beta: twice(data.beta) };
  expectSameBits(context, "y of both groups", forward(harness, pair, doubled).y, twice(whole.y));
});

test("the reference's group norm gradient equals central differences", () => {
  const [rows, groups, size, eps] = [2, 2, 5, 1e-5];
  const cols = groups * size;
  const random = new Random(11);
  const [x, dy] = [random.floats(rows * cols), random.floats(rows * cols)];
  const [gamma, beta] = [random.floats(cols), random.floats(cols)];
  const { dx } = reference.groupNormBackward(dy, x, gamma, cols, groups, eps);
  x.forEach((_, at) => {
    const loss = (step: number) => {
      const moved = Float64Array.from(x);
      moved[at]! += step;
      const { values } = reference.groupNorm(moved, gamma, beta, cols, groups, eps);
      return values.reduce((sum, value, i) => sum + value * dy[i]!, 0);
    };
    assert.ok(Math.abs((loss(1e-6) - loss(-1e-6)) / 2e-6 - dx.values[at]!) < 1e-7);
  });
});
