import assert from "node:assert/strict";
import * as graph from "../../src/graph.js";
import { Adam, constant, Dense, heNormal, initSync, Relu, Sequential, Sgd } from "../../src/index.js";
import { runtimeOf, skippable, throws, VARIANTS } from "../src/support.js";
import { Random } from "../support/random.js";

const { dense, Parameters, softmaxCrossEntropy, valueAndGrad } = graph;
type Value = graph.Value;

const SHAPES = {
  W1: { shape: [16, 8], initializer: heNormal() },
  b1: { shape: [16] },
  W2: { shape: [3, 16], initializer: heNormal() },
  b2: { shape: [3] },
};
type Weights = Readonly<Record<keyof typeof SHAPES, Value>>;

for (const { variant, skip } of VARIANTS) {
  const test = skippable(skip);

  test(`training through the graph is training through layers, bit for bit, ${variant}`, () => {
    const runtime = runtimeOf(variant);
    const random = new Random(6);
    const x = runtime.tensor(random.floats(32 * 8), [32, 8]);
    const labels = runtime.tensor(Int32Array.from({ length: 32 }, () => random.integer(0, 2)));
    const layers = new Sequential(runtime, [new Dense(8, 16), new Relu(), new Dense(16, 3)], { seed: 7 });
    const parameters = new Parameters(runtime, SHAPES, { seed: 7 });
    const options = { loss: "softmaxCrossEntropy", optimizer: new Adam() } as const;
    const optimizer = new Adam().bind(parameters);
    const loss = ({ W1, b1, W2, b2 }: Weights) =>
      softmaxCrossEntropy(dense(dense(x, W1, b1, { activation: "relu" }), W2, b2), labels);
    const step = valueAndGrad(loss);
    for (let i = 0; i < 20; i++) {
      const { value } = step(parameters.values, { out: parameters.gradients });
      optimizer.step();
      assert.equal(value, Math.fround(layers.trainBatch(x, labels, options)), `step ${i}`);
    }
    Object.values(parameters.values).forEach((tensor, i) => {
      assert.deepEqual(tensor.toArray(), layers.parameters[i]!.value.toArray());
    });
  });
}

const test = skippable(VARIANTS[0]!.skip);

test("a training loop does not grow, and dispose leaves nothing", () => {
  const runtime = initSync({ variant: "strict" });
  const x = runtime.tensor(new Random(1).floats(4 * 8), [4, 8]);
  const before = runtime.statistics.bytesInUse;
  const model = new Parameters(runtime, SHAPES);
  const optimizer = new Sgd({ momentum: 0.9 }).bind(model);
  const loss = ({ W1, b1 }: Weights) => graph.mean(graph.square(dense(x, W1, b1)));
  const step = valueAndGrad(loss);
  const train = () => {
    const { value } = step(model.values, { out: model.gradients });
    optimizer.step();
    return value;
  };
  const first = train();
  const { statistics } = runtime;
  let last = first;
  for (let i = 0; i < 2000; i++) last = train();
  assert.deepEqual(runtime.statistics, statistics);
  assert.ok(last < 1e-3 * first);
  model.dispose();
  model.dispose();
  assert.equal(runtime.statistics.bytesInUse, before);
});

test("weight decay applies to matrices, not to vectors, unless told otherwise", () => {
  const runtime = runtimeOf("strict");
  const ones = { initializer: constant(1) };
  const model = new Parameters(runtime, {
    W: { shape: [2, 2], ...ones },
    b: { shape: [2], ...ones },
    free: { shape: [2, 2], decay: false, ...ones },
  });
  new Sgd({ learningRate: 1, weightDecay: 0.5 }).bind(model).step();
  assert.deepEqual([...model.values.W.toArray()], [0.5, 0.5, 0.5, 0.5]);
  assert.deepEqual([...model.values.b.toArray()], [1, 1]);
  assert.deepEqual([...model.values.free.toArray()], [1, 1, 1, 1]);
});

test("wrong parameters are refused", () => {
  const runtime = runtimeOf("strict");
  throws(
    () => new Parameters(runtime, { W: { shape: [2, 0] } }),
    "ERR_SHAPE",
    "Parameters: W: shape is 2×0; every size must be a positive integer.",
  );
  throws(() => new Parameters(runtime, { W: 3 as never }), "ERR_ARGUMENT", "Parameters: W is 3; it must be an object.");
  throws(
    () => new Parameters(runtime, { W: { shape: [1], initializer: 1 as never } }),
    "ERR_ARGUMENT",
    "Parameters: W.initializer is 1; it must be an initializer.",
  );
  throws(
    () => new Parameters(runtime, {}),
    "ERR_ARGUMENT",
    "Parameters: parameters is an object (Object); it must be at least one parameter.",
  );
});
