/** A step from an arbitrary state. optimizers.test.ts runs many steps. */
import * as optimizers from "../../reference/optimizers.js";
import type { Operand } from "../../support/harness.js";
import type { KernelName } from "../../support/kernels.js";
import { counts } from "./shapes.js";
import { add } from "./table.js";

const float = Math.fround;

type Updated = optimizers.Step & Partial<Record<"velocity" | "m" | "v" | "s", number>>;

/** Penalties: none, L2, L1, both. */
const penalties = [
  { weightDecay: 0, l1: 0 },
  { weightDecay: 0.125, l1: 0 },
  { weightDecay: 0, l1: 0.25 },
  { weightDecay: 0.125, l1: 0.25 },
];

/**
 * An optimizer's kernel: w, its slabs of state in order (those named in `positive` hold sums of squares), dw, n, scalars.
 * `roundings` bounds each array's error. Weights of 0 and −0 are among them.
 */
function optimizer<Name extends "w" | "velocity" | "m" | "v" | "s">(
  kernel: KernelName & keyof typeof optimizers,
  roundings: Record<Name, number>,
  scalars: readonly number[],
  decays = penalties,
): void {
  const names = Object.keys(roundings) as Name[];
  const rounded = scalars.map(float);
  const step: (...values: number[]) => Updated = optimizers[kernel];
  add(kernel, {
    shapes: decays.flatMap((penalty) => counts.map(({ n }) => ({ n, ...penalty }))),
    call: ({ n, weightDecay, l1 }, random) => {
      const length = Math.max(n, 0);
      const before = names.map((name) => random.floats(length, name === "s" || name === "v" ? 0 : -1));
      before[0]!.forEach((_, i, w) => (w[i] = i % 7 === 3 ? random.pick([0, -0]) : w[i]!));
      const dw = random.floats(length);
      const last = [...rounded, float(weightDecay), float(l1)];
      const steps = Array.from(dw, (slope, i) => step(...before.map((values) => values[i]!), slope, ...last));
      const operands: Record<string, Operand> = { dw: { before: dw } };
      names.forEach((name, i) => {
        const values = steps.map((next) => next[name] as number);
        const magnitude = steps.map((next) => next[`${name}Magnitude` as keyof Updated] as number);
        operands[name] = {
          before: before[i]!,
          after: { values, magnitude, tolerance: { roundings: roundings[name] } },
        };
      });
      return { operands, arguments: (p) => [...names.map((name) => p[name]!), p.dw!, n, ...last] };
    },
  });
}

optimizer("sgd", { w: 5 }, [0.1]);
optimizer("sgdMomentum", { w: 7, velocity: 5 }, [0.1, 0.9]);
optimizer("sgdNesterov", { w: 8, velocity: 5 }, [0.1, 0.9]);
optimizer("adam", { w: 14, m: 6, v: 9 }, [0.01, 0.9, 0.999, 1e-3, 1.5]);
const kept = penalties.map(({ weightDecay, l1 }) => ({ weightDecay: 1 - 0.01 * weightDecay, l1 }));
optimizer("adamW", { w: 14, m: 6, v: 9 }, [0.01, 0.9, 0.999, 1e-3, 1.5], kept);
optimizer("rmsprop", { w: 14, s: 9 }, [0.01, 0.99, 1e-3]);
optimizer("rmspropMomentum", { w: 15, s: 9, velocity: 14 }, [0.01, 0.99, 1e-3, 0.9]);
optimizer("adagrad", { w: 14, s: 8 }, [0.01, 1e-3]);
