import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import * as lib from "../../src/index.js";
import { Dense, Sequential, Sgd, type LossChoice, type LossName, type Tensor } from "../../src/index.js";
import * as reference from "../reference/losses.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, throws, VARIANTS } from "./support.js";

const [ROWS, COLS] = [7, 5];
const data = (() => {
  const random = new Random(1);
  const rows = Array.from({ length: ROWS }, () => {
    const row = Array.from({ length: COLS }, () => random.uniform(0, 1));
    const sum = row.reduce((total, value) => total + value, 0);
    return row.map((value) => value / sum);
  });
  return {
    y: random.floats(ROWS * COLS, -3, 3),
    targets: random.floats(ROWS * COLS, 0, 1),
    probabilities: Float32Array.from(rows.flat()),
    labels: Int32Array.from({ length: ROWS }, (_, i) => (3 * i) % COLS),
    weights: [0.5, 2, 0, 1, 3],
  };
})();

interface Kind {
  choice: LossChoice;
  labels?: boolean;
  targets?: Float32Array;
  /** The function of the same name. */
  run: (y: Tensor, targets: never, out?: Tensor) => { loss: number; gradient: Tensor };
  /** The mean loss in float64. */
  mean: (y: ArrayLike<number>) => number;
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const onehot = Float32Array.from({ length: ROWS * COLS }, (_, at) =>
  data.labels[Math.floor(at / COLS)] === at % COLS ? 1 : 0,
);

/** As PyTorch's documentation has it: −Σ w_c log softmax_c · target_c, with its two means and its smoothing. */
function crossEntropy(
  y: ArrayLike<number>,
  targets: ArrayLike<number>,
  smoothing: number,
  weights?: number[],
  labels?: boolean,
) {
  let [total, mass] = [0, 0];
  for (let i = 0; i < ROWS; i++) {
    const x = Array.from({ length: COLS }, (_, j) => y[i * COLS + j]!);
    const logSum = Math.log(sum(x.map(Math.exp)));
    x.forEach((value, j) => {
      const target = targets[i * COLS + j]!;
      const weight = weights?.[j] ?? 1;
      total += weight * ((1 - smoothing) * target + smoothing / COLS) * (logSum - value);
      mass += labels ? weight * target : target;
    });
  }
  return total / (labels ? mass : ROWS);
}

const elementwise = (term: reference.Term) => (y: ArrayLike<number>) =>
  sum(Array.from(y, (value, i) => term(value, data.targets[i]!).value)) / y.length;
const squares: reference.Term = (y, t) => ({ value: (y - t) ** 2, magnitude: 0, slope: 0, slopeMagnitude: 0 });

const KINDS: Kind[] = [
  ...[
    { smoothing: 0 },
    { smoothing: 0.25 },
    { smoothing: 0, weights: data.weights },
    { smoothing: 0.25, weights: data.weights },
  ].flatMap(({ smoothing, weights }): Kind[] => {
    const options = { labelSmoothing: smoothing, ...(weights && { classWeights: weights }) };
    return [
      {
        choice: { name: "softmaxCrossEntropy", ...options },
        labels: true,
        run: (y, labels, out) => {
          const { loss, dLogits } = lib.softmaxCrossEntropy(y, labels, { ...options, ...(out && { out }) });
          return { loss, gradient: dLogits };
        },
        mean: (y) => crossEntropy(y, onehot, smoothing, weights, true),
      },
      {
        choice: { name: "softmaxCrossEntropyProbabilities", ...options },
        targets: data.probabilities,
        run: (y, targets, out) => {
          const all = { ...options, ...(out && { out }) };
          const { loss, dLogits } = lib.softmaxCrossEntropyProbabilities(y, targets, all);
          return { loss, gradient: dLogits };
        },
        mean: (y) => crossEntropy(y, data.probabilities, smoothing, weights),
      },
    ];
  }),
  ...(["mean", "sum", "half"] as const).map((form): Kind => ({
    choice: { name: "meanSquaredError", form },
    run: (y, targets, out) => {
      const { loss, dy } = lib.meanSquaredError(y, targets, { form, ...(out && { out }) });
      return { loss, gradient: dy };
    },
    mean: (y) => elementwise(squares)(y) * { mean: 1, sum: COLS, half: COLS / 2 }[form],
  })),
  ...(["meanAbsoluteError", "sigmoidBinaryCrossEntropy", "huber"] as const).map((name): Kind => ({
    choice: name,
    run: (y, targets, out) => {
      const { loss, dy } = lib[name](y, targets, out ? { out } : {});
      return { loss, gradient: dy };
    },
    mean: elementwise(
      {
        meanAbsoluteError: reference.absolute,
        sigmoidBinaryCrossEntropy: reference.logistic,
        huber: reference.huber(1),
      }[name],
    ),
  })),
  {
    choice: { name: "huber", delta: 0.25 },
    run: (y, targets, out) => {
      const { loss, dy } = lib.huber(y, targets, { delta: 0.25, ...(out && { out }) });
      return { loss, gradient: dy };
    },
    mean: elementwise(reference.huber(0.25)),
  },
];

for (const { variant, skip } of VARIANTS) {
  describe(`losses, ${variant}`, { skip }, () => {
    const runtime = runtimeOf(variant);

    for (const { choice, labels = false, targets = data.targets, run, mean } of KINDS) {
      const title = JSON.stringify(choice);
      const make = () =>
        (labels ? runtime.tensor(data.labels, [ROWS], "int32") : runtime.tensor(targets, [ROWS, COLS])) as never;

      it(`${title}: the value, its gradient by central differences, in place`, () => {
        const y = runtime.tensor(data.y, [ROWS, COLS]);
        const target = make();
        const { loss, gradient } = run(y, target);
        assert.ok(Math.abs(loss - mean(data.y)) < 2e-6, `${loss}, not ${mean(data.y)}`);
        const found = gradient.toArray();
        data.y.forEach((_, at) => {
          const moved = (by: number) => mean(Float64Array.from(data.y, (value, i) => (i === at ? value + by : value)));
          const difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
          assert.ok(Math.abs(difference - found[at]!) < 1e-6, `at ${at}: ${found[at]!}, not ${difference}`);
        });
        const again = run(y, target, y);
        assert.equal(again.loss, loss);
        assert.equal(again.gradient, y);
        expectSameBits(title, "gradient", y.toArray(), found);
        for (const tensor of [y, target as Tensor, gradient]) tensor.dispose();
      });

      it(`${title}: trainBatch, fit and evaluate take it`, async () => {
        const x = new Random(2).floats(ROWS * 3);
        const given = labels ? data.labels : targets;
        const build = () => new Sequential(runtime, [new Dense(3, COLS)], { seed: 4, maxBatch: ROWS });
        const model = build();
        const y = runtime.tensor(model.predict(x), [ROWS, COLS]);
        const { loss } = run(y, make());
        const still = new Sgd({ learningRate: 0 });
        assert.equal(model.trainBatch(x, given, { loss: choice, optimizer: still }), loss);
        assert.equal(model.evaluate(x, given, { loss: choice }).loss, loss);
        assert.equal("accuracy" in model.evaluate(x, given, { loss: choice }), labels);
        // Batches of 3, 3 and 1: their means, by their own weights, are the mean of the whole.
        const [log] = await model.fit(x, given, { loss: choice, optimizer: still, batchSize: 3 });
        assert.ok(Math.abs(log!.loss - loss) < 1e-6 * Math.abs(loss), `${log!.loss}, not ${loss}`);
        const training = build();
        const optimizer = new Sgd({ learningRate: 0.05 });
        const history = await training.fit(x, given, { loss: choice, optimizer, epochs: 30 });
        assert.ok(history[29]!.loss < history[0]!.loss, `${history[29]!.loss} after ${history[0]!.loss}`);
        for (const one of [model, training, y]) one.dispose();
      });
    }

    it("softmaxCrossEntropy against labels and against their rows agree, and smoothing 0 changes nothing", () => {
      const y = runtime.tensor(data.y, [ROWS, COLS]);
      const plain = lib.softmaxCrossEntropy(y, data.labels);
      const rows = lib.softmaxCrossEntropyProbabilities(y, runtime.tensor(onehot, [ROWS, COLS]));
      const smooth = lib.softmaxCrossEntropy(y, [...data.labels], { labelSmoothing: 0 });
      assert.equal(smooth.loss, plain.loss);
      assert.ok(Math.abs(rows.loss - plain.loss) < 1e-6);
      const magnitude = plain.dLogits.toArray().map(() => 1);
      expectClose("softmax", "dLogits", rows.dLogits.toArray(), {
        values: plain.dLogits.toArray(),
        magnitude,
        tolerance: { roundings: 4 },
      });
    });

    it("stays finite for logits of ±1e4, and a masked class of weight 0 adds nothing", () => {
      const y = runtime.tensor([1e4, -1e4, 1e4, -1e4], [1, 4]);
      const target = runtime.tensor([1, 0, 0, 1], [1, 4]);
      const { loss, dy } = lib.sigmoidBinaryCrossEntropy(y, target);
      assert.equal(loss, 5000);
      assert.deepEqual([...dy.toArray()], [0, 0, 0.25, -0.25]);
      const masked = runtime.tensor([0, -Infinity, 0, -Infinity], [1, 4]);
      const rows = lib.softmaxCrossEntropyProbabilities(masked, runtime.tensor([0.5, 0, 0.5, 0], [1, 4]));
      assert.ok(Math.abs(rows.loss - Math.LN2) < 1e-7);
      assert.deepEqual([...rows.dLogits.toArray()].map(Math.abs), [0, 0, 0, 0]);
    });

    it("NaN goes through every loss", () => {
      const y = runtime.tensor([1, NaN, 0, 2], [1, 4]);
      const target = runtime.tensor([0, 0, 1, 1], [1, 4]);
      for (const name of ["meanSquaredError", "meanAbsoluteError", "huber", "sigmoidBinaryCrossEntropy"] as const) {
        const { loss, dy } = lib[name](y, target);
        assert.equal(loss, NaN);
        assert.deepEqual([...dy.toArray()].map(Number.isNaN), [false, true, false, false]);
      }
      assert.equal(lib.softmaxCrossEntropyProbabilities(y, target).loss, NaN);
      assert.equal(lib.softmaxCrossEntropy(y, [0], { labelSmoothing: 0.5 }).loss, NaN);
    });
  });
}

describe("errors", () => {
  const runtime = runtimeOf("strict");
  const y = runtime.zeros([2, 3]);
  const other = runtime.zeros([3, 2]);
  const model = new Sequential(runtime, [new Dense(2, 3)], { maxBatch: 2 });
  const optimizer = new Sgd().bind(model);
  const x = new Float32Array(4);
  const train = (loss: unknown) => () => model.trainBatch(x, [0, 1], { loss: loss as LossName, optimizer });
  const names = `"softmaxCrossEntropy" or "softmaxCrossEntropyProbabilities" or "sigmoidBinaryCrossEntropy" or "meanSquaredError" or "meanAbsoluteError" or "huber"`;
  const wrong = (value: unknown) => value as never;
  const share = "it must be a number from 0 to 1.";
  const bad: [call: () => unknown, code: lib.ErrorCode, message: string][] = [
    [train(null), "ERR_ARGUMENT", `Sequential.trainBatch: loss is null; it must be ${names}.`],
    [train({ name: "l1" }), "ERR_ARGUMENT", `Sequential.trainBatch: loss.name is "l1"; it must be ${names}.`],
    [
      train({ name: "softmaxCrossEntropy", labelSmoothing: 2 }),
      "ERR_ARGUMENT",
      `Sequential.trainBatch: labelSmoothing is 2; ${share}`,
    ],
    [
      train({ name: "softmaxCrossEntropy", classWeights: [1, 2] }),
      "ERR_SHAPE",
      "Sequential.trainBatch: classWeights has 2 elements but must have 3: one weight for each class.",
    ],
    [
      train({ name: "huber", delta: 0 }),
      "ERR_ARGUMENT",
      "Sequential.trainBatch: delta is 0; it must be a finite float32 above 0.",
    ],
    [
      () => lib.softmaxCrossEntropy(y, [0, 1], { classWeights: [1, -1, 1] }),
      "ERR_ARGUMENT",
      "softmaxCrossEntropy: classWeights[1] is -1; it must be a finite float32 of at least 0.",
    ],
    [
      () => lib.softmaxCrossEntropy(y, [0, 1], { classWeights: wrong("110") }),
      "ERR_ARGUMENT",
      'softmaxCrossEntropy: classWeights is "110"; it must be a Float32Array or an array of numbers.',
    ],
    [
      () => lib.softmaxCrossEntropyProbabilities(y, other),
      "ERR_SHAPE",
      "softmaxCrossEntropyProbabilities: probabilities is 3×2 but must be 2×3: it must have the shape of logits.",
    ],
    [
      () => lib.softmaxCrossEntropyProbabilities(y, y, { labelSmoothing: NaN }),
      "ERR_ARGUMENT",
      `softmaxCrossEntropyProbabilities: labelSmoothing is NaN; ${share}`,
    ],
    [
      () => lib.meanSquaredError(y, y, { form: wrong("total") }),
      "ERR_ARGUMENT",
      'meanSquaredError: form is "total"; it must be "mean" or "sum" or "half".',
    ],
    [() => lib.huber(y, y, { delta: -1 }), "ERR_ARGUMENT", "huber: delta is -1; it must be a finite float32 above 0."],
    [
      () => lib.meanAbsoluteError(y, other),
      "ERR_SHAPE",
      "meanAbsoluteError: target is 3×2 but must be 2×3: it must have the shape of y.",
    ],
    [() => lib.huber(wrong(1), y), "ERR_ARGUMENT", "huber: y is 1; it must be a tensor."],
    [
      () => lib.sigmoidBinaryCrossEntropy(y, y, wrong(4)),
      "ERR_ARGUMENT",
      "sigmoidBinaryCrossEntropy: options is 4; it must be an object.",
    ],
  ];
  for (const [call, code, message] of bad) {
    test(`refuses: ${message}`, () => {
      refuses(runtime, call, code, message);
    });
  }

  test("probabilities must stay apart from the result", () => {
    throws(
      () => lib.softmaxCrossEntropyProbabilities(runtime.zeros([2, 3]), y, { out: y }),
      "ERR_ARGUMENT",
      "softmaxCrossEntropyProbabilities: out shares memory with probabilities; it must be apart from it.",
    );
  });
});
