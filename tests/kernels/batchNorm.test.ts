import assert from "node:assert/strict";
import { test } from "node:test";
import * as reference from "../reference/batchNorm.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { testVariants, type Harness, type Operand } from "../support/harness.js";
import { Random } from "../support/random.js";
import {
  batchNormBackwardCall,
  batchNormData,
  batchNormForwardCall,
  batchNormInferenceCall,
  type BatchNormData,
} from "./calls.js";

/** What forward leaves behind for data of its own choice. */
function forward(harness: Harness, shape: Parameters<typeof batchNormForwardCall>[0], data: BatchNormData) {
  const { y, saved, runningMean, runningVar } = harness.run(batchNormForwardCall(shape, data, harness.kernels));
  return { y: y as Float32Array, saved: saved as Float32Array, runningMean, runningVar };
}

function column(values: ArrayLike<number>, cols: number, j: number): number[] {
  return Array.from({ length: values.length / cols }, (_, i) => values[i * cols + j]!);
}

testVariants("batchNormForward", "a mean of 1e4 with a deviation of 1e-2 still normalises", (harness) => {
  const [rows, cols] = [128, 19];
  const random = new Random(1);
  const x = random.floats(rows * cols, 1e4 - 0.02, 1e4 + 0.02);
  const data = { x, gamma: new Float32Array(cols).fill(1), beta: new Float32Array(cols) };
  const { y, saved } = forward(harness, { rows, cols, eps: 1e-12 }, data);
  const { mean } = reference.statistics(x, rows, cols);
  for (let j = 0; j < cols; j++) {
    const values = column(y, cols, j);
    const average = values.reduce((sum, value) => sum + value, 0) / rows;
    const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / rows;
    assert.ok(Math.abs(average) < 1e-5, `column ${String(j)} has mean ${String(average)}`);
    assert.ok(Math.abs(variance - 1) < 1e-5, `column ${String(j)} has variance ${String(variance)}`);
    // float32 alone would be 5e-4 off.
    const error = Math.abs(saved[j]! + saved[cols + j]! - mean[j]!);
    assert.ok(error < 1e-8, `mean + residual of column ${String(j)} is ${String(error)} off`);
  }
});

testVariants("batchNormForward", "eps counts: a small variance is divided by √(variance + eps)", (harness) => {
  for (const eps of [1e-5, 1e-3, 0.5]) {
    const [rows, cols] = [64, 9];
    const x = new Random(2).floats(rows * cols, -2e-3, 2e-3);
    const data = { x, gamma: new Float32Array(cols).fill(1), beta: new Float32Array(cols) };
    forward(harness, { rows, cols, eps }, data);
  }
});

testVariants("batchNormForward", "a constant column becomes beta, and so does a batch of one", (harness) => {
  const cols = 23;
  const random = new Random(3);
  for (const rows of [1, 100]) {
    const constants = random.floats(cols, -1e4, 1e4);
    const x = Float32Array.from({ length: rows * cols }, (_, at) => constants[at % cols]!);
    const data = { x, gamma: random.floats(cols), beta: random.floats(cols) };
    const { y, saved } = forward(harness, { rows, cols }, data);
    for (let i = 0; i < rows; i++) {
      expectSameBits(
        `batchNormForward ${harness.variant} [rows ${String(rows)}]`,
        "y",
        y.slice(i * cols, i * cols + cols),
        data.beta,
      );
    }
    expectSameBits("batchNormForward", "saved mean", saved.slice(0, cols), constants);
  }
});

testVariants("batchNormForward", "momentum 0 leaves the running statistics, 1 takes the batch's", (harness) => {
  const shape = { rows: 33, cols: 18 };
  const data = batchNormData(shape, new Random(4));
  for (const unbiased of [0, 1] as const) {
    const kept = batchNormForwardCall({ ...shape, momentum: 0, unbiased }, data, harness.kernels);
    const { runningMean, runningVar } = harness.run(kept);
    expectSameBits("batchNormForward", "runningMean", runningMean!, kept.operands.runningMean!.before);
    expectSameBits("batchNormForward", "runningVar", runningVar!, kept.operands.runningVar!.before);
    const taken = forward(harness, { ...shape, momentum: 1, unbiased }, data);
    expectSameBits("batchNormForward", "runningMean", taken.runningMean!, taken.saved.slice(0, shape.cols));
  }
});

testVariants("batchNormForward", "gamma = σ and beta = μ undo the normalisation", (harness) => {
  const shape = { rows: 50, cols: 21, eps: 1e-9 };
  const x = new Random(5).floats(shape.rows * shape.cols, 3, 7);
  const { mean, variance } = reference.statistics(x, shape.rows, shape.cols);
  const data = { x, gamma: Float32Array.from(variance.map(Math.sqrt)), beta: Float32Array.from(mean) };
  const { y } = forward(harness, shape, data);
  const magnitude = x.map(() => 10);
  expectClose("batchNormForward", "y", y, { values: x, magnitude, tolerance: { roundings: 50 } });
});

testVariants("batchNormForward", "NaN and infinity stay in their column", (harness) => {
  const [rows, cols] = [40, 35];
  for (const value of [NaN, Infinity]) {
    for (const relu of [0, 1] as const) {
      const data = { ...batchNormData({ rows, cols }, new Random(6)) };
      const spoiled = { ...data, x: data.x.slice() };
      for (const j of [3, 34]) spoiled.x[7 * cols + j] = value;
      // The reference says that every value of such a column becomes NaN (with an infinity too: ∞ − ∞).
      const { y } = forward(harness, { rows, cols, relu }, data);
      const { y: found } = forward(harness, { rows, cols, relu }, spoiled);
      for (let j = 0; j < cols; j++) {
        const expected =
          j === 3 || j === 34 ? Float32Array.from({ length: rows }, () => NaN) : Float32Array.from(column(y, cols, j));
        const actual = Float32Array.from(column(found, cols, j));
        expectClose(`batchNormForward ${harness.variant}`, `column ${String(j)}`, actual, {
          values: expected,
          tolerance: "exact",
        });
      }
    }
  }
});

testVariants("batchNormBackward", "its ReLU mask is the forward output's, to the bit", (harness) => {
  const [rows, cols] = [64, 37];
  const random = new Random(7);
  // Columns of four values, and a beta that takes one of them to zero, or next to it where rounding decides.
  const x = Float32Array.from({ length: rows * cols }, () => random.pick([0.3, -1.7, 2.9, 0.31]));
  const gamma = random.floats(cols, -2, 2);
  const plain = forward(harness, { rows, cols }, { x, gamma, beta: new Float32Array(cols) });
  for (const row of [0, 1, 2, 3]) {
    const beta = plain.y.slice(row * cols, (row + 1) * cols).map((value) => -value);
    const { y, saved } = forward(harness, { rows, cols, relu: 1 }, { x, gamma, beta });
    const dy = random.integers(rows * cols, 1, 9);
    const call = batchNormBackwardCall({ rows, cols, relu: 1 }, { x, gamma, beta, dy }, harness.kernels);
    // This data, chosen for its zeros, is not for the reference: take forward's own saved values, and all of dy.
    const operands: Record<string, Operand> = { ...call.operands, saved: { before: saved }, dy: { before: dy } };
    for (const name of ["dx", "dGamma", "dBeta"]) operands[name] = { before: operands[name]!.before, unchecked: true };
    const { dBeta } = harness.run({ ...call, operands });
    const values = Array.from({ length: cols }, (_, j) =>
      column(dy, cols, j).reduce((sum, value, i) => sum + (y[i * cols + j]! > 0 ? value : 0), 0),
    );
    expectClose(`batchNormBackward ${harness.variant}`, "dBeta", dBeta!, { values, tolerance: "exact" });
    let zeros = 0;
    for (const value of y) if (value === 0) zeros++;
    assert.ok(zeros > rows, `only ${String(zeros)} outputs are 0`);
  }
});

testVariants("batchNormBackward", "gradients through forward and backward equal central differences", (harness) => {
  const [rows, cols, eps] = [7, 19, 1e-3];
  const random = new Random(8);
  const data = { x: random.floats(rows * cols), gamma: random.floats(cols, 0.5, 2), beta: random.floats(cols) };
  const dy = random.floats(rows * cols);
  const { saved } = forward(harness, { rows, cols, eps }, data);
  const call = batchNormBackwardCall({ rows, cols, eps }, { ...data, dy }, harness.kernels);
  const { dx, dGamma, dBeta } = harness.run({ ...call, operands: { ...call.operands, saved: { before: saved } } });

  /** Σ dy·y, whose gradients these are. */
  const loss = (x: ArrayLike<number>, gamma: ArrayLike<number>, beta: ArrayLike<number>): number => {
    const statistics = reference.statistics(x, rows, cols);
    const { values } = reference.normalize(x, statistics, gamma, beta, rows, cols, eps, false);
    return values.reduce((sum, value, at) => sum + value * dy[at]!, 0);
  };
  const differences = (of: "x" | "gamma" | "beta"): Float64Array =>
    Float64Array.from(data[of], (_, at) => {
      const moved = (step: number) => {
        const values = Float64Array.from(data[of]);
        values[at]! += step;
        const all = { ...data, [of]: values };
        return loss(all.x, all.gamma, all.beta);
      };
      return (moved(1e-5) - moved(-1e-5)) / 2e-5;
    });
  for (const [name, actual, of] of [
    ["dx", dx, "x"],
    ["dGamma", dGamma, "gamma"],
    ["dBeta", dBeta, "beta"],
  ] as const) {
    const values = differences(of);
    const magnitude = values.map(() => 10);
    const expected = { values, magnitude, tolerance: { roundings: 30 } };
    expectClose(`batchNormBackward ${harness.variant}`, name, actual!, expected);
  }
});

testVariants("batchNormForward", "bands and gaps do not change the bits of a column", (harness) => {
  for (const rows of [5, 70, 300]) {
    const cols = 83;
    const data = batchNormData({ rows, cols }, new Random(rows));
    const dy = new Random(9).floats(rows * cols);
    const context = `${harness.variant} [rows ${String(rows)}]`;
    for (const relu of [0, 1] as const) {
      const shape = { rows, cols, relu };
      const whole = harness.run(batchNormForwardCall(shape, data, harness.kernels));
      const wholeBack = harness.run(batchNormBackwardCall(shape, { ...data, dy }, harness.kernels));
      for (const band of [
        [0, 1],
        [1, 18],
        [18, 82],
        [82, 83],
      ] as const) {
        const part = harness.run(batchNormForwardCall({ ...shape, band }, data, harness.kernels));
        const back = harness.run(batchNormBackwardCall({ ...shape, band }, { ...data, dy }, harness.kernels));
        for (let j = band[0]; j < band[1]; j++) {
          const bits = (values: ArrayLike<number>) => Float32Array.from(column(values, cols, j));
          expectSameBits(`batchNormForward ${context}`, `column ${String(j)} of y`, bits(part.y!), bits(whole.y!));
          expectSameBits(`batchNormForward ${context}`, `saved ${String(j)}`, bits(part.saved!), bits(whole.saved!));
          expectSameBits(
            `batchNormBackward ${context}`,
            `column ${String(j)} of dx`,
            bits(back.dx!),
            bits(wholeBack.dx!),
          );
          expectSameBits(
            `batchNormBackward ${context}`,
            `dGamma ${String(j)}`,
            bits(back.dGamma!),
            bits(wholeBack.dGamma!),
          );
        }
      }
      const gaps = { gapX: 5, gapY: 5, gapDx: 5, gapDy: 5 };
      const gapped = harness.run(batchNormForwardCall({ ...shape, ...gaps }, data, harness.kernels), {
        at: "low",
        offset: 3,
      });
      const { y } = gapped;
      const contiguous = Float32Array.from(
        { length: rows * cols },
        (_, at) => y![Math.floor(at / cols) * (cols + 5) + (at % cols)]!,
      );
      expectSameBits(`batchNormForward ${context}`, "y without its gaps", contiguous, whole.y!);
    }
  }
});

testVariants("batchNormInference", "a band of rows has the bits of the whole", (harness) => {
  const [rows, cols] = [75, 21];
  const data = batchNormData({ rows, cols }, new Random(10));
  const whole = harness.run(batchNormInferenceCall({ rows, cols, relu: 1 }, data, harness.kernels)).y!;
  for (const band of [
    [0, 1],
    [1, 40],
    [40, 75],
  ] as const) {
    const part = harness.run(batchNormInferenceCall({ rows, cols, relu: 1, band }, data, harness.kernels)).y!;
    const cut = (values: typeof part) => values.slice(band[0] * cols, band[1] * cols);
    expectSameBits(`batchNormInference ${harness.variant}`, "y", cut(part), cut(whole));
  }
});

test("the reference's batch norm gradient equals central differences", () => {
  const [rows, cols, eps] = [5, 3, 1e-5];
  const random = new Random(11);
  const [x, dy] = [random.floats(rows * cols), random.floats(rows * cols)];
  const [gamma, beta] = [random.floats(cols), random.floats(cols)];
  const statistics = reference.statistics(x, rows, cols);
  const { dx } = reference.batchNormBackward(dy, x, statistics, gamma, rows, cols, eps);
  x.forEach((_, at) => {
    const loss = (step: number) => {
      const moved = Float64Array.from(x);
      moved[at]! += step;
      const { values } = reference.normalize(
        moved,
        reference.statistics(moved, rows, cols),
        gamma,
        beta,
        rows,
        cols,
        eps,
        false,
      );
      return values.reduce((sum, value, i) => sum + value * dy[i]!, 0);
    };
    assert.ok(Math.abs((loss(1e-6) - loss(-1e-6)) / 2e-6 - dx.values[at]!) < 1e-7);
  });
});
