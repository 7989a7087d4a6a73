import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import {
  Dense,
  GroupNorm,
  groupNorm,
  groupNormBackward,
  LayerNorm,
  layerNorm,
  layerNormBackward,
  Relu,
  Sequential,
  Sgd,
  type Layer,
} from "../../src/index.js";
import * as reference from "../reference/groupNorm.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, throws, VARIANTS } from "./support.js";

const tolerance = { roundings: 64 };
const EPS = Math.fround(1e-5);

for (const { variant, skip } of VARIANTS) {
  describe(`layer and group norm, ${variant}`, { skip: skip !== false }, () => {
    const runtime = runtimeOf(variant);

    it("the functions normalise and give the gradients of the reference, in new tensors or in place", () => {
      const [rows, cols] = [70, 24];
      const random = new Random(1);
      const [x, dy] = [random.floats(rows * cols, 99, 101), random.floats(rows * cols)];
      const [gamma, beta] = [random.floats(cols, 0.5, 2), random.floats(cols)];
      const tensors = { x: runtime.tensor(x, [rows, cols]), dy: runtime.tensor(dy, [rows, cols]) };
      const scale = { gamma: runtime.tensor(gamma, [cols]), beta: runtime.tensor(beta, [cols]) };
      for (const groups of [1, 4, 24]) {
        const { y, saved } =
          groups === 1
            ? layerNorm(tensors.x, scale.gamma, scale.beta)
            : groupNorm(tensors.x, scale.gamma, scale.beta, { groups });
        const forward = reference.groupNorm(x, gamma, beta, cols, groups, EPS);
        expectClose("groupNorm", "y", y.toArray(), { ...forward, tolerance });
        const gradients =
          groups === 1
            ? layerNormBackward(tensors.dy, tensors.x, saved, scale.gamma)
            : groupNormBackward(tensors.dy, tensors.x, saved, scale.gamma, { groups });
        const backward = reference.groupNormBackward(dy, x, gamma, cols, groups, EPS);
        for (const name of ["dx", "dGamma", "dBeta"] as const) {
          expectClose("groupNorm", name, gradients[name].toArray(), { ...backward[name], tolerance });
        }
        // In place: y over x, dx over dy.
        const [copyX, copyDy] = [runtime.tensor(x, [rows, cols]), runtime.tensor(dy, [rows, cols])];
        const dx = groupNormBackward(copyDy, tensors.x, saved, scale.gamma, { groups, out: { dx: copyDy } }).dx;
        expectSameBits("groupNorm", "dx in place", dx.toArray(), gradients.dx.toArray());
        const inPlace = groupNorm(copyX, scale.gamma, scale.beta, { groups, out: copyX }).y;
        assert.equal(inPlace, copyX);
        expectSameBits("groupNorm", "y in place", inPlace.toArray(), y.toArray());
      }
    });

    const norms: [name: string, make: () => Layer, groups: number][] = [
      ["LayerNorm", () => new LayerNorm(12), 1],
      ["GroupNorm", () => new GroupNorm(3, 12), 3],
    ];
    for (const [name, make, groups] of norms) {
      it(`${name}: an example's outputs depend neither on its batch nor on training`, () => {
        const model = new Sequential(runtime, [new Dense(5, 12), make(), new Relu(), new Dense(12, 4)], { seed: 1 });
        const x = new Random(2).floats(40 * 5);
        const all = model.predict(x);
        for (const rows of [4, 17, 40]) {
          const training = model.forward(x.subarray(0, rows * 5), { training: true }).toArray();
          expectSameBits(name, "outputs", training, all.slice(0, rows * 4));
        }
        model.dispose();
      });

      it(`${name}: gradients in a model are the reference's, and add up when told to`, () => {
        const model = new Sequential(runtime, [make()], { inputGradient: true, maxBatch: 100 });
        const random = new Random(3);
        const rows = 70;
        const [x, dy] = [random.floats(rows * 12), random.floats(rows * 12)];
        const [gamma, beta] = [random.floats(12, 0.5, 2), random.floats(12)];
        model.parameters[0]!.value.from(gamma);
        model.parameters[1]!.value.from(beta);
        const expected = reference.groupNormBackward(dy, x, gamma, 12, groups, EPS);
        for (const times of [1, 2]) {
          model.forward(x, { training: true });
          const dx = model.backward(runtime.tensor(dy, [rows, 12]), { accumulate: times > 1 })!;
          expectClose(name, "dx", dx.toArray(), { ...expected.dx, tolerance });
          (["dGamma", "dBeta"] as const).forEach((which, p) => {
            const { values, magnitude } = expected[which];
            expectClose(name, which, model.parameters[p]!.gradient.toArray(), {
              values: values.map((value) => value * times),
              magnitude: magnitude.map((value) => value * times),
              tolerance,
            });
          });
        }
        model.freeze(0);
        for (const { gradient } of model.parameters) gradient.from(new Float32Array(12).fill(NaN));
        model.forward(x, { training: true });
        expectClose(name, "dx", model.backward(runtime.tensor(dy, [rows, 12]))!.toArray(), {
          ...expected.dx,
          tolerance,
        });
        for (const { gradient } of model.parameters) assert.ok(gradient.toArray().every(Number.isNaN));
        model.dispose();
      });

      it(`${name}: learns, down to a batch of one`, () => {
        const model = new Sequential(runtime, [new Dense(3, 12), make(), new Relu(), new Dense(12, 1)], { seed: 4 });
        const optimizer = new Sgd({ learningRate: 0.02 });
        const random = new Random(5);
        const x = random.floats(32 * 3);
        const y = Float32Array.from({ length: 32 }, (_, i) => x[3 * i]! * x[3 * i + 1]!);
        const loss = "meanSquaredError";
        const before = model.evaluate(x, y, { loss }).loss;
        for (let step = 0; step < 32 * 40; step++) {
          const i = step % 32;
          model.trainBatch(x.subarray(3 * i, 3 * i + 3), y.subarray(i, i + 1), { loss, optimizer });
        }
        const after = model.evaluate(x, y, { loss }).loss;
        assert.ok(after < before / 10, `${String(before)} became ${String(after)}`);
        model.dispose();
      });
    }
  });
}

test("an example of 1e4 ± 1e-2 is normalised, and one without deviation becomes beta", () => {
  const runtime = runtimeOf("strict");
  const model = new Sequential(runtime, [new LayerNorm(64, { eps: 1e-12 })]);
  const x = new Random(6).floats(64, 1e4 - 0.02, 1e4 + 0.02);
  const { mean, variance } = reference.groupStatistics(model.predict(x), 64);
  assert.ok(Math.abs(mean[0]!) < 1e-5 && Math.abs(variance[0]! - 1) < 1e-5);
  assert.ok(model.predict(x.fill(7)).every((value) => value === 0));
  model.dispose();
});

describe("layer and group norm refuse", () => {
  const runtime = runtimeOf("strict");
  const [x, dy] = [runtime.zeros([4, 6]), runtime.zeros([4, 6])];
  const [gamma, beta, short] = [runtime.zeros([6]), runtime.zeros([6]), runtime.zeros([5])];
  const { saved } = groupNorm(x, gamma, beta, { groups: 3 });
  const argument: [call: () => unknown, message: string][] = [
    [
      () => groupNorm(x, gamma, beta, { groups: 4 }),
      "groupNorm: 6 features do not divide into 4 groups; groups must be a divisor.",
    ],
    [
      () => groupNorm(x, gamma, beta, { groups: 0 }),
      "groupNorm: groups is 0; it must be an integer from 1 to 2147483647.",
    ],
    [() => layerNorm(x, gamma, beta, { eps: -1 }), "layerNorm: eps is -1; it must be a finite float32 of at least 0."],
    [
      () => groupNormBackward(dy, x, saved, gamma, { groups: 3, out: { dx: x } }),
      "groupNormBackward: out.dx shares memory with x; it must be apart from it.",
    ],
    [() => new GroupNorm(5, 12), "GroupNorm: 12 features do not divide into 5 groups; groups must be a divisor."],
    [() => new LayerNorm(0), "LayerNorm: features is 0; it must be an integer from 1 to 2147483647."],
  ];
  for (const [call, message] of argument) {
    it(message, () => {
      refuses(runtime, call, "ERR_ARGUMENT", message);
    });
  }
  it("shapes that do not fit", () => {
    throws(
      () => layerNorm(x, short, beta),
      "ERR_SHAPE",
      "layerNorm: gamma is 5 but must be 6: one value for each column of x.",
    );
    throws(
      () => layerNormBackward(dy, x, saved, gamma),
      "ERR_SHAPE",
      "layerNormBackward: saved is 3×12 but must be 3×4: it comes from the forward pass.",
    );
  });
});
