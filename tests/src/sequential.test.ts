import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import * as lib from "../../src/index.js";
import {
  Adam,
  BatchNorm,
  constant,
  Dense,
  Elu,
  Gelu,
  initSync,
  LeakyRelu,
  LogSoftmax,
  Maxout,
  normal,
  Relu,
  Sequential,
  Sgd,
  Sigmoid,
  Silu,
  Softmax,
  Softplus,
  Tanh,
  type Layer,
  type Runtime,
  type SequentialOptions,
  type Tensor,
} from "../../src/index.js";
import { adam, sgdMomentum } from "../reference/optimizers.js";
import { expectClose } from "../support/compare.js";
import { Random } from "../support/random.js";
import { spiedRuntime } from "../support/spiedRuntime.js";
import { detached, refuses, runtimeOf, throws, skippable, VARIANTS } from "./support.js";

const wrong = (value: unknown) => value as never;

/** Every way that layers fuse, or do not. */
const ARCHITECTURES: Record<string, () => Layer[]> = {
  "a product": () => [new Dense(5, 3)],
  "a product without bias": () => [new Dense(5, 3, { bias: false })],
  "bias + relu in the epilogue": () => [new Dense(5, 6), new Relu(), new Dense(6, 3)],
  "bias + tanh in the epilogue": () => [new Dense(5, 6), new Tanh(), new Dense(6, 3)],
  "bias + leaky ReLU in the epilogue": () => [new Dense(5, 6), new LeakyRelu(0.3), new Dense(6, 3)],
  "an activation in place behind a product without bias": () => [
    new Dense(5, 6, { bias: false }),
    new Tanh(),
    new Dense(6, 3, { bias: false }),
    new Relu(),
  ],
  "batch norm + relu": () => [new Dense(5, 6), new BatchNorm(6), new Relu(), new Dense(6, 3)],
  "batch norm, then tanh in place": () => [new Dense(5, 6), new BatchNorm(6), new Tanh(), new Dense(6, 3)],
  "batch norm first": () => [new BatchNorm(5), new Dense(5, 3), new Tanh()],
  "activations in a row": () => [new Dense(5, 6), new Tanh(), new Tanh(), new Relu(), new Dense(6, 3)],
  "activations by their outputs, in place": () => [
    new Dense(5, 6),
    new Elu(1.5),
    new Dense(6, 6),
    new Sigmoid(),
    new Dense(6, 6),
    new LeakyRelu(1 / 3),
    new Dense(6, 3),
  ],
  "activations by their inputs, which stay": () => [
    new Dense(5, 6),
    new Softplus(),
    new Silu(),
    new LeakyRelu(-0.5),
    new Gelu(),
    new Dense(6, 3),
    new Gelu({ approximate: "tanh" }),
  ],
  "softmax and its logarithm in place": () => [new Dense(5, 6), new Softmax(), new Dense(6, 3), new LogSoftmax()],
  "maxout, which narrows": () => [new Dense(5, 12), new Maxout(3), new Softmax(), new Dense(4, 6), new Maxout(2)],
  "maxout over the input": () => [new BatchNorm(5), new Maxout(5), new Dense(1, 3)],
  "two batch norms": () => [
    new Dense(5, 6),
    new BatchNorm(6),
    new BatchNorm(6, { eps: 1e-3 }),
    new Relu(),
    new Dense(6, 3),
  ],
};

/** A model with parameters of no special values. */
function build(runtime: Runtime, layers: Layer[], options: SequentialOptions = {}): Sequential {
  const model = new Sequential(runtime, layers, options);
  const random = new Random(11);
  for (const { value } of model.parameters) value.from(random.floats(value.size, -0.9, 0.9));
  for (const { value } of model.states) value.from(random.floats(value.size, 0.5, 1.5));
  return model;
}

/** An activation layer as a function. */
function activate(layer: Layer, h: Tensor): Tensor {
  if (layer instanceof Relu) return lib.relu(h);
  if (layer instanceof LeakyRelu) return lib.leakyRelu(h, { slope: layer.slope });
  if (layer instanceof Elu) return lib.elu(h, { alpha: layer.alpha });
  if (layer instanceof Sigmoid) return lib.sigmoid(h);
  if (layer instanceof Softplus) return lib.softplus(h);
  if (layer instanceof Silu) return lib.silu(h);
  if (layer instanceof Gelu) return lib.gelu(h, { approximate: layer.approximate });
  if (layer instanceof Softmax) return lib.softmax(h);
  if (layer instanceof LogSoftmax) return lib.logSoftmax(h);
  if (layer instanceof Maxout) return lib.maxout(h, layer.pieces);
  assert.ok(layer instanceof Tanh, layer.name);
  return lib.tanh(h);
}

/** The same layers one function after the other, in training. */
function unfused(model: Sequential, layers: readonly Layer[], x: Tensor): Tensor {
  const parameters = [...model.parameters];
  let h = x;
  for (const layer of layers) {
    const [first, second] = parameters;
    if (layer instanceof Dense) {
      const bias = layer.bias ? { bias: second?.value as Tensor } : {};
      h = lib.matmul(h, first?.value as Tensor, { transposeB: true, ...bias });
    } else if (layer instanceof BatchNorm) {
      h = lib.batchNorm(h, first?.value as Tensor, second?.value as Tensor, { eps: layer.eps }).y;
    } else {
      h = activate(layer, h);
    }
    parameters.splice(0, layer.parameters.length);
  }
  return h;
}

for (const { variant, skip } of VARIANTS) {
  describe(`Sequential, ${variant}`, () => {
    const it = skippable(skip);
    const runtime = skip ? (undefined as never) : runtimeOf(variant);

    for (const [name, layers] of Object.entries(ARCHITECTURES)) {
      it(`${name}: fused equals layer by layer`, () => {
        const model = build(runtime, layers(), { maxBatch: 16 });
        const x = runtime.tensor(new Random(2).floats(13 * 5), [13, 5]);
        const y = unfused(model, model.layers, x).toArray();
        const close = { values: y, magnitude: y.map(() => 4), tolerance: { roundings: 16 } };
        expectClose(name, "y", model.forward(x, { training: true }).toArray(), close);
        model.dispose();
      });

      it(`${name}: gradients equal central differences`, () => {
        const rows = 7;
        const model = build(runtime, layers(), { maxBatch: 8, inputGradient: true });
        const random = new Random(3);
        const x = runtime.tensor(random.floats(rows * 5), [rows, 5]);
        const dy = runtime.tensor(random.floats(rows * 3), [rows, 3]);
        const weights = dy.toArray();
        /** Σ dy·y, whose gradient by y is dy. */
        const loss = () => {
          const y = model.forward(x, { training: true }).toArray();
          return y.reduce((sum, value, i) => sum + value * (weights[i] as number), 0);
        };
        loss();
        const dx = model.backward(dy) as Tensor;
        const checked = [
          ...model.parameters.map(({ name: parameter, value, gradient }) => ({
            parameter,
            value,
            gradient: gradient.toArray(),
          })),
          { parameter: "x", value: x, gradient: dx.toArray() },
        ];
        let kinks = 0;
        let total = 0;
        for (const { parameter, value, gradient } of checked) {
          const start = value.toArray();
          for (let i = 0; i < start.length; i++) {
            const step = 2 ** -8;
            const at = (delta: number) => {
              const moved = start.slice();
              moved[i] = (moved[i] as number) + delta;
              value.from(moved);
              return loss();
            };
            // Richardson's extrapolation leaves an error of step⁴; a kink of ReLU within the step shows as disagreement.
            const wide = (at(step) - at(-step)) / (2 * step);
            const narrow = (at(step / 2) - at(-step / 2)) / step;
            value.from(start);
            total++;
            if (Math.abs(wide - narrow) > 0.02) {
              kinks++;
              continue;
            }
            const expected = (4 * narrow - wide) / 3;
            const error = Math.abs((gradient[i] as number) - expected);
            assert.ok(
              error < 2e-3 + 2e-3 * Math.abs(expected),
              `${parameter}[${String(i)}] ${String(gradient[i])}, expected ${String(expected)}`,
            );
          }
        }
        assert.ok(kinks <= total / 10, `${String(kinks)} of ${String(total)} at kinks`);
        model.dispose();
      });

      it(`${name}: gradients add up on demand, with and without that of the input`, () => {
        const model = build(runtime, layers(), { maxBatch: 8 });
        const withInput = build(runtime, layers(), { maxBatch: 8, inputGradient: true });
        const x = runtime.tensor(new Random(4).floats(4 * 5), [4, 5]);
        const dy = runtime.tensor(new Random(5).floats(4 * 3), [4, 3]);
        for (const each of [model, withInput]) each.forward(x, { training: true });
        assert.equal(model.backward(dy), undefined);
        assert.deepEqual(withInput.backward(dy)?.shape, [4, 5]);
        const once = model.parameters.map(({ gradient }) => gradient.toArray());
        assert.deepEqual(
          withInput.parameters.map(({ gradient }) => gradient.toArray()),
          once,
        );
        model.backward(dy);
        assert.deepEqual(
          model.parameters.map(({ gradient }) => gradient.toArray()),
          once,
          "overwrites",
        );
        model.backward(dy, { accumulate: true });
        model.parameters.forEach(({ name: parameter, gradient }, i) => {
          const values = (once[i] as Float32Array).map((value) => 2 * value);
          const magnitude = values.map((value) => Math.abs(value) + 4);
          expectClose(name, parameter, gradient.toArray(), { values, magnitude, tolerance: { roundings: 16 } });
        });
        assert.deepEqual(dy.toArray(), new Random(5).floats(4 * 3), "dy is left alone");
        model.dispose();
        withInput.dispose();
      });
    }

    it("any number of rows gives the bits of one after the other", () => {
      const model = build(runtime, ARCHITECTURES["batch norm + relu"]?.() as Layer[], { maxBatch: 8 });
      const x = new Random(6).floats(29 * 5);
      const all = model.predict(x);
      assert.equal(all.length, 29 * 3);
      const close = { magnitude: all.map(() => 4), tolerance: { roundings: 16 } };
      for (const rows of [1, 2, 3, 5, 8]) {
        const some = model.predict(x.subarray(0, rows * 5));
        expectClose("predict", "y", some, { values: all.slice(0, rows * 3), ...close, magnitude: some.map(() => 4) });
      }
      const pixels = Uint8Array.from(x, (value) => Math.floor((value + 1) * 127));
      assert.deepEqual(model.predict(runtime.tensor(x, [29, 5])), all);
      assert.deepEqual(model.predict(runtime.tensor(pixels, [29, 5])), model.predict(pixels));
      const { bytesInUse } = runtime.statistics;
      model.reserve(8);
      assert.equal(runtime.statistics.bytesInUse, bytesInUse);
      model.reserve(29);
      expectClose("predict", "at once", model.predict(x), { values: all, ...close });
      const bytes = Uint8Array.from({ length: 10 }, (_, i) => i * 25);
      const floats = lib.uint8ToFloat32(runtime.tensor(bytes)).toArray();
      assert.deepEqual(model.predict(bytes), model.predict(floats));
      assert.deepEqual(model.predict(runtime.tensor(bytes, [2, 5])), model.predict(floats));
      assert.deepEqual(model.predict(runtime.tensor(floats, [2, 5])), model.predict(floats));
      model.dispose();
    });

    it("evaluate is the loss and accuracy of predict, whatever the batches", () => {
      const model = build(runtime, [new Dense(5, 3)], { maxBatch: 8 });
      const x = new Random(7).floats(21 * 5);
      const labels = Int32Array.from({ length: 21 }, (_, i) => i % 3);
      const logits = runtime.tensor(model.predict(x), [21, 3]);
      const { loss } = lib.softmaxCrossEntropy(logits, labels);
      const hits = lib
        .argmax(logits)
        .toArray()
        .filter((index, i) => index === labels[i]).length;
      for (const batchSize of [1, 4, 8, 100]) {
        const result = model.evaluate(x, labels, { loss: "softmaxCrossEntropy", batchSize });
        assert.ok(Math.abs(result.loss - loss) < 1e-6);
        assert.equal(result.accuracy, hits / 21);
      }
      const resident = [runtime.tensor(x, [21, 5]), runtime.tensor(labels)] as const;
      assert.deepEqual(
        model.evaluate(...resident, { loss: "softmaxCrossEntropy" }),
        model.evaluate(x, labels, { loss: "softmaxCrossEntropy" }),
      );
      const targets = new Random(8).floats(21 * 3);
      const { loss: squared } = lib.meanSquaredError(logits, runtime.tensor(targets, [21, 3]));
      const result = model.evaluate(x, targets, { loss: "meanSquaredError" });
      assert.ok(Math.abs(result.loss - squared) < 1e-6 && !("accuracy" in result));
      assert.deepEqual(
        model.evaluate(resident[0], runtime.tensor(targets, [21, 3]), { loss: "meanSquaredError" }),
        result,
      );
      model.dispose();
    });

    it("Sgd and Adam step as in the reference, with decay on weights alone", () => {
      for (const optimizer of [
        new Sgd({ learningRate: 0.1, momentum: 0.5, weightDecay: 0.25 }),
        new Adam({ learningRate: 0.01, weightDecay: 0.25 }),
      ]) {
        const model = build(runtime, [new Dense(4, 3)]);
        optimizer.bind(model);
        const values = model.parameters.map(({ value }) => Float64Array.from(value.toArray()));
        const first = values.map((value) => new Float64Array(value.length));
        const second = values.map((value) => new Float64Array(value.length));
        for (let step = 1; step <= 5; step++) {
          const random = new Random(step);
          for (const { gradient } of model.parameters) gradient.from(random.floats(gradient.size));
          optimizer.step();
          model.parameters.forEach(({ gradient, decay, value }, p) => {
            const [w, m, v] = [values[p], first[p], second[p]] as [Float64Array, Float64Array, Float64Array];
            const dw = gradient.toArray();
            for (let i = 0; i < w.length; i++) {
              const [weight, slope] = [w[i] as number, dw[i] as number];
              const weightDecay = decay ? 0.25 : 0;
              if (optimizer instanceof Sgd) {
                const next = sgdMomentum(weight, m[i] as number, slope, Math.fround(0.1), 0.5, weightDecay, 0);
                [w[i], m[i]] = [next.w, next.velocity];
              } else {
                const [beta1, beta2] = [Math.fround(0.9), Math.fround(0.999)];
                const stepSize = 0.01 / (1 - beta1 ** step);
                const correction = 1 / Math.sqrt(1 - beta2 ** step);
                const next = adam(
                  weight,
                  m[i] as number,
                  v[i] as number,
                  slope,
                  stepSize,
                  beta1,
                  beta2,
                  1e-8,
                  correction,
                  weightDecay,
                  0,
                );
                [w[i], m[i], v[i]] = [next.w, next.m, next.v];
              }
            }
            const magnitude = w.map((value) => Math.abs(value) + 1);
            expectClose(optimizer.name, model.parameters[p]?.name as string, value.toArray(), {
              values: w,
              magnitude,
              tolerance: { roundings: 16 * step },
            });
          });
        }
        model.dispose();
      }
    });

    it("trainBatch takes the loss and gradient of the functions", () => {
      const random = new Random(10);
      const x = random.floats(6 * 5);
      const targets = random.floats(6 * 3);
      const labels = [0, 2, 1, 1, 0, 2];
      for (const loss of ["softmaxCrossEntropy", "meanSquaredError"] as const) {
        const model = build(runtime, [new Dense(5, 3)]);
        const y = runtime.tensor(model.predict(x), [6, 3]);
        const expected =
          loss === "meanSquaredError"
            ? lib.meanSquaredError(y, runtime.tensor(targets, [6, 3]), { out: y }).loss
            : lib.softmaxCrossEntropy(y, labels, { out: y }).loss;
        const given = loss === "meanSquaredError" ? targets : labels;
        assert.equal(model.trainBatch(x, given, { loss, optimizer: new Sgd({ learningRate: 0 }) }), expected);
        assert.deepEqual(model.parameters[1]?.gradient.toArray(), lib.columnSums(y).toArray());
        model.dispose();
      }
    });

    it("addresses above 2 GiB and up to 4 GiB give the same bits", () => {
      const run = (filler: number) => {
        const own = initSync({ variant });
        if (filler > 0) own.allocate(filler);
        const model = build(own, ARCHITECTURES["batch norm + relu"]?.() as Layer[], { maxBatch: 8 });
        assert.ok((model.parameters[0]?.value.pointer as number) > filler);
        const random = new Random(12);
        const x = own.tensor(random.floats(8 * 5), [8, 5]);
        const bytes = Uint8Array.from({ length: 8 * 5 }, () => random.integer(0, 255));
        const options = { loss: "softmaxCrossEntropy", optimizer: new Adam() } as const;
        const losses = [0, 1, 2].map((i) => model.trainBatch(i === 1 ? bytes : x, [0, 1, 2, 0, 1, 2, 0, 1], options));
        const results = [...model.parameters, ...model.states].map(({ value }) => value.toArray());
        return [losses, results, model.predict(x), lib.matmul(x, x, { transposeB: true }).toArray()];
      };
      const expected = run(0);
      assert.deepEqual(run(2 ** 31), expected);
      assert.deepEqual(run(2 ** 32 - 2 ** 20), expected);
    });
  });
}

describe("building a model", () => {
  const runtime = initSync({ variant: "strict" });

  test("parameters depend on seed and layers alone, lie in one slab, weights first", () => {
    const before = runtime.statistics.bytesInUse;
    const layers = () => [new Dense(10, 7), new BatchNorm(7), new Relu(), new Dense(7, 3)];
    const models = [1, 1, 2].map((seed) => new Sequential(runtime, layers(), { seed, maxBatch: seed * 10 }));
    const weights = models.map(({ parameters }) => parameters.map(({ value }) => value.toArray()));
    assert.deepEqual(weights[0], weights[1]);
    assert.notDeepEqual(weights[0], weights[2]);
    const [model] = models as [Sequential];
    assert.deepEqual(
      model.parameters.map(({ name, value, decay }) => [name, value.shape, decay]),
      [
        ["0.weight", [7, 10], true],
        ["0.bias", [7], false],
        ["1.gamma", [7], false],
        ["1.beta", [7], false],
        ["3.weight", [3, 7], true],
        ["3.bias", [3], false],
      ],
    );
    assert.deepEqual(
      model.states.map(({ name, value }) => [name, value.toArray()[0]]),
      [
        ["1.runningMean", 0],
        ["1.runningVar", 1],
      ],
    );
    const byAddress = [...model.parameters].sort((a, b) => a.value.pointer - b.value.pointer).map(({ name }) => name);
    assert.deepEqual(byAddress, ["0.weight", "3.weight", "0.bias", "1.gamma", "1.beta", "3.bias"]);
    assert.ok(weights[0]?.[2]?.every((value) => value === 1) && weights[0][1]?.every((value) => value === 0));
    assert.deepEqual(
      model.slab.ranges(({ decay }) => decay).map(({ property }) => property),
      [true, false],
    );
    for (const each of models) each.dispose();
    assert.equal(runtime.statistics.bytesInUse, before);
  });

  test("initializers have the deviation and bounds they name", () => {
    const [ins, outs] = [300, 200];
    const cases: [lib.Initializer, number, number][] = [
      [lib.zeros(), 0, 0],
      [lib.smallNormal(), 0.01, Infinity],
      [lib.largeNormal(), 1, Infinity],
      [normal(0.3), 0.3, Infinity],
      [lib.xavierNormalIn(), Math.sqrt(1 / ins), Infinity],
      [lib.xavierNormalOut(), Math.sqrt(1 / outs), Infinity],
      [lib.xavierNormal(), Math.sqrt(2 / (ins + outs)), Infinity],
      [lib.glorotUniform(), Math.sqrt(2 / (ins + outs)), Math.sqrt(6 / (ins + outs))],
      [lib.heNormal(), Math.sqrt(2 / ins), Infinity],
      [lib.randomWalk(), (Math.sqrt(2) * Math.exp(1.2 / (ins - 2.4))) / Math.sqrt(ins), Infinity],
      [lib.randomWalk({ activation: "linear" }), Math.exp(0.5 / ins) / Math.sqrt(ins), Infinity],
      [lib.randomWalk({ gain: 1.5 }), 1.5 / Math.sqrt(ins), Infinity],
    ];
    for (const [weightInit, deviation, bound] of cases) {
      const model = new Sequential(runtime, [new Dense(ins, outs, { weightInit, biasInit: constant(3) })]);
      const weights = model.parameters[0]?.value.toArray() as Float32Array;
      const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
      const found = Math.sqrt(weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length);
      assert.ok(Math.abs(mean) <= 0.02 * deviation, `${String(mean)}, deviation ${String(deviation)}`);
      assert.ok(Math.abs(found - deviation) <= 0.02 * deviation, `${String(found)}, expected ${String(deviation)}`);
      assert.ok(weights.every((w) => Math.abs(w) <= Math.fround(bound)));
      assert.ok(model.parameters[1]?.value.toArray().every((value) => value === 3));
      model.dispose();
    }
  });

  test("summary shows what runs", () => {
    const model = new Sequential(runtime, [new Dense(784, 256), new BatchNorm(256), new Relu(), new Dense(256, 10)]);
    assert.equal(
      model.summary(),
      [
        "     layer                 features        parameters",
        "  0  Dense                 784 → 256           200960",
        "  1  BatchNorm + Relu      256 → 256              512",
        "  3  Dense                 256 → 10              2570",
        "     total                                     204042",
      ].join("\n"),
    );
    model.dispose();
  });

  test("a Dense before a batch norm may keep its bias, whose gradient vanishes", () => {
    const model = build(runtime, [new Dense(5, 6), new BatchNorm(6)]);
    const random = new Random(1);
    const x = runtime.tensor(random.floats(50), [10, 5]);
    const dy = runtime.tensor(random.floats(60), [10, 6]);
    model.forward(x, { training: true });
    model.backward(dy);
    assert.ok(model.parameters[1]?.gradient.toArray().every((value) => Math.abs(value) < 1e-5));
    for (const each of [x, dy, model]) each.dispose();
  });

  test("when memory runs out, nothing is left behind and what was there still works", () => {
    const small = initSync({ variant: "strict", maximumMemory: 2 ** 20 });
    const model = new Sequential(small, [new Dense(20, 10)], { maxBatch: 4 });
    const x = new Random(1).floats(80);
    const before = model.predict(x);
    const { bytesInUse } = small.statistics;
    for (const call of [
      () => new Sequential(small, [new Dense(1000, 1000)]),
      () => new Sequential(small, [new Dense(20, 20)], { maxBatch: 100000 }),
      () => {
        model.reserve(100000);
      },
      () => small.zeros([2 ** 30]),
      () =>
        new Sequential(small, [
          new Dense(10, 10, {
            weightInit: () => {
              throw new RangeError("mine");
            },
          }),
        ]),
    ]) {
      assert.throws(
        call,
        (error: Error & { code?: string }) => error.code === "ERR_OUT_OF_MEMORY" || error.message === "mine",
      );
      assert.equal(small.statistics.bytesInUse, bytesInUse);
      assert.deepEqual(model.predict(x), before);
    }
    const tight = new Sequential(small, [new Dense(200, 400)], { maxBatch: 1 });
    const batch = new Float32Array(200);
    const held = small.statistics.bytesInUse;
    const values = tight.parameters.map(({ value }) => value.toArray());
    const adamOptions = { loss: "meanSquaredError", optimizer: new Adam() } as const;
    assert.throws(() => tight.trainBatch(batch, new Float32Array(400), adamOptions), { code: "ERR_OUT_OF_MEMORY" });
    assert.equal(small.statistics.bytesInUse, held);
    assert.deepEqual(
      tight.parameters.map(({ value }) => value.toArray()),
      values,
    );
    const sgdOptions = { loss: "meanSquaredError", optimizer: new Sgd() } as const;
    assert.ok(Number.isFinite(tight.trainBatch(batch, new Float32Array(400), sgdOptions)));
  });

  test("outputs are the model's buffer: the next call of another size or reserve ends them", () => {
    const model = new Sequential(runtime, [new Dense(2, 2)]);
    const y = model.forward(new Float32Array(4));
    assert.equal(model.forward(new Float32Array(4)), y);
    const { bytesInUse } = runtime.statistics;
    y.dispose();
    assert.equal(runtime.statistics.bytesInUse, bytesInUse);
    assert.ok(!y.disposed);
    model.forward(new Float32Array(2));
    assert.ok(y.disposed);
    const last = model.forward(new Float32Array(2));
    model.reserve(3);
    assert.ok(last.disposed);
    model.dispose();
  });

  test("outputs and input gradients are right after fit has moved the buffers", async () => {
    const model = new Sequential(runtime, [new Dense(2, 2)], { maxBatch: 2, inputGradient: true });
    const x = Float32Array.of(1, 2);
    const dy = runtime.tensor([1, -1], [1, 2]);
    const frozen = { loss: "softmaxCrossEntropy", optimizer: new Sgd({ learningRate: 0 }), batchSize: 10 } as const;
    const y = model.forward(x, { training: true });
    const dx = model.backward(dy);
    const expected = [y.toArray(), dx?.toArray()];
    await model.fit(new Float32Array(20), new Uint8Array(10), frozen);
    assert.equal(model.maxBatch, 10);
    assert.ok(y.disposed && dx?.disposed);
    const fillers = [4, 8, 16, 32, 64].map((size) => runtime.tensor(new Float32Array(size).fill(42)));
    const after = model.forward(x, { training: true });
    assert.deepEqual([after.toArray(), model.backward(dy)?.toArray()], expected);
    for (const tensor of [dy, ...fillers]) tensor.dispose();
    model.dispose();
  });

  test("Adam's least eps keeps weights without gradients, whatever the betas", () => {
    for (const beta2 of [0, 0.999, 1 - 2 ** -24]) {
      const model = new Sequential(runtime, [new Dense(3, 2)]);
      const optimizer = new Adam({ eps: 2 ** -126, beta2 }).bind(model);
      const before = model.parameters.map(({ value }) => value.toArray());
      for (const { gradient } of model.parameters) gradient.from(new Float32Array(gradient.size));
      for (let i = 0; i < 3; i++) optimizer.step();
      assert.deepEqual(
        model.parameters.map(({ value }) => value.toArray()),
        before,
      );
      model.dispose();
    }
  });

  test("a batch that cannot fit is refused at once, and work for the largest batch serves smaller ones", () => {
    const small = initSync({ variant: "strict", maximumMemory: 2 ** 20 });
    const model = new Sequential(small, [new Dense(2, 2), new Relu(), new Dense(2, 2)]);
    const start = performance.now();
    assert.throws(
      () => {
        model.reserve(1e8);
      },
      { code: "ERR_OUT_OF_MEMORY" },
    );
    assert.ok(performance.now() - start < 500, "it took as long as counting to 1e8");
    const stages = [new Dense(300, 20), new Dense(7, 1), new Dense(1, 9), new BatchNorm(5)].map((layer) =>
      layer.stage(layer.inFeatures ?? 0, "none", 0),
    );
    for (const stage of stages) {
      let last = 0;
      for (let rows = 1; rows <= 600; rows++) {
        const needed = stage.workSize(runtime.kernels, rows);
        assert.ok(needed >= last, `${String(rows)} rows need ${String(needed)}, fewer ${String(last)}`);
        last = needed;
      }
    }
  });

  test("an optimizer serves one model at a time", () => {
    const before = runtime.statistics.bytesInUse;
    const [one, two] = [0, 1].map(() => new Sequential(runtime, [new Dense(2, 2)])) as [Sequential, Sequential];
    const optimizer = new Adam();
    throws(
      () => {
        optimizer.step();
      },
      "ERR_ARGUMENT",
      "Adam.step: no model is bound; call bind(model) first.",
    );
    optimizer.bind(one).bind(one);
    const message = "Adam.bind: this optimizer is bound to another model; make one for each model.";
    refuses(runtime, () => optimizer.bind(two), "ERR_ARGUMENT", message);
    const options = { loss: "softmaxCrossEntropy", optimizer } as const;
    refuses(runtime, () => two.trainBatch(new Float32Array(2), [0], options), "ERR_ARGUMENT", message);
    optimizer.dispose();
    optimizer.bind(two).step();
    two.dispose();
    throws(
      () => {
        optimizer.step();
      },
      "ERR_DISPOSED",
      "Adam.step: the model is disposed; it must be alive.",
    );
    optimizer.bind(one);
    one.dispose();
    one.dispose();
    assert.equal(runtime.statistics.bytesInUse, before);
  });

  const other = initSync({ variant: "strict" });
  const dense = (...sizes: [number, number]) => new Dense(...sizes);
  const integers = "it must be an integer from 1 to 2147483647.";
  const bad: [call: () => unknown, code: lib.ErrorCode, message: string][] = [
    [() => dense(-3, 2), "ERR_ARGUMENT", `Dense: inFeatures is -3; ${integers}`],
    [() => dense(3, 2.5), "ERR_ARGUMENT", `Dense: outFeatures is 2.5; ${integers}`],
    [() => dense(0, 2), "ERR_ARGUMENT", `Dense: inFeatures is 0; ${integers}`],
    [() => dense(NaN, 2), "ERR_ARGUMENT", `Dense: inFeatures is NaN; ${integers}`],
    [() => dense(wrong("3"), 2), "ERR_ARGUMENT", `Dense: inFeatures is "3"; ${integers}`],
    [
      () => dense(2 ** 16, 2 ** 16),
      "ERR_SHAPE",
      "Dense: shape 65536×65536 has 4294967296 elements; at most 2147483647 fit a tensor.",
    ],
    [() => new Dense(1, 1, wrong(null)), "ERR_ARGUMENT", "Dense: options is null; it must be an object."],
    [() => new Dense(1, 1, { bias: wrong(0) }), "ERR_ARGUMENT", "Dense: bias is 0; it must be true or false."],
    [
      () => new Dense(1, 1, { weightInit: wrong("he") }),
      "ERR_ARGUMENT",
      'Dense: weightInit is "he"; it must be an initializer.',
    ],
    [() => new LeakyRelu(NaN), "ERR_ARGUMENT", "LeakyRelu: slope is NaN; it must be a finite float32."],
    [() => new Elu(-1), "ERR_ARGUMENT", "Elu: alpha is -1; it must be a finite float32 of at least 0."],
    [
      () => new Gelu({ approximate: wrong("erf") }),
      "ERR_ARGUMENT",
      'Gelu: approximate is "erf"; it must be "none" or "tanh".',
    ],
    [() => new Maxout(0), "ERR_ARGUMENT", `Maxout: pieces is 0; ${integers}`],
    [
      () => new Sequential(runtime, [new Dense(3, 5), new Maxout(2)]),
      "ERR_SHAPE",
      "Maxout: 5 columns in 2 pieces; pieces must divide the columns.",
    ],
    [() => new BatchNorm(0), "ERR_ARGUMENT", `BatchNorm: features is 0; ${integers}`],
    [
      () => new BatchNorm(1, { eps: NaN }),
      "ERR_ARGUMENT",
      "BatchNorm: eps is NaN; it must be a finite float32 of at least 0.",
    ],
    [
      () => new BatchNorm(1, { momentum: -0.1 }),
      "ERR_ARGUMENT",
      "BatchNorm: momentum is -0.1; it must be a number from 0 to 1.",
    ],
    [
      () => new BatchNorm(1, { runningVar: wrong("") }),
      "ERR_ARGUMENT",
      'BatchNorm: runningVar is ""; it must be "unbiased" or "biased".',
    ],
    [() => normal(-1), "ERR_ARGUMENT", "normal: deviation is -1; it must be a finite float32 of at least 0."],
    [() => constant(NaN), "ERR_ARGUMENT", "constant: value is NaN; it must be a finite float32."],
    [
      () => new Sequential(wrong({}), [dense(1, 1)]),
      "ERR_ARGUMENT",
      "Sequential: runtime is an object (Object); it must be a runtime, from init().",
    ],
    [
      () => new Sequential(runtime, []),
      "ERR_ARGUMENT",
      "Sequential: layers is an array of 0; it must be a non-empty array of layers.",
    ],
    [
      () => new Sequential(runtime, wrong(dense(1, 1))),
      "ERR_ARGUMENT",
      "Sequential: layers is an object (Dense); it must be a non-empty array of layers.",
    ],
    [
      () => new Sequential(runtime, [dense(1, 1), wrong(Relu)]),
      "ERR_ARGUMENT",
      "Sequential: layer 1 is a function; it must be a layer.",
    ],
    [
      () => new Sequential(runtime, [dense(5, 6), new Relu(), dense(7, 2)]),
      "ERR_SHAPE",
      "Sequential: layer 2 (Dense) takes 7 features but layer 1 (Relu) gives 6; they must be equal.",
    ],
    [
      () => new Sequential(runtime, [dense(5, 6), new BatchNorm(5)]),
      "ERR_SHAPE",
      "Sequential: layer 1 (BatchNorm) takes 5 features but layer 0 (Dense) gives 6; they must be equal.",
    ],
    [
      () => new Sequential(runtime, [new Relu(), dense(7, 2)]),
      "ERR_ARGUMENT",
      "Sequential: layer 0 (Relu) takes any number of features; the first layer must fix it, as Dense does.",
    ],
    [
      () => new Sequential(runtime, [dense(1, 1)], { seed: -1 }),
      "ERR_ARGUMENT",
      "Sequential: seed is -1; it must be an integer from 0 to 9007199254740991.",
    ],
    [
      () => new Sequential(runtime, [dense(1, 1)], { maxBatch: 0 }),
      "ERR_ARGUMENT",
      `Sequential: maxBatch is 0; ${integers}`,
    ],
    [
      () => new Sequential(runtime, [dense(1, 4)], { maxBatch: 2 ** 30 }),
      "ERR_ARGUMENT",
      "Sequential: maxBatch is 1073741824; it must be an integer from 1 to 536870911.",
    ],
    [
      () => new Sequential(runtime, [dense(1, 1)], { inputGradient: wrong(null) }),
      "ERR_ARGUMENT",
      "Sequential: inputGradient is null; it must be true or false.",
    ],
    [
      () => new Sgd({ learningRate: NaN }),
      "ERR_ARGUMENT",
      "Sgd: learningRate is NaN; it must be a finite float32 of at least 0.",
    ],
    [() => new Sgd({ momentum: 1 }), "ERR_ARGUMENT", "Sgd: momentum is 1; it must be a number from 0 to below 1."],
    [
      () => new Sgd({ weightDecay: -1 }),
      "ERR_ARGUMENT",
      "Sgd: weightDecay is -1; it must be a finite float32 of at least 0.",
    ],
    [
      () => new Adam({ learningRate: wrong("fast") }),
      "ERR_ARGUMENT",
      'Adam: learningRate is "fast"; it must be a finite float32 of at least 0.',
    ],
    [
      () => {
        new Adam().learningRate = Infinity;
      },
      "ERR_ARGUMENT",
      "Adam: learningRate is Infinity; it must be a finite float32 of at least 0.",
    ],
    [
      () => new Adam({ beta1: 0.999999999 }),
      "ERR_ARGUMENT",
      "Adam: beta1 is 0.999999999; it must be a number from 0 to below 1.",
    ],
    [
      () => new Adam({ eps: 1e-45 }),
      "ERR_ARGUMENT",
      "Adam: eps is 1e-45; it must be a finite float32 of at least 1.1754943508222875e-38.",
    ],
    [() => new Adam(wrong(1)), "ERR_ARGUMENT", "Adam: options is 1; it must be an object."],
    [() => new Adam().bind(wrong(null)), "ERR_ARGUMENT", "Adam.bind: model is null; it must be a model."],
  ];
  for (const [call, code, message] of bad) {
    test(`refuses: ${message}`, () => {
      refuses(runtime, call, code, message);
    });
  }

  describe("using it", () => {
    const model = new Sequential(runtime, [dense(4, 3)], { maxBatch: 2 });
    const x = new Float32Array(8);
    const optimizer = new Adam();
    const training = { loss: "softmaxCrossEntropy", optimizer } as const;
    const regression = { loss: "meanSquaredError", optimizer } as const;
    const dy = runtime.zeros([2, 3]);
    const gone = runtime.zeros([2, 4]);
    gone.dispose();
    optimizer.bind(model);
    const rule = "the model takes 4 features";
    const calls: [call: () => unknown, code: lib.ErrorCode, message: string][] = [
      [
        () => model.forward(new Float32Array(7)),
        "ERR_SHAPE",
        `Sequential.forward: x has 7 elements; ${rule}, so it must have a positive multiple of 4.`,
      ],
      [
        () => model.predict(new Float32Array(0)),
        "ERR_SHAPE",
        `Sequential.predict: x has 0 elements; ${rule}, so it must have a positive multiple of 4.`,
      ],
      [
        () => model.predict(detached(new Float32Array(4))),
        "ERR_DETACHED",
        "Sequential.predict: x is detached (its buffer was transferred); pass a live array.",
      ],
      [
        () => model.predict(wrong([1, 2, 3, 4])),
        "ERR_ARGUMENT",
        "Sequential.predict: x is an array of 4; it must be a Float32Array, a Uint8Array or a tensor.",
      ],
      [
        () => model.predict(wrong(undefined)),
        "ERR_ARGUMENT",
        "Sequential.predict: x is undefined; it must be a Float32Array, a Uint8Array or a tensor.",
      ],
      [() => model.predict(dy), "ERR_SHAPE", `Sequential.predict: x is 2×3 but must be 2×4: ${rule}.`],
      [() => model.predict(gone), "ERR_DISPOSED", "Sequential.predict: x (2×4) is disposed; it must be alive."],
      [
        () => model.predict(other.zeros([2, 4])),
        "ERR_RUNTIME_MISMATCH",
        "Sequential.predict: x (2×4) belongs to another runtime; all tensors must come from one.",
      ],
      [
        () => model.forward(new Float32Array(12)),
        "ERR_ARGUMENT",
        "Sequential.forward: x has 3 rows but the model holds at most 2; call reserve(3) or set maxBatch.",
      ],
      [
        () => model.forward(x, { training: wrong(1) }),
        "ERR_ARGUMENT",
        "Sequential.forward: training is 1; it must be true or false.",
      ],
      [
        () => model.backward(dy),
        "ERR_ARGUMENT",
        "Sequential.backward: the last forward was none in training; call forward(x, { training: true }).",
      ],
      [
        () => model.trainBatch(x, [0, 1], { ...training, loss: wrong("hinge") }),
        "ERR_ARGUMENT",
        'Sequential.trainBatch: loss is "hinge"; it must be "softmaxCrossEntropy" or "softmaxCrossEntropyProbabilities" or "sigmoidBinaryCrossEntropy" or "meanSquaredError" or "meanAbsoluteError" or "huber".',
      ],
      [
        () => model.trainBatch(x, [0, 1], wrong(undefined)),
        "ERR_ARGUMENT",
        "Sequential.trainBatch: options is undefined; it must be an object.",
      ],
      [
        () => model.trainBatch(x, [0, 1], { ...training, optimizer: wrong("adam") }),
        "ERR_ARGUMENT",
        'Sequential.trainBatch: optimizer is "adam"; it must be an optimizer, such as new Adam().',
      ],
      [
        () => model.trainBatch(x, [0, 3], training),
        "ERR_LABEL",
        "Sequential.trainBatch: label 1 is 3; labels must be integers from 0 to 2.",
      ],
      [
        () => model.trainBatch(x, [0], training),
        "ERR_SHAPE",
        "Sequential.trainBatch: labels has 1 elements but must have 2: one label for each row.",
      ],
      [
        () => model.trainBatch(x, new Float32Array(5), regression),
        "ERR_SHAPE",
        "Sequential.trainBatch: targets has 5 elements but must have 6: 2 examples of 3 outputs.",
      ],
      [
        () => model.trainBatch(x, gone, regression),
        "ERR_DISPOSED",
        "Sequential.trainBatch: targets (2×4) is disposed; it must be alive.",
      ],
      [
        () => model.trainBatch(x, wrong(new Uint8Array(6)), regression),
        "ERR_ARGUMENT",
        "Sequential.trainBatch: targets is a Uint8Array of 6; it must be a Float32Array, an array of numbers or a float32 tensor.",
      ],
      [
        () => model.trainBatch(new Float32Array(12), [0, 1, 2], training),
        "ERR_ARGUMENT",
        "Sequential.trainBatch: x has 3 rows but the model holds at most 2; call reserve(3) or set maxBatch.",
      ],
      [
        () => model.evaluate(x, [0, 1], { loss: "softmaxCrossEntropy", batchSize: 0 }),
        "ERR_ARGUMENT",
        `Sequential.evaluate: batchSize is 0; ${integers}`,
      ],
      [
        () => {
          model.reserve(-1);
        },
        "ERR_ARGUMENT",
        "Sequential.reserve: maxBatch is -1; it must be an integer from 1 to 536870911.",
      ],
    ];
    for (const [call, code, message] of calls) {
      test(`refuses: ${message}`, () => {
        refuses(runtime, call, code, message);
      });
    }

    test("backward wants the shape of the last forward", () => {
      model.forward(x.subarray(0, 4), { training: true });
      const message = "Sequential.backward: dy is 2×3 but must be 1×3: the shape of the last forward's outputs.";
      refuses(runtime, () => model.backward(dy), "ERR_SHAPE", message);
      model.predict(x);
      assert.throws(() => model.backward(dy), { code: "ERR_ARGUMENT" });
    });
  });

  test("a disposed model says so", () => {
    const own = initSync({ variant: "strict" });
    const model = new Sequential(own, [dense(2, 2)]);
    const [weight] = model.parameters;
    const dy = own.zeros([1, 2]);
    model.dispose();
    const x = new Float32Array(2);
    const options = { loss: "softmaxCrossEntropy", optimizer: new Sgd() } as const;
    const calls: [string, () => unknown][] = [
      ["forward", () => model.forward(x)],
      ["backward", () => model.backward(dy)],
      ["predict", () => model.predict(x)],
      ["trainBatch", () => model.trainBatch(x, [0], options)],
      ["evaluate", () => model.evaluate(x, [0], options)],
      [
        "reserve",
        () => {
          model.reserve(2);
        },
      ],
      ["summary", () => model.summary()],
    ];
    for (const [name, call] of calls) {
      refuses(
        own,
        () => own.scope(() => void call()),
        "ERR_DISPOSED",
        `Sequential.${name}: the model is disposed; it must be alive.`,
      );
    }
    assert.ok(model.disposed && weight?.value.disposed && weight.gradient.disposed);
    own.dispose();
    throws(
      () => model.predict(x),
      "ERR_DISPOSED",
      "Sequential.predict: the runtime is disposed; init() makes a new one.",
    );
    throws(
      () => new Sequential(own, [dense(1, 1)]),
      "ERR_DISPOSED",
      "Sequential: the runtime is disposed; init() makes a new one.",
    );
  });
});

describe("A product before a batch norm", () => {
  /** The statistics argument of each product, and whether the batch norm took what it measured. */
  function measurements(layers: Layer[], training: boolean) {
    const { runtime, calls } = spiedRuntime();
    const model = new Sequential(runtime, layers, { seed: 1 });
    model.forward(runtime.tensor(new Random(1).floats(9 * 5), [9, 5]), { training });
    const of = (name: string, place: number) =>
      calls.filter((call) => call.name === name).map(({ args }) => args[place]);
    runtime.dispose();
    return { products: of("sgemm", 17).map((pointer) => pointer !== 0), measured: of("batchNormForward", 15) };
  }

  it("measures in training what the batch norm behind it needs, through a fused activation too", () => {
    const straight = measurements([new Dense(5, 4), new BatchNorm(4), new Dense(4, 3)], true);
    assert.deepEqual(straight, { products: [true, false], measured: [1] });
    const activated = measurements([new Dense(5, 4), new Relu(), new BatchNorm(4)], true);
    assert.deepEqual(activated, { products: [true], measured: [1] });
  });

  it("measures nothing where something stands between them, or in inference", () => {
    const between = measurements([new Dense(5, 4), new Sigmoid(), new BatchNorm(4)], true);
    assert.deepEqual(between, { products: [false], measured: [0] });
    assert.deepEqual(measurements([new Dense(5, 4), new BatchNorm(4)], false).products, [false]);
  });
});
