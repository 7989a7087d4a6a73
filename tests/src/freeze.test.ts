import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BatchNorm, Dense, Relu, Sequential, Sgd, Sigmoid, type Layer } from "../../src/index.js";
import { expectSameBits } from "../support/compare.js";
import { Random } from "../support/random.js";
import { spiedRuntime } from "../support/spiedRuntime.js";

const LAYERS = (): Layer[] => [
  new Dense(6, 9),
  new Relu(),
  new Dense(9, 8),
  new BatchNorm(8),
  new Relu(),
  new Dense(8, 5),
  new Sigmoid(),
  new Dense(5, 3),
];
const [ROWS, IN, OUT] = [7, 6, 3];

describe("freeze", () => {
  const { runtime, calls } = spiedRuntime();
  const random = new Random(31);
  const x = runtime.tensor(random.floats(ROWS * IN), [ROWS, IN]);
  const dy = runtime.tensor(random.floats(ROWS * OUT), [ROWS, OUT]);

  /** The kernels that a backward pass calls, in order. */
  function backwardCalls(model: Sequential): string[] {
    model.forward(x, { training: true });
    calls.length = 0;
    model.backward(dy);
    return calls.map(({ name }) => name);
  }

  const cases: { frozen: number[]; expected: string[]; inputGradient?: true }[] = [
    {
      frozen: [],
      expected: [
        ...["sgemm", "columnSums", "sgemm", "sigmoidBackward", "sgemm", "columnSums", "sgemm"],
        ...["batchNormBackward", "sgemm", "columnSums", "sgemm", "reluBackward", "sgemm", "columnSums"],
      ],
    },
    // The usual transfer: only the last layer is trained.
    { frozen: [0, 2, 3, 5], expected: ["sgemm", "columnSums"] },
    // A frozen layer between trained ones passes the gradient on.
    {
      frozen: [5],
      expected: [
        ...["sgemm", "columnSums", "sgemm", "sigmoidBackward", "sgemm"],
        ...["batchNormBackward", "sgemm", "columnSums", "sgemm", "reluBackward", "sgemm", "columnSums"],
      ],
    },
    {
      frozen: [0, 2],
      expected: [
        "sgemm",
        "columnSums",
        "sgemm",
        "sigmoidBackward",
        "sgemm",
        "columnSums",
        "sgemm",
        "batchNormBackward",
      ],
    },
    { frozen: [0, 2, 3, 5, 7], expected: [] },
    // Who asked for the input's gradient gets it, by products with the weights alone.
    {
      frozen: [0, 2, 3, 5, 7],
      inputGradient: true,
      expected: ["sgemm", "sigmoidBackward", "sgemm", "batchNormBackward", "sgemm", "reluBackward", "sgemm"],
    },
  ];
  for (const { frozen, expected, inputGradient = false } of cases) {
    it(`[${String(frozen)}]${inputGradient ? " with the input's gradient" : ""}: backward calls ${String(expected.length)} kernels`, () => {
      const model = new Sequential(runtime, LAYERS(), { seed: 2, maxBatch: 8, inputGradient });
      model.freeze(...frozen);
      assert.deepEqual(backwardCalls(model), expected);
      model.unfreeze(...frozen);
      assert.equal(backwardCalls(model).length, inputGradient ? 15 : 14);
      model.dispose();
    });
  }

  it("trained layers get the gradients that they get when nothing is frozen, after a move of the buffers too", () => {
    const model = new Sequential(runtime, LAYERS(), { seed: 3, maxBatch: 8 });
    model.forward(x, { training: true });
    model.backward(dy);
    const expected = model.parameters.map(({ gradient }) => gradient.toArray());
    for (const frozen of [[0], [2], [0, 2, 5], [7], [0, 3, 7]]) {
      model.freeze(...frozen);
      model.reserve(frozen.length + 8);
      for (const { gradient } of model.parameters) gradient.from(new Float32Array(gradient.size).fill(NaN));
      model.forward(x, { training: true });
      model.backward(dy);
      model.parameters.forEach(({ name, layer, gradient }, p) => {
        if (frozen.includes(layer)) return;
        expectSameBits("freeze", name, gradient.toArray(), expected[p]!);
      });
      // Of a frozen Dense they are not even written.
      const dense = model.parameters.filter(({ name, layer }) => frozen.includes(layer) && name.endsWith(".weight"));
      for (const { name, gradient } of dense) assert.ok(gradient.toArray().every(Number.isNaN), name);
      model.unfreeze(...frozen);
    }
    model.dispose();
  });

  it("may happen between forward and backward, and while fitting", async () => {
    const model = new Sequential(runtime, LAYERS(), { seed: 4, maxBatch: 8 });
    model.forward(x, { training: true });
    model.freeze(0);
    model.backward(dy);
    const first = model.parameters[0]!.value.toArray();
    await model.fit(
      x,
      Uint8Array.from({ length: ROWS }, (_, i) => i % OUT),
      {
        loss: "softmaxCrossEntropy",
        optimizer: new Sgd({ learningRate: 0.1 }),
        epochs: 4,
        onEpoch: ({ epoch }) => {
          const moved = model.parameters[0]!.value.toArray().some((value, i) => value !== first[i]);
          assert.equal(moved, epoch > 2);
          if (epoch === 2) model.unfreeze(0);
        },
      },
    );
    model.dispose();
  });
});
