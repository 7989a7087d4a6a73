import * as reference from "../reference/optimizers.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { testVariants, type Call, type Harness } from "../support/harness.js";
import type { KernelName } from "../support/kernels.js";
import { Random } from "../support/random.js";

const COUNT = 103;
const STEPS = 40;

/** Runs a kernel step after step on its own state: `state` is updated, `gradients` gives each step's dw. */
function train(
  harness: Harness,
  kernel: KernelName,
  state: Record<string, Float32Array>,
  gradients: readonly Float32Array[],
  scalars: (step: number) => number[],
): Record<string, Float32Array> {
  let current = state;
  gradients.forEach((dw, step) => {
    const operands: Call["operands"] = { dw: { before: dw } };
    for (const [name, before] of Object.entries(current)) operands[name] = { before, unchecked: true };
    const results = harness.run({
      kernel,
      shape: `step ${String(step)}`,
      operands,
      arguments: (p) => [...Object.keys(state).map((name) => p[name]!), p.dw!, COUNT, ...scalars(step)],
    });
    current = Object.fromEntries(Object.keys(state).map((name) => [name, results[name] as Float32Array]));
  });
  return current;
}

/** Weights, and the gradients of noisy quadratics about a target. */
function problem(seed: number) {
  const random = new Random(seed);
  const w = random.floats(COUNT);
  const gradients = Array.from({ length: STEPS }, () => random.floats(COUNT));
  return { w, gradients };
}

const float = Math.fround;
const relative = (values: number[], error: number) => ({
  values,
  magnitude: values.map(() => 1),
  tolerance: { roundings: error * 2 ** 24 },
});

for (const weightDecay of [0, float(0.01)]) {
  testVariants("sgdMomentum", `${String(STEPS)} steps, weight decay ${String(weightDecay)}`, (harness) => {
    const { w, gradients } = problem(1);
    const [rate, momentum] = [float(0.05), float(0.9)];
    const states = Array.from(w, (value) => ({ w: value, velocity: 0 }));
    for (const dw of gradients) {
      states.forEach((s, i) => {
        Object.assign(s, reference.sgdMomentum(s.w, s.velocity, dw[i]!, rate, momentum, weightDecay, 0));
      });
    }
    const scalars = () => [rate, momentum, weightDecay, 0];
    const result = train(harness, "sgdMomentum", { w, velocity: new Float32Array(COUNT) }, gradients, scalars);
    const context = `sgdMomentum ${harness.variant}`;
    // Errors add up over the steps; each is a few roundings of numbers near 1.
    expectClose(
      context,
      "w",
      result.w!,
      relative(
        states.map((s) => s.w),
        1e-5,
      ),
    );
    expectClose(
      context,
      "velocity",
      result.velocity!,
      relative(
        states.map((s) => s.velocity),
        1e-5,
      ),
    );
  });

  testVariants("adam", `${String(STEPS)} steps, weight decay ${String(weightDecay)}`, (harness) => {
    const { w, gradients } = problem(2);
    const [rate, beta1, beta2, eps] = [0.01, float(0.9), float(0.999), float(1e-8)];
    const scalars = (step: number) => [
      float(rate / (1 - beta1 ** (step + 1))),
      beta1,
      beta2,
      eps,
      float(1 / Math.sqrt(1 - beta2 ** (step + 1))),
      weightDecay,
      0,
    ];
    const states = Array.from(w, (value) => ({ w: value, m: 0, v: 0 }));
    gradients.forEach((dw, step) => {
      const [stepSize, , , , correction] = scalars(step) as [number, number, number, number, number];
      states.forEach((s, i) => {
        const next = reference.adam(s.w, s.m, s.v, dw[i]!, stepSize, beta1, beta2, eps, correction, weightDecay, 0);
        Object.assign(s, next);
      });
    });
    const zeros = { m: new Float32Array(COUNT), v: new Float32Array(COUNT) };
    const result = train(harness, "adam", { w, ...zeros }, gradients, scalars);
    const context = `adam ${harness.variant}`;
    expectClose(
      context,
      "w",
      result.w!,
      relative(
        states.map((s) => s.w),
        1e-5,
      ),
    );
    expectClose(
      context,
      "m",
      result.m!,
      relative(
        states.map((s) => s.m),
        1e-6,
      ),
    );
    expectClose(
      context,
      "v",
      result.v!,
      relative(
        states.map((s) => s.v),
        1e-6,
      ),
    );
  });
}

testVariants(
  "adam",
  "the first step moves every weight by the learning rate, whatever the gradient's size",
  (harness) => {
    const random = new Random(3);
    const w = random.floats(COUNT);
    const dw = Float32Array.from({ length: COUNT }, () => random.pick([-1, 1]) * 10 ** random.uniform(-4, 4));
    const [beta1, beta2, rate] = [float(0.9), float(0.999), 2 ** -7];
    const scalars = () => [rate / (1 - beta1), beta1, beta2, 0, 1 / Math.sqrt(1 - beta2), 0, 0];
    const zeros = { m: new Float32Array(COUNT), v: new Float32Array(COUNT) };
    const { w: moved } = train(harness, "adam", { w, ...zeros }, [dw], scalars);
    const values = Array.from(w, (value, i) => value - rate * Math.sign(dw[i]!));
    expectClose(`adam ${harness.variant}`, "w", moved!, relative(values, 1e-6));
  },
);

testVariants("sgd", "zero gradients without decay keep the bits; an infinite weight stays infinite", (harness) => {
  const w = Float32Array.from({ length: COUNT }, (_, i) => [1, -0, 2 ** -149, Infinity, -3.5][i % 5]!);
  const zero = [new Float32Array(COUNT)];
  const { w: kept } = train(harness, "sgd", { w }, zero, () => [0.1, 0, 0]);
  const positive = w.map((value) => value + 0);
  expectSameBits(
    `sgd ${harness.variant}`,
    "w",
    kept!.map((value) => value + 0),
    positive,
  );
  const velocity = new Float32Array(COUNT);
  const momentum = train(harness, "sgdMomentum", { w, velocity }, zero, () => [0.1, 0.9, 0, 0]);
  expectSameBits(
    `sgdMomentum ${harness.variant}`,
    "w",
    momentum.w!.map((value) => value + 0),
    positive,
  );
});

testVariants("sgdMomentum", "without momentum it is sgd, to the bit", (harness) => {
  const { w, gradients } = problem(4);
  const plain = train(harness, "sgd", { w }, gradients, () => [0.05, 0.01, 0]);
  const state = { w, velocity: new Float32Array(COUNT) };
  const momentum = train(harness, "sgdMomentum", state, gradients, () => [0.05, 0, 0.01, 0]);
  expectSameBits(`sgdMomentum ${harness.variant}`, "w", momentum.w!, plain.w!);
});

testVariants("adam", "a NaN gradient spoils its own weight alone", (harness) => {
  const { w } = problem(5);
  const dw = new Float32Array(COUNT).fill(0.5);
  dw[50] = NaN;
  const zeros = { m: new Float32Array(COUNT), v: new Float32Array(COUNT) };
  const result = train(harness, "adam", { w, ...zeros }, [dw], () => [0.1, 0.9, 0.999, 1e-8, 30, 0, 0]);
  for (const [name, values] of Object.entries(result)) {
    const bad = Array.from(values, Number.isNaN).flatMap((isNaN, i) => (isNaN ? [i] : []));
    if (bad.join() !== "50")
      throw new Error(`adam ${harness.variant}: ${name} is NaN at ${bad.join()}, not at 50 alone.`);
  }
});

/** Each optimizer's slabs of state and scalars, before its penalties. */
const KERNELS: [kernel: KernelName & keyof typeof reference, state: string[], scalars: number[]][] = [
  ["sgd", [], [0.1]],
  ["sgdMomentum", ["velocity"], [0.1, 0.9]],
  ["sgdNesterov", ["velocity"], [0.1, 0.9]],
  ["adam", ["m", "v"], [0.01, 0.9, 0.999, 1e-8, 1.5]],
  ["adamW", ["m", "v"], [0.01, 0.9, 0.999, 1e-8, 1.5]],
  ["rmsprop", ["s"], [0.01, 0.99, 1e-8]],
  ["rmspropMomentum", ["s", "velocity"], [0.01, 0.99, 1e-8, 0.9]],
  ["adagrad", ["s"], [0.01, 1e-10]],
];

for (const [kernel, names, scalars] of KERNELS) {
  /** Weights after three steps, under these penalties. */
  const run = (harness: Harness, w: Float32Array, gradients: readonly Float32Array[], penalty: number[]) => {
    const state = Object.fromEntries(names.map((name) => [name, new Float32Array(COUNT)]));
    return train(harness, kernel, { w, ...state }, gradients, () => [...scalars, ...penalty]);
  };
  const none = kernel === "adamW" ? 1 : 0;

  testVariants(kernel, "an infinite weight stays infinite without weight decay, under L1 too", (harness) => {
    const { gradients } = problem(6);
    const w = Float32Array.from({ length: COUNT }, (_, i) => (i % 2 === 0 ? Infinity : -Infinity));
    for (const l1 of [0, 0.5]) {
      const moved = run(harness, w, gradients.slice(0, 3), [none, l1]);
      expectSameBits(`${kernel} ${harness.variant}`, "w", moved.w!, w);
    }
  });

  testVariants(kernel, "L1 moves no weight of 0 without gradient, and every other towards 0", (harness) => {
    const w = Float32Array.from({ length: COUNT }, (_, i) => [0, 2, -2, 2 ** 10][i % 4]!);
    const moved = run(harness, w, [new Float32Array(COUNT)], [none, 0.5]).w!;
    w.forEach((before, i) => {
      const [a, b] = [Math.abs(before), Math.abs(moved[i]!)];
      if (!(before === 0 ? b === 0 : b < a && b > 0)) {
        throw new Error(`${kernel} ${harness.variant}: a weight of ${before} became ${moved[i]!}`);
      }
    });
  });

  testVariants(kernel, "NaN in a weight or gradient reaches that element's weight and no other", (harness) => {
    const { w, gradients } = problem(7);
    const dw = gradients[0]!.slice();
    w[20] = NaN;
    dw[70] = NaN;
    for (const penalty of [
      [none, 0],
      [0.5, 0],
      [none, 0.5],
    ]) {
      const moved = run(harness, w, [dw], penalty).w!;
      const bad = Array.from(moved, Number.isNaN).flatMap((isNaN, i) => (isNaN ? [i] : []));
      if (bad.join() !== "20,70") throw new Error(`${kernel} ${harness.variant}: w is NaN at ${bad.join()}`);
    }
  });

  testVariants(kernel, "a slab in two parts, cut anywhere, gets the bits of the whole", (harness) => {
    const { w, gradients } = problem(8);
    const penalty = [kernel === "adamW" ? 0.999 : 0.125, 0.25];
    for (const last of [[none, 0], [penalty[0]!, 0], penalty]) {
      const whole = run(harness, w, gradients.slice(0, 2), last);
      for (const cut of [1, 16, 50, 99]) {
        const parts = [
          [0, cut],
          [cut, COUNT],
        ].map(([from, to]) => {
          let state: Record<string, Float32Array> = Object.fromEntries(
            ["w", ...names].map((name) => [name, name === "w" ? w.slice(from, to) : new Float32Array(to! - from!)]),
          );
          for (const dw of gradients.slice(0, 2)) {
            const operands: Call["operands"] = { dw: { before: dw.slice(from, to) } };
            for (const [name, before] of Object.entries(state)) operands[name] = { before, unchecked: true };
            const results = harness.run({
              kernel,
              shape: `part from ${from!} to ${to!}`,
              operands,
              arguments: (p) => [p.w!, ...names.map((name) => p[name]!), p.dw!, to! - from!, ...scalars, ...last],
            });
            state = Object.fromEntries(["w", ...names].map((name) => [name, results[name] as Float32Array]));
          }
          return state;
        });
        for (const name of ["w", ...names]) {
          const joined = Float32Array.from(parts.flatMap((part) => [...part[name]!]));
          expectSameBits(`${kernel} ${harness.variant} [cut at ${cut}]`, name, joined, whole[name]!);
        }
      }
    }
  });
}

testVariants("adamW", "without weight decay it is adam, to the bit", (harness) => {
  const { w, gradients } = problem(9);
  const zeros = { m: new Float32Array(COUNT), v: new Float32Array(COUNT) };
  const scalars = [0.01, 0.9, 0.999, 1e-8, 1.5];
  for (const l1 of [0, 0.5]) {
    const plain = train(harness, "adam", { w, ...zeros }, gradients, () => [...scalars, 0, l1]);
    const decoupled = train(harness, "adamW", { w, ...zeros }, gradients, () => [...scalars, 1, l1]);
    expectSameBits(`adamW ${harness.variant}`, "w", decoupled.w!, plain.w!);
  }
});
