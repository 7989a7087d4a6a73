import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import {
  Adagrad,
  Adam,
  AdamW,
  clipGradientNorm,
  clipGradientValue,
  Dense,
  initSync,
  Relu,
  RmsProp,
  Sequential,
  Sgd,
  stepDecay,
  warmUp,
  type Optimizer,
  type OptimizerOptions,
  type Runtime,
} from "../../src/index.js";
import * as reference from "../reference/optimizers.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, throws, VARIANTS } from "./support.js";

const float = Math.fround;

/** One parameter's next value and state from w, its state, its gradient, the rate, the step (from 1), weight decay and L1. */
type Next = (
  w: number,
  state: readonly number[],
  dw: number,
  rate: number,
  step: number,
  decay: number,
  l1: number,
) => { w: number; state: number[] };

interface Kind {
  name: string;
  make: (options: OptimizerOptions) => Optimizer;
  states: number;
  next: Next;
  /** The rate at which the small problem is solved, and how much of its loss is left after 300 steps, at most. */
  rate: number;
  left: number;
}

const adamScalars = (rate: number, step: number) => {
  const [beta1, beta2] = [float(0.9), float(0.999)];
  return [rate / (1 - beta1 ** step), beta1, beta2, 1e-8, 1 / Math.sqrt(1 - beta2 ** step)] as const;
};

const KINDS: Kind[] = [
  {
    name: "Sgd",
    make: (options) => new Sgd(options),
    states: 0,
    next: (w, _, dw, rate, _step, decay, l1) => ({ w: reference.sgd(w, dw, rate, decay, l1).w, state: [] }),
    rate: 0.2,
    left: 1e-6,
  },
  ...[false, true].map((nesterov): Kind => ({
    name: nesterov ? "Sgd with Nesterov momentum" : "Sgd with momentum",
    make: (options) => new Sgd({ ...options, momentum: 0.9, nesterov }),
    states: 1,
    next: (w, [v], dw, rate, _, decay, l1) => {
      const kernel = nesterov ? reference.sgdNesterov : reference.sgdMomentum;
      const next = kernel(w, v!, dw, rate, float(0.9), decay, l1);
      return { w: next.w, state: [next.velocity] };
    },
    rate: 0.02,
    left: 1e-6,
  })),
  {
    name: "Adam",
    make: (options) => new Adam(options),
    states: 2,
    next: (w, [m, v], dw, rate, step, decay, l1) => {
      const next = reference.adam(w, m!, v!, dw, ...adamScalars(rate, step), decay, l1);
      return { w: next.w, state: [next.m, next.v] };
    },
    rate: 0.05,
    left: 1e-6,
  },
  {
    name: "AdamW",
    make: (options) => new AdamW({ weightDecay: 0, ...options }),
    states: 2,
    next: (w, [m, v], dw, rate, step, decay, l1) => {
      const next = reference.adamW(w, m!, v!, dw, ...adamScalars(rate, step), 1 - rate * decay, l1);
      return { w: next.w, state: [next.m, next.v] };
    },
    rate: 0.05,
    left: 1e-6,
  },
  {
    name: "RmsProp",
    make: (options) => new RmsProp(options),
    states: 1,
    next: (w, [s], dw, rate, _, decay, l1) => {
      const next = reference.rmsprop(w, s!, dw, rate, float(0.99), float(1e-8), decay, l1);
      return { w: next.w, state: [next.s] };
    },
    rate: 0.01,
    left: 1e-2, // its steps keep the size of the rate
  },
  {
    name: "RmsProp with momentum",
    make: (options) => new RmsProp({ ...options, momentum: 0.5 }),
    states: 2,
    next: (w, [s, v], dw, rate, _, decay, l1) => {
      const next = reference.rmspropMomentum(w, s!, v!, dw, rate, float(0.99), float(1e-8), 0.5, decay, l1);
      return { w: next.w, state: [next.s, next.velocity] };
    },
    rate: 0.005,
    left: 1e-2, // its steps keep the size of the rate
  },
  {
    name: "Adagrad",
    make: (options) => new Adagrad(options),
    states: 1,
    next: (w, [s], dw, rate, _, decay, l1) => {
      const next = reference.adagrad(w, s!, dw, rate, float(1e-10), decay, l1);
      return { w: next.w, state: [next.s] };
    },
    rate: 0.3,
    left: 1e-6,
  },
];

/** y = A x + b for a fixed A (2×3) and b, without noise: 32 examples. */
function linear() {
  const random = new Random(5);
  const x = random.floats(32 * 3);
  const y = Float32Array.from({ length: 32 * 2 }, (_, at) => {
    const [i, j] = [at >> 1, at & 1];
    return (j ? 0.5 : -1) * x[3 * i]! + (j ? 2 : 0.25) * x[3 * i + 1]! - x[3 * i + 2]! + (j ? 0.75 : -0.5);
  });
  return { x, y };
}

for (const { variant, skip } of VARIANTS) {
  describe(`optimizers, ${variant}`, { skip }, () => {
    const runtime = runtimeOf(variant);

    for (const { name, make, states, next, rate, left } of KINDS) {
      it(`${name} follows the float64 reference step by step, 20 steps, decay and L1 on weights alone`, () => {
        for (const penalty of [{}, { weightDecay: 0.25 }, { l1: 0.125 }, { weightDecay: 0.25, l1: 0.125 }]) {
          const { weightDecay = 0, l1 = 0 } = penalty as OptimizerOptions;
          const model = new Sequential(runtime, [new Dense(5, 4), new Relu(), new Dense(4, 3)], { seed: 3 });
          const optimizer = make({ learningRate: 0.01, ...penalty }).bind(model);
          const values = model.parameters.map(({ value }) => [...value.toArray()]);
          const state = values.map((all) => all.map(() => new Array<number>(states).fill(0)));
          for (let step = 1; step <= 20; step++) {
            const random = new Random(step);
            model.parameters.forEach(({ gradient, decay }, p) => {
              const dw = random.floats(gradient.size);
              gradient.from(dw);
              const [own, sign] = decay ? [weightDecay, l1] : [0, 0];
              values[p] = values[p]!.map((w, i) => {
                const moved = next(w, state[p]![i]!, dw[i]!, float(0.01), step, own, sign);
                state[p]![i] = moved.state;
                return moved.w;
              });
            });
            assert.equal(optimizer.steps, step - 1);
            optimizer.step();
            model.parameters.forEach(({ name: parameter, value }, p) => {
              const magnitude = values[p]!.map((w) => Math.abs(w) + 1);
              // A weight near 0 may differ in sign between float32 and float64, which L1 would see: none here does.
              expectClose(`${name} ${variant}, step ${step}`, parameter, value.toArray(), {
                values: values[p]!,
                magnitude,
                tolerance: { roundings: 8 * step },
              });
            });
          }
          model.dispose();
        }
      });

      it(`${name} solves a small linear regression`, () => {
        const { x, y } = linear();
        const model = new Sequential(runtime, [new Dense(3, 2)], { seed: 1 });
        const optimizer = make({ learningRate: rate });
        const options = { loss: "meanSquaredError", optimizer } as const;
        const before = model.trainBatch(x, y, options);
        let after = before;
        for (let step = 1; step < 300; step++) after = model.trainBatch(x, y, options);
        assert.ok(after <= left * before, `${after} of ${before} is left, more than ${left} of it`);
        model.dispose();
      });
    }

    it("Adagrad divides its rate by 1 + decay · steps, and its sums start where they are told", () => {
      const model = new Sequential(runtime, [new Dense(2, 2, { bias: false })]);
      const settings = { learningRate: 0.5, learningRateDecay: 1, initialAccumulator: 3 };
      const optimizer = new Adagrad(settings).bind(model);
      const [{ value, gradient }] = model.parameters as [(typeof model.parameters)[number]];
      value.from([0, 0, 0, 0]);
      gradient.from([1, 1, 1, 1]);
      optimizer.step();
      expectClose("Adagrad", "w", value.toArray(), { values: [-0.25, -0.25, -0.25, -0.25], tolerance: { ulp: 1 } });
      optimizer.step();
      const second = -0.25 - 0.25 / Math.sqrt(5);
      expectClose("Adagrad", "w", value.toArray(), { values: [second, second, second, second], tolerance: { ulp: 1 } });
      model.dispose();
    });

    it("a schedule gives each step its rate, and a number set later stays", () => {
      const model = new Sequential(runtime, [new Dense(1, 1, { bias: false })]);
      const optimizer = new Sgd({ learningRate: stepDecay(0.5, { every: 2, factor: 0.5 }) }).bind(model);
      const [{ value, gradient }] = model.parameters as [(typeof model.parameters)[number]];
      value.from([0]);
      gradient.from([-1]);
      const rates = [];
      for (let step = 0; step < 5; step++) {
        rates.push(optimizer.learningRate);
        optimizer.step();
      }
      assert.deepEqual(rates, [0.5, 0.5, 0.25, 0.25, 0.125]);
      assert.deepEqual([...value.toArray()], [1.625]);
      optimizer.learningRate = 2;
      optimizer.step();
      assert.deepEqual([...value.toArray()], [3.625]);
      optimizer.learningRate = warmUp(1, { steps: 12, start: 0 });
      assert.equal(optimizer.learningRate, 0.5);
      optimizer.dispose();
      assert.equal(optimizer.bind(model).steps, 0);
      model.dispose();
    });

    it("a schedule gives the bits of the same rates set by hand", () => {
      const { x, y } = linear();
      const schedule = warmUp(stepDecay(0.01, { every: 3 }), { steps: 4 });
      const [one, two] = [0, 1].map(() => new Sequential(runtime, [new Dense(3, 2)])) as [Sequential, Sequential];
      const [scheduled, byHand] = [new Adam({ learningRate: schedule }), new Adam()];
      for (let step = 0; step < 10; step++) {
        byHand.learningRate = schedule(step);
        const loss = one.trainBatch(x, y, { loss: "meanSquaredError", optimizer: scheduled });
        assert.equal(two.trainBatch(x, y, { loss: "meanSquaredError", optimizer: byHand }), loss);
      }
      one.parameters.forEach(({ name, value }, p) => {
        expectSameBits("schedule", name, value.toArray(), two.parameters[p]!.value.toArray());
      });
      one.dispose();
      two.dispose();
    });

    it("a step without weight decay has no frozen layer's change, whatever is frozen and thawed", () => {
      const { x, y } = linear();
      const layers = () => [new Dense(3, 4), new Relu(), new Dense(4, 4), new Relu(), new Dense(4, 2)];
      const model = new Sequential(runtime, layers(), { seed: 2 });
      const values = () => model.parameters.map(({ value }) => value.toArray());
      const optimizer = new AdamW({ learningRate: 0.01, clipNorm: 1 });
      const train = () => void model.trainBatch(x, y, { loss: "meanSquaredError", optimizer });
      const moved = (before: Float32Array[]) =>
        values().map((now, p) => (now.some((value, i) => value !== before[p]![i]) ? 1 : 0));
      for (const [frozen, expected] of [
        [[], [1, 1, 1, 1, 1, 1]],
        [[2], [1, 1, 0, 0, 1, 1]],
        [
          [0, 1],
          [0, 0, 1, 1, 1, 1],
        ],
        [
          [0, 2, 4],
          [0, 0, 0, 0, 0, 0],
        ],
      ] as const) {
        model.freeze(...frozen);
        const before = values();
        train();
        assert.deepEqual(moved(before), expected);
        assert.deepEqual(
          model.parameters.map(({ frozen: still }) => (still ? 0 : 1)),
          expected,
        );
        model.unfreeze(...frozen);
      }
      const before = values();
      train();
      assert.deepEqual(moved(before), [1, 1, 1, 1, 1, 1]);
      model.dispose();
    });

    it("clipGradientNorm scales all gradients to the norm, over more than one part, as PyTorch does", () => {
      const model = new Sequential(runtime, [new Dense(200, 70), new Dense(70, 2)]);
      const random = new Random(8);
      const all = model.parameters.map(({ gradient }) => {
        const values = random.floats(gradient.size);
        gradient.from(values);
        return values;
      });
      const norm = Math.sqrt(all.reduce((sum, values) => values.reduce((s, v) => s + v * v, sum), 0));
      const found = clipGradientNorm(model, norm / 4);
      assert.ok(Math.abs(found / norm - 1) < 1e-12, `${found} is not ${norm}`);
      const factor = norm / 4 / (norm + 1e-6);
      model.parameters.forEach(({ name, gradient }, p) => {
        const values = all[p]!.map((value) => value);
        expectClose("clipGradientNorm", name, gradient.toArray(), {
          values: Float64Array.from(values, (value) => value * factor),
          tolerance: { ulp: 1.5 },
        });
      });
      // Below the norm nothing changes.
      const before = model.parameters.map(({ gradient }) => gradient.toArray());
      clipGradientNorm(model, norm);
      model.parameters.forEach(({ name, gradient }, p) => {
        expectSameBits("clipGradientNorm", name, gradient.toArray(), before[p]!);
      });
      model.dispose();
    });

    it("clipGradientNorm adds 1e-6 to the norm, counts no frozen layer, and meets gradients of any size", () => {
      const model = new Sequential(runtime, [new Dense(1, 1), new Dense(1, 1, { bias: false })]);
      const set = (...values: [number, number, number]) => {
        values.forEach((value, p) => void model.parameters[p]!.gradient.from([value]));
      };
      const get = () => model.parameters.flatMap(({ gradient }) => [...gradient.toArray()]);
      set(0.5e-6, 0, 0);
      assert.equal(clipGradientNorm(model, 0.25e-6), float(0.5e-6));
      expectClose("clipGradientNorm", "gradient", get().slice(0, 1), {
        values: [(0.5e-6 * 0.25e-6) / 1.5e-6],
        tolerance: { ulp: 2 },
      });
      set(3e38, -3e38, 0);
      assert.ok(Math.abs(clipGradientNorm(model, 1) / Math.sqrt(2 * float(3e38) ** 2) - 1) < 1e-12);
      expectClose("clipGradientNorm", "gradient", get(), {
        values: [Math.SQRT1_2, -Math.SQRT1_2, 0],
        magnitude: [1, 1, 1],
        tolerance: { roundings: 4 },
      });
      model.freeze(1);
      set(3, 4, 1e9);
      assert.equal(clipGradientNorm(model, 2.5), 5);
      expectClose("clipGradientNorm", "gradient", get(), { values: [1.5, 2, 1e9], tolerance: { ulp: 4 } });
      set(NaN, 4, 7);
      assert.equal(clipGradientNorm(model, 1), NaN);
      assert.deepEqual(get(), [NaN, NaN, 7]);
      set(Infinity, 4, 7);
      assert.equal(clipGradientNorm(model, 1), Infinity);
      assert.deepEqual(get(), [NaN, 0, 7]);
      model.dispose();
    });

    it("clipGradientValue clamps every gradient but frozen ones; NaN stays", () => {
      const model = new Sequential(runtime, [new Dense(2, 2), new Dense(2, 1, { bias: false })]);
      const [weight, bias, frozen] = model.parameters.map(({ gradient }) => gradient);
      model.freeze(1);
      weight!.from([-3, -0.5, NaN, Infinity]);
      bias!.from([0.5, 1]);
      frozen!.from([9, -9]);
      clipGradientValue(model, 0.75);
      assert.deepEqual([...weight!.toArray()], [-0.75, -0.5, NaN, 0.75]);
      assert.deepEqual([...bias!.toArray()], [0.5, 0.75]);
      assert.deepEqual([...frozen!.toArray()], [9, -9]);
      model.dispose();
    });

    it("clipNorm and clipValue are a clip before each step", () => {
      for (const [options, clip] of [
        [{ clipNorm: 0.125 }, (model: Sequential) => void clipGradientNorm(model, 0.125)],
        [{ clipValue: 0.0625 }, (model: Sequential) => void clipGradientValue(model, 0.0625)],
      ] as const) {
        const [one, two] = [0, 1].map(() => new Sequential(runtime, [new Dense(3, 2)])) as [Sequential, Sequential];
        const [clipped, byHand] = [new Sgd(options).bind(one), new Sgd().bind(two)];
        for (let step = 0; step < 3; step++) {
          for (const model of [one, two]) {
            const random = new Random(step);
            for (const { gradient } of model.parameters) gradient.from(random.floats(gradient.size));
          }
          clipped.step();
          clip(two);
          byHand.step();
        }
        one.parameters.forEach(({ name, value }, p) => {
          expectSameBits("clip", name, value.toArray(), two.parameters[p]!.value.toArray());
        });
        one.dispose();
        two.dispose();
      }
    });
  });
}

test("one program and seed: every variant gives the same norm of gradients, to the bit", () => {
  const norms = VARIANTS.filter(({ skip }) => skip === false).map(({ variant }) => {
    const model = new Sequential(runtimeOf(variant), [new Dense(300, 40)]);
    const random = new Random(4);
    for (const { gradient } of model.parameters) gradient.from(random.floats(gradient.size));
    const norm = clipGradientNorm(model, 1);
    model.dispose();
    return norm;
  });
  assert.equal(new Set(norms).size, 1);
});

test("binding reserves what clipping needs: no step allocates", () => {
  const runtime: Runtime = initSync({ variant: "strict" });
  const model = new Sequential(runtime, [new Dense(2000, 50)]);
  const optimizer = new Sgd({ clipNorm: 1 }).bind(model);
  const before = runtime.statistics;
  optimizer.step();
  assert.deepEqual(runtime.statistics, before);
  model.dispose();
});

describe("errors", () => {
  const runtime = runtimeOf("strict");
  const model = new Sequential(runtime, [new Dense(2, 2)]);
  const wrong = (value: unknown) => value as never;
  const rate = "it must be a finite float32 of at least 0.";
  const above = "it must be a finite float32 above 0.";
  const share = "it must be a number from 0 to below 1.";
  const eps = "it must be a finite float32 of at least 1.1754943508222875e-38.";
  const bad: [call: () => unknown, message: string][] = [
    [() => new Sgd({ l1: -1 }), `Sgd: l1 is -1; ${rate}`],
    [() => new Sgd({ clipNorm: 0 }), `Sgd: clipNorm is 0; ${above}`],
    [() => new Sgd({ clipNorm: 1e-46 }), `Sgd: clipNorm is 1e-46; ${above}`],
    [() => new Adam({ clipValue: Infinity }), `Adam: clipValue is Infinity; ${above}`],
    [() => new Sgd({ clipNorm: 1, clipValue: 1 }), "Sgd: clipNorm and clipValue both came; give one of them."],
    [() => new Sgd({ nesterov: true }), "Sgd: nesterov is true but momentum is 0; it needs one."],
    [() => new Sgd({ momentum: 0.5, nesterov: wrong(1) }), "Sgd: nesterov is 1; it must be true or false."],
    [() => new AdamW({ weightDecay: NaN }), `AdamW: weightDecay is NaN; ${rate}`],
    [() => new AdamW({ beta2: 1 }), `AdamW: beta2 is 1; ${share}`],
    [() => new AdamW(wrong("x")), 'AdamW: options is "x"; it must be an object.'],
    [() => new RmsProp({ alpha: 1 }), `RmsProp: alpha is 1; ${share}`],
    [() => new RmsProp({ eps: 0 }), `RmsProp: eps is 0; ${eps}`],
    [() => new RmsProp({ momentum: -1 }), `RmsProp: momentum is -1; ${share}`],
    [() => new RmsProp(wrong(null)), "RmsProp: options is null; it must be an object."],
    [() => new Adagrad({ learningRateDecay: -1 }), `Adagrad: learningRateDecay is -1; ${rate}`],
    [() => new Adagrad({ initialAccumulator: NaN }), `Adagrad: initialAccumulator is NaN; ${rate}`],
    [() => new Adagrad({ eps: -1 }), `Adagrad: eps is -1; ${eps}`],
    [() => new Adagrad({ learningRate: wrong({}) }), `Adagrad: learningRate is an object (Object); ${rate}`],
    [() => new Sgd({ learningRate: () => -2 }).learningRate, `Sgd: learningRate(0) is -2; ${rate}`],
    [() => clipGradientNorm(wrong(1), 1), "clipGradientNorm: model is 1; it must be a model."],
    [() => clipGradientNorm(model, 0), `clipGradientNorm: maxNorm is 0; ${above}`],
    [() => clipGradientValue(wrong(undefined), 1), "clipGradientValue: model is undefined; it must be a model."],
    [() => void clipGradientValue(model, NaN), `clipGradientValue: limit is NaN; ${above}`],
    [
      () => {
        model.freeze(1);
      },
      "Sequential.freeze: layer is 1; it must be an integer from 0 to 0.",
    ],
    [
      () => {
        model.unfreeze(0, -1);
      },
      "Sequential.unfreeze: layer is -1; it must be an integer from 0 to 0.",
    ],
  ];
  for (const [call, message] of bad) {
    test(`refuses: ${message}`, () => {
      refuses(runtime, call, "ERR_ARGUMENT", message);
    });
  }

  test("a schedule's bad rate stops its step, which changes nothing", () => {
    const optimizer = new Sgd({ learningRate: (step) => (step < 1 ? 0.1 : NaN) }).bind(model);
    optimizer.step();
    refuses(
      runtime,
      () => {
        optimizer.step();
      },
      "ERR_ARGUMENT",
      `Sgd: learningRate(1) is NaN; ${rate}`,
    );
    optimizer.dispose();
  });

  test("a disposed model", () => {
    const gone = new Sequential(runtime, [new Dense(1, 1)]);
    gone.dispose();
    const message = (operation: string) => `${operation}: the model is disposed; it must be alive.`;
    throws(() => clipGradientNorm(gone, 1), "ERR_DISPOSED", message("clipGradientNorm"));
    throws(
      () => {
        clipGradientValue(gone, 1);
      },
      "ERR_DISPOSED",
      message("clipGradientValue"),
    );
    throws(() => new Sgd({ clipNorm: 1 }).bind(gone), "ERR_DISPOSED", message("Sgd.bind"));
    throws(
      () => {
        gone.freeze(0);
      },
      "ERR_DISPOSED",
      message("Sequential.freeze"),
    );
  });
});
