import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as ops from "../../src/index.js";
import { initSync, type Runtime, type Tensor } from "../../src/index.js";
import * as reference from "../reference/activations.js";
import { batchNormBackward, normalize, runningVariance, statistics, updateRunning } from "../reference/batchNorm.js";
import { gatherRows } from "../reference/data.js";
import { meanSquaredError, softmaxCrossEntropy } from "../reference/losses.js";
import { matmul, type Epilogue } from "../reference/matmul.js";
import { argmaxRows, columnSums } from "../reference/reductions.js";
import * as softmaxes from "../reference/softmax.js";
import { expectClose } from "../support/compare.js";
import { Random } from "../support/random.js";
import { detached, refuses, runtimeOf, throws, skippable, VARIANTS } from "./support.js";

const wrong = (value: unknown) => value as never;
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

/** The transpose of a rows×columns matrix. */
function transpose(x: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)] as number);
}

for (const { variant, skip } of VARIANTS) {
  describe(`functions, ${variant}`, () => {
    const it = skippable(skip);
    const runtime = skip ? (undefined as never) : runtimeOf(variant);
    const random = new Random(1);

    for (const [m, n, k] of [
      [1, 1, 1],
      [2, 3, 4],
      [17, 33, 9],
      [40, 70, 100],
    ] as const) {
      it(`matmul ${String(m)}×${String(n)}×${String(k)}: transposes, alpha, beta, bias, activations`, () => {
        const a = random.integers(m * k);
        const b = random.integers(k * n);
        const c = random.integers(m * n);
        const bias = random.integers(n);
        for (const transposeA of [false, true]) {
          for (const transposeB of [false, true]) {
            const ta = transposeA ? runtime.tensor(transpose(a, m, k), [k, m]) : runtime.tensor(a, [m, k]);
            const tb = transposeB ? runtime.tensor(transpose(b, k, n), [n, k]) : runtime.tensor(b, [k, n]);
            const context = `matmul ${String(transposeA)} ${String(transposeB)}`;
            const plain = ops.matmul(ta, tb, { transposeA, transposeB });
            assert.deepEqual(plain.shape, [m, n]);
            const exact = (epilogue: Epilogue, alpha = 1, beta = 0) => ({
              values: matmul(m, n, k, a, b, c, bias, alpha, beta, epilogue).values,
              tolerance: "exact" as const,
            });
            expectClose(context, "out", plain.toArray(), exact(0));
            const out = runtime.tensor(c, [m, n]);
            assert.equal(ops.matmul(ta, tb, { transposeA, transposeB, alpha: 0.5, beta: -2, out }), out);
            expectClose(context, "out", out.toArray(), exact(0, 0.5, -2));
            const tBias = runtime.tensor(bias);
            expectClose(
              context,
              "biased",
              ops.matmul(ta, tb, { transposeA, transposeB, bias: tBias }).toArray(),
              exact(1),
            );
            const rectified = ops.matmul(ta, tb, { transposeA, transposeB, bias: tBias, activation: "relu" });
            expectClose(context, "relu", rectified.toArray(), exact(2));
            const leaky = { transposeA, transposeB, activation: "leakyRelu", slope: 0.25 } as const;
            const leaking = { ...matmul(m, n, k, a, b, c, bias, 1, 0, 4, 0.25), tolerance: "exact" as const };
            expectClose(context, "leakyRelu", ops.matmul(ta, tb, { ...leaky, bias: tBias }).toArray(), leaking);
            assert.deepEqual(
              ops.matmul(ta, tb, leaky).toArray(),
              plain.toArray().map((value) => (value > 0 ? value : 0.25 * value)),
            );
            const unbiased = ops.matmul(ta, tb, { transposeA, transposeB, activation: "relu" }).toArray();
            assert.deepEqual(
              unbiased,
              plain.toArray().map((value) => Math.max(value, 0)),
            );
            const saturated = ops.matmul(ta, tb, {
              transposeA,
              transposeB,
              alpha: 0.01,
              bias: tBias,
              activation: "tanh",
            });
            const { values, magnitude } = matmul(m, n, k, a, b, c, bias, Math.fround(0.01), 0, 3);
            expectClose(context, "tanh", saturated.toArray(), { values, magnitude, tolerance: { roundings: k + 12 } });
          }
        }
      });
    }

    it("elementwise functions and their backward passes, in place or not", () => {
      const values = Float32Array.of(-3, -0.5, -0, 0, 0.25, 2, NaN, 7, 1e-3);
      const dy = random.floats(values.length);
      const functions: [name: string, run: (x: Tensor, o: ops.OutOption) => Tensor, exact: (x: number) => number][] = [
        ["relu", ops.relu, reference.relu],
        ["leakyRelu", ops.leakyRelu, (x) => reference.leakyRelu(x, Math.fround(0.01))],
        ["leakyRelu", (x, o) => ops.leakyRelu(x, { ...o, slope: -2 }), (x) => reference.leakyRelu(x, -2)],
        ["elu", ops.elu, (x) => reference.elu(x, 1)],
        ["elu", (x, o) => ops.elu(x, { ...o, alpha: 0.5 }), (x) => reference.elu(x, 0.5)],
        ["sigmoid", ops.sigmoid, reference.sigmoid],
        ["softplus", ops.softplus, reference.softplus],
        ["silu", ops.silu, reference.silu],
        ["gelu", ops.gelu, reference.gelu],
        ["gelu", (x, o) => ops.gelu(x, { ...o, approximate: "tanh" }), reference.geluTanh],
        ["sin", ops.sin, reference.sin],
        ["cos", ops.cos, reference.cos],
        ["tanh", ops.tanh, Math.tanh],
        ["exp", ops.exp, Math.exp],
        ["log", ops.log, Math.log],
      ];
      for (const [name, run, exact] of functions) {
        const x = runtime.tensor(values);
        const expectation = { values: values.map(exact), tolerance: { ulp: 4 } };
        expectClose(name, "y", run(x, {}).toArray(), expectation);
        assert.deepEqual(x.toArray(), values);
        assert.equal(run(x, { out: x }), x);
        expectClose(name, "y in place", x.toArray(), expectation);
      }
      type Backward = (x: Tensor, dy: Tensor, o: ops.OutOption) => Tensor;
      const backwards: [name: string, run: Backward, exact: (x: number, dy: number) => number][] = [
        ["reluBackward", ops.reluBackward, reference.reluBackward],
        ["leakyRelu", ops.leakyReluBackward, (x, g) => reference.leakyReluBackward(x, g, Math.fround(0.01))],
        [
          "leakyReluBackward",
          (x, g, o) => ops.leakyReluBackward(x, g, { ...o, slope: -2 }),
          (x, g) => reference.leakyReluBackward(x, g, -2),
        ],
        ["eluBackward", ops.eluBackward, (y, g) => reference.eluBackward(y, g, 1)],
        [
          "eluBackward",
          (y, g, o) => ops.eluBackward(y, g, { ...o, alpha: 0.5 }),
          (y, g) => reference.eluBackward(y, g, 0.5),
        ],
        ["sigmoidBackward", ops.sigmoidBackward, reference.sigmoidBackward],
        ["softplusBackward", ops.softplusBackward, reference.softplusBackward],
        ["siluBackward", ops.siluBackward, reference.siluBackward],
        ["geluBackward", ops.geluBackward, reference.geluBackward],
        [
          "geluBackward",
          (x, g, o) => ops.geluBackward(x, g, { ...o, approximate: "tanh" }),
          reference.geluTanhBackward,
        ],
        ["tanhBackward", ops.tanhBackward, reference.tanhBackward],
      ];
      for (const [name, run, exact] of backwards) {
        const x = runtime.tensor(values);
        const g = runtime.tensor(dy);
        const expected = values.map((value, i) => exact(value, dy[i] as number));
        const magnitude = expected.map((e) => Math.abs(e) + 1);
        const expectation = { values: expected, magnitude, tolerance: { roundings: 8 } };
        expectClose(name, "dx", run(x, g, {}).toArray(), expectation);
        assert.equal(run(x, g, { out: g }), g);
        expectClose(name, "dx in place", g.toArray(), expectation);
      }
    });

    it("relu with a mask of bits, and back, in place or not", () => {
      const values = random.floats(37).map((value, i) => (i === 3 ? NaN : i === 5 ? -0 : value));
      const gradient = random.floats(37);
      const [x, dy] = [runtime.tensor(values), runtime.tensor(gradient)];
      const { y, mask } = ops.reluWithMask(x);
      assert.deepEqual(y.toArray(), values.map(reference.relu));
      assert.deepEqual(mask.toArray(), reference.reluMask(values));
      const dx = gradient.map((value, i) => reference.reluBackward(values[i] as number, value));
      assert.deepEqual(ops.reluMaskBackward(mask, dy).toArray(), dx);
      assert.equal(ops.reluMaskBackward(mask, dy, { out: dy }), dy);
      assert.deepEqual(dy.toArray(), dx);
      const bytes = runtime.zeros([5], "uint8");
      assert.deepEqual(ops.reluWithMask(x, { out: { y: x, mask: bytes } }), { y: x, mask: bytes });
      assert.deepEqual([x.toArray(), bytes.toArray()], [y.toArray(), mask.toArray()]);
    });

    it("softmax, its logarithm and their backward passes, in place or not", () => {
      const [rows, cols] = [5, 7];
      const values = random.floats(rows * cols, -9, 9);
      const gradient = random.floats(rows * cols);
      for (const [run, back, exact, exactBack] of [
        [ops.softmax, ops.softmaxBackward, softmaxes.softmax, softmaxes.softmaxBackward],
        [ops.logSoftmax, ops.logSoftmaxBackward, softmaxes.logSoftmax, softmaxes.logSoftmaxBackward],
      ] as const) {
        const [x, dy] = [runtime.tensor(values, [rows, cols]), runtime.tensor(gradient, [rows, cols])];
        const tolerance = { roundings: 24 };
        const y = run(x);
        expectClose(run.name, "y", y.toArray(), { ...exact(values, rows, cols), tolerance });
        const dx = { ...exactBack(y.toArray(), gradient, rows, cols), tolerance };
        expectClose(back.name, "dx", back(y, dy).toArray(), dx);
        assert.equal(back(y, dy, { out: dy }), dy);
        expectClose(back.name, "dx in place", dy.toArray(), dx);
        assert.equal(run(x, { out: x }), x);
        assert.deepEqual(x.toArray(), y.toArray());
      }
    });

    it("maxout and back", () => {
      const values = random.integers(3 * 8, 0, 3);
      const gradient = random.floats(3 * 2);
      const [x, dy] = [runtime.tensor(values, [3, 8]), runtime.tensor(gradient, [3, 2])];
      assert.deepEqual([...ops.maxout(x, 4).toArray()], [...reference.maxout(values, 3, 2, 4)]);
      assert.deepEqual(ops.maxout(x, 1).toArray(), values);
      const dx = reference.maxoutBackward(values, gradient, 3, 2, 4);
      assert.deepEqual([...ops.maxoutBackward(x, dy, 4).toArray()], [...dx]);
      assert.equal(ops.maxoutBackward(x, dy, 4, { out: x }), x);
      assert.deepEqual([...x.toArray()], [...dx]);
    });

    for (const activation of [undefined, "relu"] as const) {
      it(`batchNorm${activation ? " with relu" : ""}: training, running statistics, inference, backward`, () => {
        const [rows, cols] = [9, 7];
        const x = random.floats(rows * cols, -2, 5);
        const [gamma, beta, mean0, var0] = [0, 1, 2, 3].map(() => random.floats(cols, 0.5, 2)) as [
          Float32Array,
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const [tx, tg, tb] = [runtime.tensor(x, [rows, cols]), runtime.tensor(gamma), runtime.tensor(beta)];
        for (const runningVarEstimate of ["unbiased", "biased"] as const) {
          const [runningMean, runningVar] = [runtime.tensor(mean0), runtime.tensor(var0)];
          const running = { runningMean, runningVar };
          const fused = activation && { activation };
          const { y, saved } = ops.batchNorm(tx, tg, tb, { ...fused, ...running, momentum: 0.25, runningVarEstimate });
          const stats = statistics(x, rows, cols);
          const expected = normalize(x, stats, gamma, beta, rows, cols, 1e-5, activation === "relu");
          expectClose("batchNorm", "y", y.toArray(), { ...expected, tolerance: { roundings: 16 } });
          const meanAfter = mean0.map((value, j) => updateRunning(value, stats.mean[j] as number, 0.25));
          const varAfter = var0.map((value, j) => {
            const batch = runningVariance(stats.variance[j] as number, rows, runningVarEstimate === "unbiased");
            return updateRunning(value, batch, 0.25);
          });
          expectClose("batchNorm", "runningMean", runningMean.toArray(), { values: meanAfter, tolerance: { ulp: 4 } });
          expectClose("batchNorm", "runningVar", runningVar.toArray(), { values: varAfter, tolerance: { ulp: 8 } });

          const inferred = ops.batchNorm(tx, tg, tb, { ...fused, ...running, training: false }).y;
          const after = { ...stats, mean: Float64Array.from(meanAfter), variance: Float64Array.from(varAfter) };
          const inference = normalize(x, after, gamma, beta, rows, cols, 1e-5, activation === "relu");
          expectClose("batchNorm", "inferred", inferred.toArray(), { ...inference, tolerance: { roundings: 24 } });

          const dy = random.floats(rows * cols);
          const masked = activation ? dy.map((g, i) => ((y.toArray()[i] as number) > 0 ? g : 0)) : dy;
          const gradients = batchNormBackward(masked, x, stats, gamma, rows, cols, 1e-5);
          const out = { dx: runtime.tensor(dy, [rows, cols]) };
          const made = ops.batchNormBackward(out.dx, tx, saved, tg, tb, { ...fused, out });
          assert.equal(made.dx, out.dx);
          const pick = ({ values, magnitude }: { values: Float64Array; magnitude: Float64Array }) => ({
            values,
            magnitude,
            tolerance: { roundings: 64 },
          });
          expectClose("batchNorm", "dx", made.dx.toArray(), pick(gradients.dx));
          expectClose("batchNorm", "dGamma", made.dGamma.toArray(), pick(gradients.dGamma));
          expectClose("batchNorm", "dBeta", made.dBeta.toArray(), pick(gradients.dBeta));
        }
        // Without running statistics nothing else changes.
        assert.deepEqual(ops.batchNorm(tx, tg, tb).saved.shape, [3, cols]);
      });
    }

    it("softmaxCrossEntropy: mean and gradient, labels of every kind, in place", () => {
      const [rows, classes] = [6, 5];
      const x = random.floats(rows * classes, -4, 4);
      const labels = [0, 4, 2, 2, 1, 3];
      const { loss, dLogits } = softmaxCrossEntropy(x, labels, rows, classes, 1 / rows);
      for (const given of [
        labels,
        Uint8Array.from(labels),
        Int32Array.from(labels),
        runtime.tensor(Int32Array.from(labels)),
      ]) {
        const logits = runtime.tensor(x, [rows, classes]);
        const made = ops.softmaxCrossEntropy(logits, given, { out: logits });
        assert.ok(Math.abs(made.loss - sum(loss.values) / rows) < 1e-6, String(made.loss));
        assert.equal(made.dLogits, logits);
        expectClose("softmaxCrossEntropy", "dLogits", logits.toArray(), { ...dLogits, tolerance: { roundings: 16 } });
      }
      const extreme = runtime.tensor([1e4, -1e4, 0, -1e4, 1e4, 0], [2, 3]);
      assert.equal(ops.softmaxCrossEntropy(extreme, [0, 0]).loss, 1e4);
    });

    it("meanSquaredError: mean and gradient", () => {
      const [y, t] = [random.floats(12), random.floats(12)];
      const { loss, dy } = meanSquaredError(y, t, 4, 3, 2 / 12);
      const made = ops.meanSquaredError(runtime.tensor(y, [4, 3]), runtime.tensor(t, [4, 3]));
      assert.ok(Math.abs(made.loss - sum(loss) / 12) < 1e-6);
      expectClose("meanSquaredError", "dy", made.dy.toArray(), {
        values: dy,
        magnitude: dy.map(() => 1),
        tolerance: { roundings: 4 },
      });
    });

    it("columnSums, argmax, uint8ToFloat32, gatherRows", () => {
      const x = random.integers(5 * 7);
      const tx = runtime.tensor(x, [5, 7]);
      const sums = ops.columnSums(tx);
      expectClose("columnSums", "out", sums.toArray(), {
        values: columnSums(x, 5, 7, null).values,
        tolerance: "exact",
      });
      ops.columnSums(tx, { accumulate: true, out: sums });
      const twice = columnSums(x, 5, 7, columnSums(x, 5, 7, null).values).values;
      expectClose("columnSums", "accumulated", sums.toArray(), { values: twice, tolerance: "exact" });
      assert.deepEqual(ops.argmax(tx).toArray(), argmaxRows(x, 5, 7));
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const scaled = Float32Array.from(bytes, (byte) => byte / 255);
      expectClose("uint8ToFloat32", "y", ops.uint8ToFloat32(runtime.tensor(bytes)).toArray(), {
        values: scaled,
        tolerance: { ulp: 1 },
      });
      const shifted = ops.uint8ToFloat32(runtime.tensor(bytes), { scale: 2, shift: -1 });
      assert.deepEqual(
        shifted.toArray(),
        Float32Array.from(bytes, (byte) => 2 * byte - 1),
      );
      const index = [4, 0, 4];
      const rows = ops.gatherRows(tx, runtime.tensor(Int32Array.from(index)));
      assert.deepEqual(rows.toArray(), Float32Array.from(gatherRows(x, index, 3, 7)));
    });

    it("random numbers depend on seed and stream alone", () => {
      const draw = (seed: number, stream: number) => ops.randomNormal(runtime, [1000], { seed, stream }).toArray();
      assert.deepEqual(draw(7, 1), draw(7, 1));
      assert.notDeepEqual(draw(7, 1), draw(8, 1));
      assert.notDeepEqual(draw(7, 1), draw(7, 2));
      assert.notDeepEqual(draw(2 ** 32, 0), draw(0, 0));
      const normal = ops.randomNormal(runtime, [100, 100], { seed: 3, mean: 2, deviation: 0.5 }).toArray();
      const mean = sum(normal) / 1e4;
      const variance = sum(Array.from(normal, (value) => (value - mean) ** 2)) / 1e4;
      assert.ok(Math.abs(mean - 2) < 0.03 && Math.abs(variance - 0.25) < 0.02, `${String(mean)} ${String(variance)}`);
      const uniform = ops.randomUniform(runtime, [10000], { low: -1, high: 3 }).toArray();
      assert.ok(uniform.every((value) => value >= -1 && value < 3) && Math.abs(sum(uniform) / 1e4 - 1) < 0.06);
      const order = ops.randomPermutation(runtime, 1000, { seed: 5 }).toArray();
      assert.deepEqual(
        order.slice().sort(),
        Int32Array.from({ length: 1000 }, (_, i) => i),
      );
      assert.notDeepEqual(order.slice(0, 5), Int32Array.of(0, 1, 2, 3, 4));
    });

    it("nothing is left behind when memory runs out between two results", () => {
      const small = initSync({ variant, maximumMemory: 2 ** 20 });
      const x = small.zeros([200, 400]);
      const [gamma, beta] = [small.zeros([400]), small.zeros([400])];
      const { y, saved } = ops.batchNorm(x, gamma, beta);
      const before = small.statistics.bytesInUse;
      const filler = small.allocate(2 ** 20 - before - small.statistics.scratchBytes - 64 - 8000);
      const { bytesInUse } = small.statistics;
      assert.throws(() => ops.batchNorm(x, gamma, beta), { code: "ERR_OUT_OF_MEMORY" });
      assert.throws(() => ops.batchNormBackward(y, x, saved, gamma, beta), { code: "ERR_OUT_OF_MEMORY" });
      assert.throws(() => ops.matmul(x, x, { transposeB: true }), { code: "ERR_OUT_OF_MEMORY" });
      assert.equal(small.statistics.bytesInUse, bytesInUse);
      small.free(filler);
      ops.batchNormBackward(y, x, saved, gamma, beta, { out: { dx: y } });
    });
  });
}

describe("functions refuse", () => {
  const runtime: Runtime = initSync({ variant: "strict" });
  const other = initSync({ variant: "strict" });
  const zeros = (...shape: number[]): Tensor => runtime.zeros(shape);
  const gone = zeros(2, 3);
  gone.dispose();
  const ints = runtime.zeros([3], "int32");
  const bytes = runtime.zeros([2, 3], "uint8");
  const [a, b, c, v2, v3, v4] = [zeros(2, 3), zeros(3, 4), zeros(2, 4), zeros(2), zeros(3), zeros(4)];
  const foreign = other.zeros([3, 4]);
  const saved = zeros(3, 3);

  const alive = "(2×3) is disposed; it must be alive.";
  const mismatch = "(3×4) belongs to another runtime; all tensors must come from one.";
  const cases: [call: () => unknown, code: ops.ErrorCode, message: string][] = [
    [
      () => ops.matmul(zeros(32, 784), zeros(128, 10)),
      "ERR_SHAPE",
      "matmul: a is 32×784 but b is 128×10; a's columns must equal b's rows.",
    ],
    [
      () => ops.matmul(a, b, { transposeA: true }),
      "ERR_SHAPE",
      "matmul: a is 2×3 (transposed) but b is 3×4; a's rows must equal b's rows.",
    ],
    [
      () => ops.matmul(a, b, { transposeB: true }),
      "ERR_SHAPE",
      "matmul: a is 2×3 but b is 3×4 (transposed); a's columns must equal b's columns.",
    ],
    [() => ops.matmul(v3, b), "ERR_SHAPE", "matmul: a is 3, of rank 1; its rank must be 2 or 3."],
    [
      () => ops.matmul(a, zeros(3, 4, 1)),
      "ERR_SHAPE",
      "matmul: a is 2×3 but b is 3×4×1; a's columns must equal b's rows.",
    ],
    [() => ops.matmul(wrong([1]), b), "ERR_ARGUMENT", "matmul: a is an array of 1; it must be a tensor."],
    [() => ops.matmul(a, wrong(undefined)), "ERR_ARGUMENT", "matmul: b is undefined; it must be a tensor."],
    [
      () => ops.matmul(wrong(bytes), b),
      "ERR_ARGUMENT",
      "matmul: a is a uint8 tensor 2×3; it must be a float32 tensor.",
    ],
    [() => ops.matmul(gone, b), "ERR_DISPOSED", `matmul: a ${alive}`],
    [() => ops.matmul(b, gone), "ERR_DISPOSED", `matmul: b ${alive}`],
    [() => ops.matmul(a, foreign), "ERR_RUNTIME_MISMATCH", `matmul: b ${mismatch}`],
    [() => ops.matmul(a, b, wrong(null)), "ERR_ARGUMENT", "matmul: options is null; it must be an object."],
    [() => ops.matmul(a, b, { alpha: NaN }), "ERR_ARGUMENT", "matmul: alpha is NaN; it must be a finite float32."],
    [
      () => ops.matmul(a, b, { beta: 1e39, out: c }),
      "ERR_ARGUMENT",
      "matmul: beta is 1e+39; it must be a finite float32.",
    ],
    [
      () => ops.matmul(a, b, { beta: 1 }),
      "ERR_ARGUMENT",
      "matmul: beta is 1 but no out came; beta scales what out holds.",
    ],
    [
      () => ops.matmul(a, b, { transposeA: wrong(1) }),
      "ERR_ARGUMENT",
      "matmul: transposeA is 1; it must be true or false.",
    ],
    [
      () => ops.matmul(a, b, { activation: wrong("gelu") }),
      "ERR_ARGUMENT",
      'matmul: activation is "gelu"; it must be "relu" or "tanh" or "leakyRelu".',
    ],
    [
      () => ops.matmul(a, b, { bias: v3 }),
      "ERR_SHAPE",
      "matmul: bias is 3 but must be 4: one value for each column of the result.",
    ],
    [
      () => ops.matmul(a, b, { out: a }),
      "ERR_SHAPE",
      "matmul: out is 2×3 but must be 2×4: that is the result's shape.",
    ],
    [
      () => ops.matmul(c, zeros(4, 4), { out: c }),
      "ERR_ARGUMENT",
      "matmul: out shares memory with a; it must be apart from it.",
    ],
    [
      () => ops.matmul(zeros(3, 3), b, { out: b }),
      "ERR_ARGUMENT",
      "matmul: out shares memory with b; it must be apart from it.",
    ],
    [
      () => ops.matmul(a, b, { out: wrong(runtime.zeros([2, 4], "int32")) }),
      "ERR_ARGUMENT",
      "matmul: out is a int32 tensor 2×4; it must be a float32 tensor.",
    ],
    [() => ops.relu(gone), "ERR_DISPOSED", `relu: x ${alive}`],
    [() => ops.relu(wrong(ints)), "ERR_ARGUMENT", "relu: x is a int32 tensor 3; it must be a float32 tensor."],
    [() => ops.tanh(a, { out: c }), "ERR_SHAPE", "tanh: out is 2×4 but must be 2×3: that is the result's shape."],
    [() => ops.exp(wrong(5)), "ERR_ARGUMENT", "exp: x is 5; it must be a tensor."],
    [() => ops.log(b, { out: foreign }), "ERR_RUNTIME_MISMATCH", `log: out ${mismatch}`],
    [
      () => ops.reluBackward(a, c),
      "ERR_SHAPE",
      "reluBackward: dy is 2×4 but must be 2×3: it must have the shape of x.",
    ],
    [() => ops.tanhBackward(gone, a), "ERR_DISPOSED", `tanhBackward: y ${alive}`],
    [() => ops.leakyRelu(a, { slope: NaN }), "ERR_ARGUMENT", "leakyRelu: slope is NaN; it must be a finite float32."],
    [
      () => ops.leakyReluBackward(a, a, { slope: wrong("1") }),
      "ERR_ARGUMENT",
      'leakyReluBackward: slope is "1"; it must be a finite float32.',
    ],
    [() => ops.elu(a, { alpha: -1 }), "ERR_ARGUMENT", "elu: alpha is -1; it must be a finite float32 of at least 0."],
    [() => ops.eluBackward(a, c), "ERR_SHAPE", "eluBackward: dy is 2×4 but must be 2×3: it must have the shape of y."],
    [() => ops.sigmoid(a, wrong(null)), "ERR_ARGUMENT", "sigmoid: options is null; it must be an object."],
    [
      () => ops.gelu(a, { approximate: wrong("erf") }),
      "ERR_ARGUMENT",
      'gelu: approximate is "erf"; it must be "none" or "tanh".',
    ],
    [
      () => ops.geluBackward(a, c, { approximate: "tanh" }),
      "ERR_SHAPE",
      "geluBackward: dy is 2×4 but must be 2×3: it must have the shape of x.",
    ],
    [() => ops.softmax(v3), "ERR_SHAPE", "softmax: x is 3, of rank 1; its rank must be 2."],
    [
      () => ops.logSoftmaxBackward(a, c),
      "ERR_SHAPE",
      "logSoftmaxBackward: dy is 2×4 but must be 2×3: it must have the shape of y.",
    ],
    [() => ops.maxout(a, 2), "ERR_SHAPE", "maxout: 3 columns in 2 pieces; pieces must divide the columns."],
    [() => ops.maxout(a, 1, { out: a }), "ERR_ARGUMENT", "maxout: out shares memory with x; it must be apart from it."],
    [
      () => ops.maxoutBackward(a, a, 3),
      "ERR_SHAPE",
      "maxoutBackward: dy is 2×3 but must be 2×1: it must have the shape of maxout's result.",
    ],
    [
      () => ops.reluWithMask(a, { out: { mask: wrong(v2) } }),
      "ERR_ARGUMENT",
      "reluWithMask: out.mask is a float32 tensor 2; it must be a uint8 tensor.",
    ],
    [
      () => ops.reluMaskBackward(bytes, a),
      "ERR_SHAPE",
      "reluMaskBackward: mask is 2×3 but must be 1: a bit for each element of dy.",
    ],
    [() => ops.cos(a, { out: c }), "ERR_SHAPE", "cos: out is 2×4 but must be 2×3: that is the result's shape."],
    [() => ops.softplus(gone), "ERR_DISPOSED", `softplus: x ${alive}`],
    [
      () => ops.siluBackward(a, b),
      "ERR_SHAPE",
      "siluBackward: dy is 3×4 but must be 2×3: it must have the shape of x.",
    ],
    [() => ops.batchNorm(v3, v3, v3), "ERR_SHAPE", "batchNorm: x is 3, of rank 1; its rank must be 2."],
    [
      () => ops.batchNorm(a, v2, v3),
      "ERR_SHAPE",
      "batchNorm: gamma is 2 but must be 3: one value for each column of x.",
    ],
    [
      () => ops.batchNorm(a, v3, v4),
      "ERR_SHAPE",
      "batchNorm: beta is 4 but must be 3: one value for each column of x.",
    ],
    [
      () => ops.batchNorm(a, v3, wrong(undefined)),
      "ERR_ARGUMENT",
      "batchNorm: beta is undefined; it must be a tensor.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { eps: -1 }),
      "ERR_ARGUMENT",
      "batchNorm: eps is -1; it must be a finite float32 of at least 0.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { momentum: 1.5 }),
      "ERR_ARGUMENT",
      "batchNorm: momentum is 1.5; it must be a number from 0 to 1.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { momentum: NaN }),
      "ERR_ARGUMENT",
      "batchNorm: momentum is NaN; it must be a number from 0 to 1.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { runningMean: zeros(3) }),
      "ERR_ARGUMENT",
      "batchNorm: only runningMean came; update both or none.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { training: false }),
      "ERR_ARGUMENT",
      "batchNorm: neither came; inference needs both runningMean and runningVar.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { out: a }),
      "ERR_ARGUMENT",
      "batchNorm: out shares memory with x; it must be apart from it.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { runningMean: v3, runningVar: zeros(3) }),
      "ERR_ARGUMENT",
      "batchNorm: runningMean shares memory with gamma; it must be apart from it.",
    ],
    [
      () => ops.batchNorm(a, v3, zeros(3), { runningVarEstimate: wrong("sample") }),
      "ERR_ARGUMENT",
      'batchNorm: runningVarEstimate is "sample"; it must be "unbiased" or "biased".',
    ],
    [
      () => ops.batchNormBackward(c, a, saved, v3, v3),
      "ERR_SHAPE",
      "batchNormBackward: dy is 2×4 but must be 2×3: it must have the shape of x.",
    ],
    [
      () => ops.batchNormBackward(zeros(2, 3), a, a, v3, v3),
      "ERR_SHAPE",
      "batchNormBackward: saved is 2×3 but must be 3×3: it comes from batchNorm.",
    ],
    [
      () => ops.batchNormBackward(zeros(2, 3), a, saved, v3, v3, { out: { dx: a } }),
      "ERR_ARGUMENT",
      "batchNormBackward: out.dx shares memory with x; it must be apart from it.",
    ],
    [
      () => ops.batchNormBackward(zeros(2, 3), a, saved, v3, v3, { out: { dGamma: v3 } }),
      "ERR_ARGUMENT",
      "batchNormBackward: out.dGamma shares memory with gamma; it must be apart from it.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, [0, 3]),
      "ERR_LABEL",
      "softmaxCrossEntropy: label 1 is 3; labels must be integers from 0 to 2.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, [-1, 0]),
      "ERR_LABEL",
      "softmaxCrossEntropy: label 0 is -1; labels must be integers from 0 to 2.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, [0, 0.5]),
      "ERR_LABEL",
      "softmaxCrossEntropy: label 1 is 0.5; labels must be integers from 0 to 2.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, [NaN, 0]),
      "ERR_LABEL",
      "softmaxCrossEntropy: label 0 is NaN; labels must be integers from 0 to 2.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, [0, wrong("1")]),
      "ERR_LABEL",
      'softmaxCrossEntropy: label 1 is "1"; labels must be integers from 0 to 2.',
    ],
    [
      () => ops.softmaxCrossEntropy(c, runtime.tensor(Int32Array.of(1, 9))),
      "ERR_LABEL",
      "softmaxCrossEntropy: label 1 is 9; labels must be integers from 0 to 3.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, Uint8Array.of(1)),
      "ERR_SHAPE",
      "softmaxCrossEntropy: labels has 1 elements but must have 2: one label for each row.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, detached(Uint8Array.of(1, 1))),
      "ERR_DETACHED",
      "softmaxCrossEntropy: labels is detached (its buffer was transferred); pass a live array.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, ints),
      "ERR_SHAPE",
      "softmaxCrossEntropy: labels is 3 but must be 2: one label for each row.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, wrong(Float32Array.of(0, 1))),
      "ERR_ARGUMENT",
      "softmaxCrossEntropy: labels is a Float32Array of 2; it must be Uint8Array, Int32Array, an array of integers or an int32 tensor.",
    ],
    [
      () => ops.meanSquaredError(a, c),
      "ERR_SHAPE",
      "meanSquaredError: target is 2×4 but must be 2×3: it must have the shape of y.",
    ],
    [() => ops.columnSums(v3), "ERR_SHAPE", "columnSums: x is 3, of rank 1; its rank must be 2."],
    [
      () => ops.columnSums(a, { accumulate: true }),
      "ERR_ARGUMENT",
      "columnSums: accumulate is true but no out came; it adds to out.",
    ],
    [
      () => ops.softmaxCrossEntropy(a, [0, wrong(Symbol())]),
      "ERR_LABEL",
      "softmaxCrossEntropy: label 1 is Symbol(); labels must be integers from 0 to 2.",
    ],
    [
      () => ops.batchNormBackward(a, a, saved, v3, v3, { out: wrong(null) }),
      "ERR_ARGUMENT",
      "batchNormBackward: out is null; it must be an object.",
    ],
    [
      () => ops.argmax(a, { out: wrong(v2) }),
      "ERR_ARGUMENT",
      "argmax: out is a float32 tensor 2; it must be a int32 tensor.",
    ],
    [
      () => ops.uint8ToFloat32(wrong(a)),
      "ERR_ARGUMENT",
      "uint8ToFloat32: x is a float32 tensor 2×3; it must be a uint8 tensor.",
    ],
    [
      () => ops.uint8ToFloat32(bytes, { scale: Infinity }),
      "ERR_ARGUMENT",
      "uint8ToFloat32: scale is Infinity; it must be a finite float32.",
    ],
    [
      () => ops.gatherRows(a, runtime.tensor(Int32Array.of(0, 2))),
      "ERR_ARGUMENT",
      "gatherRows: index[1] is 2; it must be an integer from 0 to 1.",
    ],
    [
      () => ops.gatherRows(a, wrong(v2)),
      "ERR_ARGUMENT",
      "gatherRows: index is a float32 tensor 2; it must be a int32 tensor.",
    ],
    [
      () => ops.gatherRows(wrong(bytes), ints),
      "ERR_ARGUMENT",
      "gatherRows: x is a uint8 tensor 2×3; it must be a float32 or int32 tensor.",
    ],
    [
      () => ops.randomNormal(wrong(undefined), [1]),
      "ERR_ARGUMENT",
      "randomNormal: runtime is undefined; it must be a runtime, from init().",
    ],
    [
      () => ops.randomNormal(runtime, [0]),
      "ERR_SHAPE",
      "randomNormal: shape is 0; every size must be a positive integer.",
    ],
    [
      () => ops.randomNormal(runtime, [1], { deviation: -1 }),
      "ERR_ARGUMENT",
      "randomNormal: deviation is -1; it must be a finite float32 of at least 0.",
    ],
    [
      () => ops.randomNormal(runtime, [1], { seed: -1 }),
      "ERR_ARGUMENT",
      "randomNormal: seed is -1; it must be an integer from 0 to 9007199254740991.",
    ],
    [
      () => ops.randomUniform(runtime, [1], { seed: 0.5 }),
      "ERR_ARGUMENT",
      "randomUniform: seed is 0.5; it must be an integer from 0 to 9007199254740991.",
    ],
    [
      () => ops.randomUniform(runtime, [1], { stream: 2 ** 32 }),
      "ERR_ARGUMENT",
      "randomUniform: stream is 4294967296; it must be an integer from 0 to 4294967295.",
    ],
    [
      () => ops.randomUniform(runtime, [1], { low: 2 }),
      "ERR_ARGUMENT",
      "randomUniform: low is 2, high 1; as float32 low must be below high and high - low finite.",
    ],
    [
      () => ops.randomUniform(runtime, [1], { low: 1, high: 1 + 2 ** -25 }),
      "ERR_ARGUMENT",
      "randomUniform: low is 1, high 1.0000000298023224; as float32 low must be below high and high - low finite.",
    ],
    [
      () => ops.randomUniform(runtime, [1], { low: -3e38, high: 3e38 }),
      "ERR_ARGUMENT",
      "randomUniform: low is -3e+38, high 3e+38; as float32 low must be below high and high - low finite.",
    ],
    [
      () => ops.randomPermutation(runtime, 0),
      "ERR_ARGUMENT",
      "randomPermutation: n is 0; it must be an integer from 1 to 2147483647.",
    ],
  ];
  for (const [call, code, message] of cases) {
    test(message, () => {
      runtime.scope(() => {
        leavesAll(call, code, message);
      });
    });
  }

  /** The fixtures keep their bytes, whatever the call made for itself. */
  function leavesAll(call: () => unknown, code: ops.ErrorCode, message: string): void {
    const fixtures = [a, b, c, v2, v3, v4, saved, ints, bytes].map((tensor) => [tensor, tensor.toArray()] as const);
    throws(call, code, message);
    for (const [tensor, values] of fixtures) assert.deepEqual(tensor.toArray(), values);
  }

  test("before writing or allocating anything", () => {
    refuses(
      runtime,
      () => ops.matmul(a, b, { alpha: NaN }),
      "ERR_ARGUMENT",
      "matmul: alpha is NaN; it must be a finite float32.",
    );
    refuses(
      runtime,
      () => ops.softmaxCrossEntropy(a, [0, 3]),
      "ERR_LABEL",
      "softmaxCrossEntropy: label 1 is 3; labels must be integers from 0 to 2.",
    );
    refuses(
      runtime,
      () => ops.batchNorm(a, v3, v4),
      "ERR_SHAPE",
      "batchNorm: beta is 4 but must be 3: one value for each column of x.",
    );
  });

  test("partly overlapping memory, also where the very same memory would do", () => {
    const next = new ops.Tensor(runtime, a.pointer + 4, [2, 3], "float32", false);
    const message = "out shares memory with x; it must be apart from it.";
    refuses(runtime, () => ops.relu(a, { out: next }), "ERR_ARGUMENT", `relu: ${message}`);
    refuses(runtime, () => ops.relu(next, { out: a }), "ERR_ARGUMENT", `relu: ${message}`);
  });
});
