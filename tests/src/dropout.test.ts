import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import * as lib from "../../src/index.js";
import { Dense, Dropout, Relu, Sequential, Sgd, Tanh } from "../../src/index.js";
import * as reference from "../reference/random.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, throws, VARIANTS } from "./support.js";

/** A layer that gives its input: weights 1 on the diagonal. */
const identity = (n: number) =>
  new Dense(n, n, {
    bias: false,
    weightInit: ({ runtime, pointer, size }) => {
      const begin = pointer >>> 2;
      runtime.heapF32.fill(0, begin, begin + size);
      for (let i = 0; i < n; i++) runtime.heapF32[begin + i * (n + 1)] = 1;
    },
  });

for (const { variant, skip } of VARIANTS) {
  describe(`dropout, ${variant}`, { skip }, () => {
    const runtime = runtimeOf(variant);

    it("randomBernoulli and dropout draw as the reference does, in place too", () => {
      const seed = 2 ** 40 + 7;
      const source = { seed: BigInt(seed), stream: 9n, counter: 0n };
      const words = reference.philoxBits(source, 30);
      const ones = lib.randomBernoulli(runtime, [5, 6], { probability: 0.3, seed, stream: 9 });
      const happens = (word: number) => (reference.happens(word, Math.fround(0.3)) ? 1 : 0);
      assert.deepEqual([...ones.toArray()], Array.from(words, happens));
      const values = new Random(1).floats(30);
      const x = runtime.tensor(values, [5, 6]);
      const expected = Float32Array.from(reference.dropout(values, source, Math.fround(0.3)));
      const y = lib.dropout(x, { rate: 0.3, seed, stream: 9 });
      expectSameBits("dropout", "y", y.toArray(), expected);
      assert.equal(lib.dropout(x, { rate: 0.3, seed, stream: 9, out: x }), x);
      expectSameBits("dropout", "x", x.toArray(), expected);
      for (const tensor of [ones, x, y]) tensor.dispose();
    });

    it("is the identity in inference, wherever it stands", () => {
      const x = new Random(2).floats(6 * 8);
      const build = (...layers: lib.Layer[]) => new Sequential(runtime, layers, { seed: 5 });
      for (const [plain, dropped] of [
        [
          build(new Dense(8, 5), new Relu(), new Dense(5, 3)),
          build(new Dense(8, 5), new Relu(), new Dropout(0.7), new Dense(5, 3)),
        ],
        [build(identity(8)), build(identity(8), new Dropout())],
      ] as const) {
        plain.parameters.forEach(({ value }, p) => void dropped.parameters[p]!.value.from(value));
        expectSameBits("Dropout", "y", dropped.predict(x), plain.predict(x));
        plain.dispose();
        dropped.dispose();
      }
    });

    it("drops by seed, place and pass in training, and backward drops alike", () => {
      const [rows, n, rate] = [3, 8, 0.25];
      const build = (seed: number, maxBatch = 8) =>
        new Sequential(runtime, [identity(n), new Dropout(rate)], { seed, maxBatch, inputGradient: true });
      const model = build(6);
      const ones = new Float32Array(rows * n).fill(1);
      const dy = runtime.tensor(new Random(3).floats(rows * n), [rows, n]);
      const masks = [0, 1, 2].map((pass) => {
        const y = model.forward(ones, { training: true }).toArray();
        const source = { seed: 6n, stream: (3n << 32n) | 1n, counter: BigInt(pass) << 32n };
        expectSameBits("Dropout", "y", y, Float32Array.from(reference.dropout(ones, source, rate)));
        const dx = model.backward(dy)!.toArray();
        // The identity's product adds zeros, which turns −0 into 0.
        const values = reference.dropout(dy.toArray(), source, rate);
        expectClose("Dropout", "dx", dx, { values, tolerance: { ulp: 0.5 } });
        model.forward(ones); // in inference: no pass is counted
        return y.join();
      });
      assert.equal(new Set(masks).size, 3);
      // The same seed draws the same masks, in a model of another size and after it moved; another seed draws others.
      const again = build(6, 3);
      again.reserve(5);
      assert.equal(again.forward(ones, { training: true }).toArray().join(), masks[0]);
      again.reserve(9);
      assert.equal(again.forward(ones, { training: true }).toArray().join(), masks[1]);
      const other = build(7);
      assert.notEqual(other.forward(ones, { training: true }).toArray().join(), masks[0]);
      for (const one of [model, again, other]) one.dispose();
      dy.dispose();
    });

    it("two Dropouts of a model differ, and none fuses what is around it", () => {
      const layers = [identity(64), new Dropout(), new Dropout(), new Relu()];
      const model = new Sequential(runtime, layers);
      const y = model.forward(new Float32Array(64).fill(1), { training: true }).toArray();
      const counts = [0, 4].map((value) => y.filter((one) => one === value).length);
      assert.equal(counts[0]! + counts[1]!, 64);
      assert.ok(counts[1]! > 0 && counts[1]! < 32, `${counts[1]!} of 64 passed both`);
      assert.match(model.summary(), /Dropout/);
      model.dispose();
    });

    it("gradients through it equal central differences of the masked model", () => {
      const [rows, features] = [4, 6];
      const layers = () => [new Dense(features, 7), new Tanh(), new Dropout(0.4), new Dense(7, 3)];
      const x = new Random(4).floats(rows * features);
      const dy = runtime.tensor(new Random(5).floats(rows * 3), [rows, 3]);
      // Each forward pass has another mask: a model of its own for each value, always at its first.
      const loss = (change: (model: Sequential) => void) => {
        const model = new Sequential(runtime, layers(), { seed: 8, maxBatch: rows });
        change(model);
        const y = model.forward(x, { training: true }).toArray();
        model.dispose();
        const slopes = dy.toArray();
        return y.reduce((sum: number, value, i) => sum + value * slopes[i]!, 0);
      };
      const model = new Sequential(runtime, layers(), { seed: 8, maxBatch: rows });
      model.forward(x, { training: true });
      model.backward(dy);
      for (const [p, i] of [
        [0, 3],
        [0, 20],
        [1, 2],
        [1, 6],
        [2, 5],
        [3, 1],
      ] as const) {
        const step = 2 ** -7;
        const moved = (by: number) =>
          loss(({ parameters }) => {
            const values = parameters[p]!.value.toArray();
            values[i]! += by;
            parameters[p]!.value.from(values);
          });
        const difference = (moved(step) - moved(-step)) / (2 * step);
        const found = model.parameters[p]!.gradient.toArray()[i]!;
        assert.ok(Math.abs(difference - found) < 2e-3, `${found}, not ${difference}`);
      }
      model.dispose();
      dy.dispose();
    });

    it("trains to the same bits for the same seed", () => {
      const x = new Random(6).floats(10 * 4);
      const y = new Random(7).floats(10 * 2);
      const [one, two] = [0, 1].map(() => {
        const layers = [new Dense(4, 16), new Relu(), new Dropout(0.5), new Dense(16, 2)];
        const model = new Sequential(runtime, layers, { seed: 11 });
        const optimizer = new Sgd({ learningRate: 0.1 });
        for (let step = 0; step < 20; step++) model.trainBatch(x, y, { loss: "meanSquaredError", optimizer });
        const values = model.predict(x);
        model.dispose();
        return values;
      });
      expectSameBits("Dropout", "predictions", one!, two!);
    });
  });
}

describe("errors", () => {
  const runtime = runtimeOf("strict");
  const x = runtime.zeros([2, 2]);
  const share = "it must be a number from 0 to below 1.";
  const bad: [call: () => unknown, code: lib.ErrorCode, message: string][] = [
    [() => new Dropout(1), "ERR_ARGUMENT", `Dropout: rate is 1; ${share}`],
    [() => new Dropout(-0.1), "ERR_ARGUMENT", `Dropout: rate is -0.1; ${share}`],
    [() => lib.dropout(x, { rate: NaN }), "ERR_ARGUMENT", `dropout: rate is NaN; ${share}`],
    [() => lib.dropout(null as never), "ERR_ARGUMENT", "dropout: x is null; it must be a tensor."],
    [
      () => lib.dropout(x, { out: runtime.zeros([4]) }),
      "ERR_SHAPE",
      "dropout: out is 4 but must be 2×2: that is the result's shape.",
    ],
    [
      () => lib.randomBernoulli(runtime, [2], { probability: 1.5 }),
      "ERR_ARGUMENT",
      "randomBernoulli: probability is 1.5; it must be a number from 0 to 1.",
    ],
    [
      () => lib.randomBernoulli(runtime, [2], { seed: -1 }),
      "ERR_ARGUMENT",
      "randomBernoulli: seed is -1; it must be an integer from 0 to 9007199254740991.",
    ],
    [
      () => new Sequential(runtime, [new Dropout()]),
      "ERR_ARGUMENT",
      "Sequential: layer 0 (Dropout) takes any number of features; the first layer must fix it, as Dense does.",
    ],
  ];
  for (const [call, code, message] of bad) {
    test(`refuses: ${message}`, () => {
      throws(call, code, message);
      if (code === "ERR_ARGUMENT") refuses(runtime, call, code, message);
    });
  }
});
