import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  Adam,
  BatchNorm,
  Dense,
  initSync,
  Relu,
  Sequential,
  Sgd,
  Tanh,
  type BatchLog,
  type EpochLog,
  type ErrorCode,
  type FitOptions,
  type Inputs,
  type Targets,
} from "../../src/index.js";
import { Random } from "../support/random.js";
import { detached, rejects, runtimeOf, skippable, VARIANTS } from "./support.js";

const wrong = (value: unknown) => value as never;

/** Points on three interleaved arms of a spiral: no line tells them apart. */
function spiral(points: number): { x: Float32Array; labels: Uint8Array } {
  const random = new Random(1);
  const x = new Float32Array(2 * points);
  const labels = new Uint8Array(points);
  for (let i = 0; i < points; i++) {
    const arm = i % 3;
    const radius = 0.1 + 0.9 * (i / points);
    const angle = 4 * radius + (arm * 2 * Math.PI) / 3 + random.uniform(-0.1, 0.1);
    x.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
    labels[i] = arm;
  }
  return { x, labels };
}

const layers = () => [new Dense(2, 32), new BatchNorm(32), new Relu(), new Dense(32, 16), new Tanh(), new Dense(16, 3)];
const bitsOf = (model: Sequential) =>
  [...model.parameters, ...model.states].map(({ value }) => String(new Uint32Array(value.toArray().slice().buffer)));
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const withoutTimes = (log: EpochLog) => ({ ...log, seconds: 0, samplesPerSecond: 0 });

for (const { variant, skip } of VARIANTS) {
  describe(`fit, ${variant}`, () => {
    const it = skippable(skip);
    const runtime = skip ? (undefined as never) : runtimeOf(variant);
    const { x, labels } = spiral(500);

    it("learns a spiral: at least 98 % in training, and the loss falls tenfold", async () => {
      const model = new Sequential(runtime, layers(), { seed: 3 });
      const history = await model.fit(x, labels, {
        loss: "softmaxCrossEntropy",
        optimizer: new Adam({ learningRate: 0.01 }),
        epochs: 60,
        batchSize: 64,
      });
      const { loss, accuracy } = model.evaluate(x, labels, { loss: "softmaxCrossEntropy" });
      assert.ok((accuracy as number) >= 0.98, `accuracy ${String(accuracy)}`);
      assert.ok(loss < (history[0] as EpochLog).loss / 10, `loss ${String(loss)}`);
      assert.equal(history.length, 60);
      assert.deepEqual(
        history.map(({ epoch }) => epoch),
        Array.from({ length: 60 }, (_, i) => i + 1),
      );
      model.dispose();
    });

    it("regression recovers a linear map", async () => {
      const random = new Random(5);
      const inputs = random.floats(200 * 3);
      const truth = [1, -2, 0.5];
      const targets = Float32Array.from({ length: 200 }, (_, i) =>
        truth.reduce((sum, w, j) => sum + w * (inputs[3 * i + j] as number), 0.25),
      );
      const model = new Sequential(runtime, [new Dense(3, 1)]);
      const optimizer = new Sgd({ learningRate: 0.1, momentum: 0.9 });
      const history = await model.fit(inputs, targets, {
        loss: "meanSquaredError",
        optimizer,
        epochs: 40,
        batchSize: 32,
      });
      const [weight, bias] = model.parameters.map(({ value }) => [...value.toArray()]) as [number[], number[]];
      weight.forEach((w, j) => {
        assert.ok(Math.abs(w - (truth[j] as number)) < 1e-3, String(weight));
      });
      assert.ok(Math.abs((bias[0] as number) - 0.25) < 1e-3);
      assert.ok(!("accuracy" in (history[0] as EpochLog)));
      model.dispose();
    });

    it("the same seed gives the same bits; another gives others", async () => {
      const runs: string[][] = [];
      for (const seed of [1, 1, 2]) {
        const model = new Sequential(runtime, layers(), { seed });
        const options = { loss: "softmaxCrossEntropy", optimizer: new Adam(), epochs: 3, batchSize: 64 } as const;
        const history = await model.fit(x, labels, options);
        runs.push([...bitsOf(model), JSON.stringify(history.map(withoutTimes))]);
        model.dispose();
      }
      assert.deepEqual(runs[0], runs[1]);
      assert.notDeepEqual(runs[0], runs[2]);
    });

    it("fit without shuffling is trainBatch in order; the last batch takes what is left", async () => {
      const [fitted, stepped] = [0, 1].map(() => new Sequential(runtime, layers(), { seed: 4 })) as [
        Sequential,
        Sequential,
      ];
      const batches: BatchLog[] = [];
      const [log] = await fitted.fit(x, labels, {
        loss: "softmaxCrossEntropy",
        optimizer: new Adam(),
        batchSize: 120,
        shuffle: false,
        onBatch: (batch) => batches.push(batch),
      });
      const options = { loss: "softmaxCrossEntropy", optimizer: new Adam() } as const;
      const losses: number[] = [];
      let total = 0;
      for (const [begin, end] of [
        [0, 120],
        [120, 240],
        [240, 360],
        [360, 480],
        [480, 500],
      ] as const) {
        const loss = stepped.trainBatch(x.subarray(2 * begin, 2 * end), labels.subarray(begin, end), options);
        losses.push(loss);
        total += loss * (end - begin);
      }
      assert.deepEqual(bitsOf(fitted), bitsOf(stepped));
      assert.deepEqual(
        batches.map(({ loss }) => loss),
        losses,
      );
      assert.deepEqual(
        batches.map(({ epoch, batch, batches: of }) => [epoch, batch, of]),
        [1, 2, 3, 4, 5].map((batch) => [1, batch, 5]),
      );
      assert.ok(Math.abs((log as EpochLog).loss - total / 500) < 1e-6);
      fitted.dispose();
      stepped.dispose();
    });

    it("epochs differ in order, and a second fit goes on where the first ended", async () => {
      const [once, twice] = [0, 1].map(() => new Sequential(runtime, layers(), { seed: 4 })) as [
        Sequential,
        Sequential,
      ];
      const options = { loss: "softmaxCrossEntropy", batchSize: 50 } as const;
      await once.fit(x, labels, { ...options, optimizer: new Sgd(), epochs: 2 });
      for (let i = 0; i < 2; i++) await twice.fit(x, labels, { ...options, optimizer: new Sgd() });
      assert.deepEqual(bitsOf(once), bitsOf(twice));
      // Without learning or batch statistics, a batch's loss tells which examples it holds.
      const still = new Sequential(runtime, [new Dense(2, 3)]);
      const orders: number[][] = [[], [], []];
      const onBatch = ({ epoch, loss }: BatchLog) => orders[epoch - 1]?.push(loss);
      await still.fit(x, labels, { ...options, optimizer: new Sgd({ learningRate: 0 }), epochs: 3, onBatch });
      assert.notDeepEqual(orders[0], orders[1]);
      assert.notDeepEqual(orders[1], orders[2]);
      still.dispose();
      once.dispose();
      twice.dispose();
    });

    it("arrays and tensors, bytes and floats give the same bits", async () => {
      const bytes = Uint8Array.from({ length: 2 * 90 }, (_, i) => (i * 37) % 256);
      const floats = Float32Array.from(bytes, (byte) => Math.fround(byte * Math.fround(1 / 255)));
      const targets = Uint8Array.from({ length: 90 }, (_, i) => i % 3);
      const inputs: [Inputs, Targets][] = [
        [floats, targets],
        [bytes, Int32Array.from(targets)],
        [runtime.tensor(bytes, [90, 2]), [...targets]],
        [runtime.tensor(floats, [90, 2]), runtime.tensor(Int32Array.from(targets))],
      ];
      const runs: string[][] = [];
      for (const [xs, ys] of inputs) {
        const model = new Sequential(runtime, layers(), { seed: 4 });
        await model.fit(xs, ys, { loss: "softmaxCrossEntropy", optimizer: new Adam(), batchSize: 32, epochs: 2 });
        runs.push(bitsOf(model));
        model.dispose();
      }
      for (const run of runs) assert.deepEqual(run, runs[0]);
    });

    it("validation data and split are evaluated in inference and not trained on", async () => {
      const held = { x: x.slice(2 * 400), labels: labels.slice(400) };
      const options = { loss: "softmaxCrossEntropy", epochs: 2, batchSize: 64 } as const;
      const [split, given] = [0, 1].map(() => new Sequential(runtime, layers(), { seed: 4 })) as [
        Sequential,
        Sequential,
      ];
      const bySplit = await split.fit(x, labels, { ...options, optimizer: new Adam(), validationSplit: 0.2 });
      const seen: EpochLog[] = [];
      const byData = await given.fit(x.slice(0, 2 * 400), labels.slice(0, 400), {
        ...options,
        optimizer: new Adam(),
        validationData: [held.x, held.labels],
        onEpoch: (log) => seen.push(log),
      });
      assert.deepEqual(bitsOf(split), bitsOf(given));
      assert.deepEqual(bySplit.map(withoutTimes), byData.map(withoutTimes));
      assert.deepEqual(seen, byData);
      const { loss, accuracy } = given.evaluate(held.x, held.labels, options);
      const last = byData[1] as EpochLog;
      assert.deepEqual([last.validationLoss, last.validationAccuracy], [loss, accuracy]);
      assert.ok(last.seconds > 0 && Math.abs(last.samplesPerSecond * last.seconds - 400) < 1e-6);
      split.dispose();
      given.dispose();
    });

    it("yields to the event loop, stops on abort after a whole step, and frees what it took", async () => {
      const model = new Sequential(runtime, [new Dense(64, 256), new Relu(), new Dense(256, 10)], { maxBatch: 64 });
      const many = new Random(1).floats(64 * 6400);
      const ys = new Uint8Array(6400);
      const optimizer = new Sgd().bind(model);
      const { bytesInUse } = runtime.statistics;
      const controller = new AbortController();
      let [ticks, steps] = [0, 0];
      const timer = setInterval(() => {
        ticks++;
        if (ticks === 5) controller.abort(new RangeError("enough"));
      }, 1);
      const run = model.fit(many, ys, {
        loss: "softmaxCrossEntropy",
        optimizer,
        batchSize: 64,
        epochs: 100000,
        signal: controller.signal,
        onBatch: () => void steps++,
      });
      await assert.rejects(run, { name: "RangeError", message: "enough" });
      clearInterval(timer);
      assert.ok(ticks >= 5 && steps > 0);
      assert.equal(runtime.statistics.bytesInUse, bytesInUse);
      assert.ok(model.predict(many.subarray(0, 64)).every(Number.isFinite));
      const aborted = AbortSignal.abort(new RangeError("before"));
      const before = bitsOf(model);
      await assert.rejects(model.fit(many, ys, { loss: "softmaxCrossEntropy", optimizer, signal: aborted }), {
        message: "before",
      });
      assert.deepEqual(bitsOf(model), before);
      model.dispose();
    });
  });
}

describe("fit, whatever else happens", () => {
  const { x, labels } = spiral(300);
  const softmax = (options: Partial<FitOptions> = {}): FitOptions => ({
    loss: "softmaxCrossEntropy",
    optimizer: new Adam(),
    ...options,
  });

  test("a larger batch than the model's makes room once", async () => {
    const runtime = initSync({ variant: "strict" });
    const model = new Sequential(runtime, layers(), { maxBatch: 10 });
    await model.fit(x, labels, softmax({ batchSize: 200 }));
    assert.equal(model.maxBatch, 200);
    await model.fit(x, labels, softmax({ batchSize: 100000, optimizer: new Sgd() }));
    assert.equal(model.maxBatch, 300);
  });

  test("callbacks may throw, await, predict; the model may go away while it waits", async () => {
    const runtime = initSync({ variant: "strict" });
    const model = new Sequential(runtime, layers());
    const optimizer = new Adam().bind(model);
    const { bytesInUse } = runtime.statistics;
    const thrown = model.fit(
      x,
      labels,
      softmax({
        optimizer,
        onBatch: () => {
          throw new TypeError("mine");
        },
      }),
    );
    await assert.rejects(thrown, { name: "TypeError", message: "mine" });
    assert.equal(runtime.statistics.bytesInUse, bytesInUse);

    let finished = false;
    await model.fit(
      x,
      labels,
      softmax({
        optimizer,
        onEpoch: async () => {
          await sleep(5);
          finished = true;
        },
      }),
    );
    assert.ok(finished);

    const [quiet, busy] = [0, 1].map(() => new Sequential(runtime, layers())) as [Sequential, Sequential];
    await quiet.fit(x, labels, softmax({ batchSize: 50 }));
    await busy.fit(x, labels, softmax({ batchSize: 50, onBatch: () => busy.predict(x) }));
    assert.deepEqual(bitsOf(busy), bitsOf(quiet));

    const running = model.fit(
      x,
      labels,
      softmax({
        optimizer,
        onBatch: () => {
          model.dispose();
        },
      }),
    );
    await assert.rejects(running, {
      code: "ERR_DISPOSED",
      message: "Sequential.fit: the model is disposed; it must be alive.",
    });
    const ended = quiet.fit(
      x,
      labels,
      softmax({
        onBatch: () => {
          runtime.dispose();
        },
      }),
    );
    await assert.rejects(ended, {
      code: "ERR_DISPOSED",
      message: "Sequential.fit: the runtime is disposed; init() makes a new one.",
    });
  });

  test("one fit at a time, and no reserve meanwhile", async () => {
    const runtime = initSync({ variant: "strict" });
    const model = new Sequential(runtime, layers());
    const optimizer = new Adam();
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const first = model.fit(x, labels, softmax({ optimizer, onBatch: () => gate }));
    await sleep(1);
    await rejects(
      runtime,
      () => model.fit(x, labels, softmax({ optimizer })),
      "ERR_ARGUMENT",
      "Sequential.fit: the model is already being fitted; await that first.",
    );
    assert.throws(
      () => {
        model.reserve(4);
      },
      { message: "Sequential.reserve: the model is being fitted; await that first." },
    );
    release();
    await first;
    model.reserve(4);
  });

  test("survives labels that change under it, and data that is disposed", async () => {
    const runtime = initSync({ variant: "strict" });
    const model = new Sequential(runtime, layers());
    const ys = runtime.tensor(Int32Array.from(labels));
    const optimizer = new Adam();
    await model.fit(x, ys, softmax({ optimizer, onBatch: () => ys.from(new Int32Array(300).fill(1 << 30)) }));
    const xs = runtime.tensor(x, [300, 2]);
    const run = model.fit(
      xs,
      labels,
      softmax({
        optimizer,
        batchSize: 10,
        onBatch: () => {
          xs.dispose();
        },
      }),
    );
    await assert.rejects(run, { code: "ERR_DISPOSED" });
    assert.ok(model.predict(x).every(Number.isFinite));
  });

  test("out of memory changes nothing", async () => {
    const runtime = initSync({ variant: "strict", maximumMemory: 2 ** 20 });
    const model = new Sequential(runtime, layers());
    const optimizer = new Adam();
    const { bytesInUse } = runtime.statistics;
    const before = bitsOf(model);
    const many = new Float32Array(2 * 200000);
    await assert.rejects(model.fit(many, new Uint8Array(200000), softmax({ optimizer })), {
      code: "ERR_OUT_OF_MEMORY",
    });
    assert.equal(runtime.statistics.bytesInUse, bytesInUse);
    assert.deepEqual(bitsOf(model), before);
    await model.fit(x, labels, softmax({ optimizer }));
  });

  describe("refuses", () => {
    const runtime = initSync({ variant: "strict" });
    const model = new Sequential(runtime, layers());
    const optimizer = new Adam().bind(model);
    const integers = "it must be an integer from 1 to 2147483647.";
    const ok = { loss: "softmaxCrossEntropy", optimizer } as const;
    const cases: [unknown, unknown, unknown, ErrorCode, string][] = [
      [x, labels, undefined, "ERR_ARGUMENT", "options is undefined; it must be an object."],
      [
        x,
        labels,
        {},
        "ERR_ARGUMENT",
        'loss is undefined; it must be "softmaxCrossEntropy" or "softmaxCrossEntropyProbabilities" or "sigmoidBinaryCrossEntropy" or "meanSquaredError" or "meanAbsoluteError" or "huber".',
      ],
      [
        x,
        labels,
        { loss: ok.loss },
        "ERR_ARGUMENT",
        "optimizer is undefined; it must be an optimizer, such as new Adam().",
      ],
      [x, labels, { ...ok, epochs: 0 }, "ERR_ARGUMENT", `epochs is 0; ${integers}`],
      [x, labels, { ...ok, epochs: 1.5 }, "ERR_ARGUMENT", `epochs is 1.5; ${integers}`],
      [x, labels, { ...ok, batchSize: -1 }, "ERR_ARGUMENT", `batchSize is -1; ${integers}`],
      [x, labels, { ...ok, batchSize: NaN }, "ERR_ARGUMENT", `batchSize is NaN; ${integers}`],
      [x, labels, { ...ok, shuffle: 1 }, "ERR_ARGUMENT", "shuffle is 1; it must be true or false."],
      [x, labels, { ...ok, seed: -1 }, "ERR_ARGUMENT", "seed is -1; it must be an integer from 0 to 9007199254740991."],
      [x, labels, { ...ok, onBatch: 1 }, "ERR_ARGUMENT", "onBatch is 1; it must be a function."],
      [x, labels, { ...ok, onEpoch: "log" }, "ERR_ARGUMENT", 'onEpoch is "log"; it must be a function.'],
      [x, labels, { ...ok, signal: {} }, "ERR_ARGUMENT", "signal is an object (Object); it must be an AbortSignal."],
      [
        x,
        labels,
        { ...ok, validationSplit: 1 },
        "ERR_ARGUMENT",
        "validationSplit is 1; it must be a number from 0 to below 1.",
      ],
      [
        x,
        labels,
        { ...ok, validationSplit: NaN },
        "ERR_ARGUMENT",
        "validationSplit is NaN; it must be a number from 0 to below 1.",
      ],
      [
        x,
        labels,
        { ...ok, validationSplit: 0.001 },
        "ERR_ARGUMENT",
        "validationSplit is 0.001 of 300 rows, which is 0; training and validation need at least one row each.",
      ],
      [
        x,
        labels,
        { ...ok, validationSplit: 0.5, validationData: [x, labels] },
        "ERR_ARGUMENT",
        "both validationData and validationSplit came; give one of them.",
      ],
      [
        x,
        labels,
        { ...ok, validationData: x },
        "ERR_ARGUMENT",
        "validationData is a Float32Array of 600; it must be an array [x, y].",
      ],
      [x, labels, { ...ok, validationData: [x] }, "ERR_ARGUMENT", ""],
      [
        x,
        labels,
        { ...ok, validationData: [new Float32Array(3), labels] },
        "ERR_SHAPE",
        "validationData x has 3 elements; the model takes 2 features, so it must have a positive multiple of 2.",
      ],
      [
        new Float32Array(0),
        labels,
        ok,
        "ERR_SHAPE",
        "x has 0 elements; the model takes 2 features, so it must have a positive multiple of 2.",
      ],
      [
        detached(new Uint8Array(4)),
        labels,
        ok,
        "ERR_DETACHED",
        "x is detached (its buffer was transferred); pass a live array.",
      ],
      [x, labels.subarray(1), ok, "ERR_SHAPE", "labels has 299 elements but must have 300: one label for each row."],
      [x, new Uint8Array(300).fill(3), ok, "ERR_LABEL", "label 0 is 3; labels must be integers from 0 to 2."],
      [
        x,
        new Float32Array(300),
        { ...ok, loss: "meanSquaredError" },
        "ERR_SHAPE",
        "targets has 300 elements but must have 900: 300 examples of 3 outputs.",
      ],
    ];
    for (const [inputs, targets, options, code, message] of cases) {
      test(`refuses: ${message || "validation data without targets"}`, async () => {
        const expected =
          message === ""
            ? "Sequential.fit, validationData: labels is undefined; it must be Uint8Array, Int32Array, an array of integers or an int32 tensor."
            : `Sequential.fit: ${message}`;
        await rejects(runtime, () => model.fit(wrong(inputs), wrong(targets), wrong(options)), code, expected);
      });
    }

    test("a disposed model", async () => {
      const gone = new Sequential(runtime, layers());
      gone.dispose();
      await rejects(
        runtime,
        () => gone.fit(x, labels, ok),
        "ERR_DISPOSED",
        "Sequential.fit: the model is disposed; it must be alive.",
      );
    });
  });
});
