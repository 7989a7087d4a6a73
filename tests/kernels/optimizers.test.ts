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
        Object.assign(s, reference.sgdMomentum(s.w, s.velocity, dw[i]!, rate, momentum, weightDecay));
      });
    }
    const scalars = () => [rate, momentum, weightDecay];
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
    ];
    const states = Array.from(w, (value) => ({ w: value, m: 0, v: 0 }));
    gradients.forEach((dw, step) => {
      const [stepSize, , , , correction] = scalars(step) as [number, number, number, number, number];
      states.forEach((s, i) => {
        const next = reference.adam(s.w, s.m, s.v, dw[i]!, stepSize, beta1, beta2, eps, correction, weightDecay);
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
    const scalars = () => [rate / (1 - beta1), beta1, beta2, 0, 1 / Math.sqrt(1 - beta2), 0];
    const zeros = { m: new Float32Array(COUNT), v: new Float32Array(COUNT) };
    const { w: moved } = train(harness, "adam", { w, ...zeros }, [dw], scalars);
    const values = Array.from(w, (value, i) => value - rate * Math.sign(dw[i]!));
    expectClose(`adam ${harness.variant}`, "w", moved!, relative(values, 1e-6));
  },
);

testVariants("sgd", "zero gradients without decay keep the bits; an infinite weight stays infinite", (harness) => {
  const w = Float32Array.from({ length: COUNT }, (_, i) => [1, -0, 2 ** -149, Infinity, -3.5][i % 5]!);
  const zero = [new Float32Array(COUNT)];
  const { w: kept } = train(harness, "sgd", { w }, zero, () => [0.1, 0]);
  const positive = w.map((value) => value + 0);
  expectSameBits(
    `sgd ${harness.variant}`,
    "w",
    kept!.map((value) => value + 0),
    positive,
  );
  const velocity = new Float32Array(COUNT);
  const momentum = train(harness, "sgdMomentum", { w, velocity }, zero, () => [0.1, 0.9, 0]);
  expectSameBits(
    `sgdMomentum ${harness.variant}`,
    "w",
    momentum.w!.map((value) => value + 0),
    positive,
  );
});

testVariants("sgdMomentum", "without momentum it is sgd, to the bit", (harness) => {
  const { w, gradients } = problem(4);
  const plain = train(harness, "sgd", { w }, gradients, () => [0.05, 0.01]);
  const state = { w, velocity: new Float32Array(COUNT) };
  const momentum = train(harness, "sgdMomentum", state, gradients, () => [0.05, 0, 0.01]);
  expectSameBits(`sgdMomentum ${harness.variant}`, "w", momentum.w!, plain.w!);
});

testVariants("adam", "a NaN gradient spoils its own weight alone", (harness) => {
  const { w } = problem(5);
  const dw = new Float32Array(COUNT).fill(0.5);
  dw[50] = NaN;
  const zeros = { m: new Float32Array(COUNT), v: new Float32Array(COUNT) };
  const result = train(harness, "adam", { w, ...zeros }, [dw], () => [0.1, 0.9, 0.999, 1e-8, 30, 0]);
  for (const [name, values] of Object.entries(result)) {
    const bad = Array.from(values, Number.isNaN).flatMap((isNaN, i) => (isNaN ? [i] : []));
    if (bad.join() !== "50")
      throw new Error(`adam ${harness.variant}: ${name} is NaN at ${bad.join()}, not at 50 alone.`);
  }
});
