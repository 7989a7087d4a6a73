import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  BatchNorm,
  Dense,
  glorotUniform,
  heNormal,
  LayerNorm,
  LeakyRelu,
  orthonormal,
  randomWalk,
  Relu,
  Sequential,
  Tanh,
  zeros,
  type Initializer,
  type Layer,
} from "../../src/index.js";
import { expectSameBits } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, throws, VARIANTS } from "./support.js";

const variance = (values: ArrayLike<number>): number => {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  return all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
};

/** A normal number, from twelve uniforms. */
const normal = (random: Random): number =>
  Array.from({ length: 12 }, () => random.uniform(0, 1)).reduce((a, b) => a + b) - 6;

for (const { variant, skip } of VARIANTS) {
  describe(`initializers, ${variant}`, { skip: skip !== false }, () => {
    const runtime = runtimeOf(variant);
    const weights = (ins: number, outs: number, weightInit: Initializer, seed = 1): Float32Array => {
      const model = new Sequential(runtime, [new Dense(ins, outs, { weightInit })], { seed });
      const values = model.parameters[0]!.value.toArray();
      model.dispose();
      return values;
    };

    for (const [ins, outs] of [
      [1, 1],
      [40, 40],
      [70, 31],
      [31, 70],
      [300, 100],
    ] as const) {
      for (const gain of [1, Math.SQRT2]) {
        it(`orthonormal: ${String(outs)}×${String(ins)} with gain ${gain.toFixed(2)} keeps lengths and angles`, () => {
          const w = weights(ins, outs, orthonormal({ gain }));
          const [count, length] = outs > ins ? [ins, outs] : [outs, ins];
          const element = (i: number, k: number) => (outs > ins ? w[k * ins + i]! : w[i * ins + k]!);
          for (let i = 0; i < count; i++) {
            for (let j = 0; j <= i; j++) {
              let dot = 0;
              for (let k = 0; k < length; k++) dot += element(i, k) * element(j, k);
              const error = Math.abs(dot - (i === j ? gain * gain : 0));
              assert.ok(error < 3e-7, `vectors ${String(i)} and ${String(j)}: ${String(dot)}`);
            }
          }
        });
      }
    }

    it("orthonormal: one seed gives one matrix, another another, of both signs", () => {
      const [one, again, other] = [
        weights(9, 6, orthonormal()),
        weights(9, 6, orthonormal()),
        weights(9, 6, orthonormal(), 2),
      ];
      expectSameBits("orthonormal", "weight", again, one);
      assert.notDeepEqual(other, one);
      const signs = Array.from({ length: 64 }, (_, seed) => Math.sign(weights(1, 1, orthonormal(), seed)[0]!));
      assert.ok(signs.includes(1) && signs.includes(-1));
    });

    it("orthonormal: a hundred linear layers keep the length of every example (Saxe et al. 2014)", () => {
      const layers = Array.from({ length: 100 }, () => new Dense(20, 20, { weightInit: orthonormal(), bias: false }));
      const model = new Sequential(runtime, layers);
      const x = new Random(1).floats(8 * 20);
      const y = model.predict(x);
      for (let row = 0; row < 8; row++) {
        const squares = (values: Float32Array) =>
          values.slice(row * 20, row * 20 + 20).reduce((sum, v) => sum + v * v, 0);
        assert.ok(Math.abs(squares(y) / squares(x) - 1) < 1e-4);
      }
      model.dispose();
    });

    it("randomWalk: gradients keep their size through 200 narrow ReLU layers; heNormal's vanish (Sussillo & Abbott 2014)", () => {
      /** The mean over some models of log₁₀ of the input gradient's length over the output gradient's. */
      const drift = (weightInit: Initializer): number => {
        const seeds = 24;
        let sum = 0;
        for (let seed = 0; seed < seeds; seed++) {
          const width = 30;
          const layers = Array.from({ length: 200 }, (): Layer[] => [
            new Dense(width, width, { weightInit, bias: false }),
            new Relu(),
          ]).flat();
          const model = new Sequential(runtime, layers, { seed, maxBatch: 1, inputGradient: true });
          model.forward(new Random(seed).floats(width), { training: true });
          const dy = new Random(seed + 99).floats(width);
          const tensor = runtime.tensor(dy, [1, width]);
          const length = (values: Float32Array) => Math.sqrt(values.reduce((total, value) => total + value * value, 0));
          sum += Math.log10(length(model.backward(tensor)!.toArray()) / length(dy)) / seeds;
          tensor.dispose();
          model.dispose();
        }
        return sum;
      };
      const [walk, he] = [drift(randomWalk()), drift(heNormal())];
      assert.ok(Math.abs(walk) < 1, `randomWalk drifts by 10^${walk.toFixed(2)}`);
      assert.ok(he < -3, `heNormal drifts by 10^${he.toFixed(2)}`);
    });

    /** Ten layers of 100 units, as the lecture has them. */
    const deep = (activation: () => Layer, weightInit: Initializer, bias = false) =>
      Array.from({ length: 10 }, (): Layer[] => [new Dense(100, 100, { weightInit, bias }), activation()]).flat();
    const random = new Random(7);
    const batch = Float32Array.from({ length: 200 * 100 }, () => normal(random));

    for (const [name, activation] of [
      ["Relu", () => new Relu()],
      ["Tanh", () => new Tanh()],
      ["LeakyRelu", () => new LeakyRelu(1 / 3)],
    ] as const) {
      for (const bias of [true, false]) {
        it(`lsuv: ten layers with ${name}${bias ? ", fused," : ""} have outputs of variance 1, seen from outside too`, () => {
          const layers = deep(activation, zeros(), bias);
          const model = new Sequential(runtime, layers, { maxBatch: 200, seed: 3 });
          const results = model.lsuv(batch, { tolerance: 0.01 });
          assert.deepEqual(
            results.map(({ layer }) => layer),
            [0, 2, 4, 6, 8, 10, 12, 14, 16, 18],
          );
          const values = model.parameters.map(({ value }) => value.toArray());
          results.forEach(({ layer, variance: found, iterations }) => {
            assert.ok(Math.abs(found - 1) < 0.01 && iterations <= 3, `layer ${String(layer)}: ${String(found)}`);
            // The same weights in a model that ends before the activation.
            const part = new Sequential(runtime, layers.slice(0, layer + 1));
            part.parameters.forEach(({ value }, p) => void value.from(values[p]!));
            assert.ok(Math.abs(variance(part.predict(batch)) / found - 1) < 1e-4);
            part.dispose();
          });
          model.dispose();
        });
      }
    }

    it("lsuv: keeps the paper's limits, the start it is given, and running statistics", () => {
      const layers = [
        new Dense(100, 50, {
          biasInit: ({ runtime, pointer, size }) => void runtime.heapF32.fill(2, pointer >>> 2, (pointer >>> 2) + size),
        }),
        new BatchNorm(50),
        new Relu(),
        new Dense(50, 8),
      ];
      const model = new Sequential(runtime, layers, { maxBatch: 200 });
      const states = model.states.map(({ value }) => value.toArray());
      const first = model.lsuv(batch);
      for (const { variance: found, iterations } of first) assert.ok(Math.abs(found - 1) < 0.1 && iterations <= 10);
      const weight = model.parameters[0]!.value.toArray();
      assert.deepEqual(model.lsuv(batch), first);
      expectSameBits("lsuv", "0.weight", model.parameters[0]!.value.toArray(), weight);
      model.states.forEach(({ value }, i) => {
        expectSameBits("lsuv", "state", value.toArray(), states[i]!);
      });
      assert.deepEqual(
        model.lsuv(batch, { weightInit: zeros() }).map(({ iterations, variance: v }) => [iterations, v]),
        [
          [0, 0],
          [0, 0],
        ],
      );
      const start = model.lsuv(batch, { maxIterations: 0, weightInit: glorotUniform() })[0]!.variance;
      assert.ok(start > 0.5 && start !== 1);
      model.dispose();
    });

    it("lsuv: a layer norm and narrow layers in between", () => {
      const model = new Sequential(runtime, [new Dense(100, 7), new LayerNorm(7), new Tanh(), new Dense(7, 90)], {
        maxBatch: 200,
      });
      for (const { variance: found } of model.lsuv(batch)) assert.ok(Math.abs(found - 1) < 0.1);
      model.dispose();
    });
  });
}

describe("initializers refuse", () => {
  const runtime = runtimeOf("strict");
  const model = new Sequential(runtime, [new Dense(4, 2)], { maxBatch: 3 });
  const bad: [call: () => unknown, message: string][] = [
    [() => orthonormal({ gain: -1 }), "orthonormal: gain is -1; it must be a finite float32 of at least 0."],
    [
      () => randomWalk({ activation: "tanh" as "relu" }),
      'randomWalk: activation is "tanh"; it must be "relu" or "linear".',
    ],
    [() => randomWalk({ gain: NaN }), "randomWalk: gain is NaN; it must be a finite float32 of at least 0."],
    [
      () => model.lsuv(new Float32Array(16)),
      "Sequential.lsuv: x has 4 rows but the model holds at most 3; call reserve(4) or set maxBatch.",
    ],
    [
      () => model.lsuv(new Float32Array(4), { tolerance: 0 }),
      "Sequential.lsuv: tolerance is 0; it must be a finite float32 above 0.",
    ],
    [
      () => model.lsuv(new Float32Array(4), { weightInit: 1 as never }),
      "Sequential.lsuv: weightInit is 1; it must be an initializer.",
    ],
  ];
  it("a bias as orthonormal", () => {
    throws(
      () => new Sequential(runtime, [new Dense(4, 2, { biasInit: orthonormal() })]),
      "ERR_ARGUMENT",
      "orthonormal: the parameter has 2 values; it must be a weight of 2×4.",
    );
  });
  for (const [call, message] of bad) {
    it(message, () => {
      refuses(runtime, call, "ERR_ARGUMENT", message);
    });
  }
});
