/** Steps of the optimizers. */
import * as optimizers from "../../tests/reference/optimizers.js";
import { expectClose } from "../../tests/support/compare.js";
import { FEW, f32, twice, type BenchCase } from "./setup.js";

/** w ← w − learningRate·dw: reads w and dw, writes w. */
export function sgd(n: number): BenchCase {
  return {
    name: `sgd ${n}`,
    unit: "GB/s",
    amount: 3 * 4 * n,
    limit: { stream: "axpy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels.sgd, () => {
        const [w, dw] = [desk.uniform(n), desk.uniform(n)];
        const before = desk.floats(w, n);
        const rate = f32(1e-6); // however often the case runs, the weights stay of this order
        const check = () => {
          const gradient = desk.floats(dw, n);
          const steps = Array.from(before, (value, i) => optimizers.sgd(value, gradient[i] ?? NaN, rate, 0, 0));
          const [values, magnitude] = [steps.map((step) => step.w), steps.map((step) => step.wMagnitude)];
          expectClose("sgd", "w", desk.floats(w, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [w, dw, n, rate, 0, 0], check };
      }),
  };
}

/** v ← momentum·v + dw, w ← w − learningRate·v. */
export function sgdMomentum(n: number, kernel: "sgdMomentum" | "sgdNesterov" = "sgdMomentum"): BenchCase {
  return oneState(kernel, n, [f32(1e-6), f32(0.9), 0, 0], optimizers[kernel]);
}

/** s ← alpha·s + (1 − alpha)·dw², w ← w − learningRate·dw / (√s + eps): as sgdMomentum. */
export function rmsprop(n: number): BenchCase {
  return oneState("rmsprop", n, [f32(1e-6), f32(0.99), f32(1e-8), 0, 0], optimizers.rmsprop);
}

/** s ← s + dw², w ← w − learningRate·dw / (√s + eps): as sgdMomentum. */
export function adagrad(n: number): BenchCase {
  return oneState("adagrad", n, [f32(1e-6), f32(1e-10), 0, 0], optimizers.adagrad);
}

/** A step with one slab of state: reads w, the state and dw, writes w and the state, and divides by roots where it is of that kind. */
function oneState<Settings extends number[]>(
  kernel: "sgdMomentum" | "sgdNesterov" | "rmsprop" | "adagrad",
  n: number,
  settings: Settings,
  step: (w: number, state: number, dw: number, ...settings: Settings) => optimizers.Step,
): BenchCase {
  const bytes = 5 * 4 * n;
  const divides = kernel === "rmsprop" || kernel === "adagrad";
  return {
    name: `${kernel} ${n}`,
    unit: "GB/s",
    amount: bytes,
    // A stream over as much memory as w, the state and dw, for the bytes that are moved: dw is only read.
    limit: { stream: "inPlace", length: 3 * 4 * n, bytes, ...(divides && { quotients: n }) },
    prepare: (desk) => {
      const run: (...args: number[]) => unknown = desk.kernels[kernel];
      return twice(run, () => {
        const [w, state, dw] = [desk.uniform(n), desk.uniform(n, 0, 1), desk.uniform(n)];
        const [w0, state0] = [desk.floats(w, n), desk.floats(state, n)];
        const check = () => {
          const gradient = desk.floats(dw, n);
          const steps = Array.from(w0, (value, i) => step(value, state0[i] ?? NaN, gradient[i] ?? NaN, ...settings));
          const [values, magnitude] = [steps.map((next) => next.w), steps.map((next) => next.wMagnitude)];
          expectClose(kernel, "w", desk.floats(w, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [w, state, dw, n, ...settings], check };
      });
    },
  };
}

/** Reads w, m, v and dw, writes w, m and v, and divides by a root for each parameter. */
export function adam(n: number, kernel: "adam" | "adamW" = "adam"): BenchCase {
  const bytes = 7 * 4 * n;
  return {
    name: `${kernel} ${n}`,
    unit: "GB/s",
    amount: bytes,
    // A stream over as much memory as w, m, v and dw, for the bytes that are moved: dw is only read.
    limit: { stream: "inPlace", length: 4 * 4 * n, bytes, quotients: n },
    prepare: (desk) =>
      twice(desk.kernels[kernel], () => {
        const [w, dw] = [desk.uniform(n), desk.uniform(n)];
        const [m, v] = [desk.uniform(n), desk.uniform(n, 0, 1)];
        const before = [desk.floats(w, n), desk.floats(m, n), desk.floats(v, n), desk.floats(dw, n)] as const;
        // As float32, which the kernel takes: 1 − 0.999 would differ in its fifth digit. adamW: no decay, the longer loop.
        const decay = kernel === "adam" ? 0 : f32(1 - 1e-7);
        const settings = [f32(1e-6), f32(0.9), f32(0.999), f32(1e-8), 1, decay, 0] as const;
        const check = () => {
          const [w0, m0, v0, dw0] = before;
          const steps = Array.from(w0, (value, i) => {
            return optimizers[kernel](value, m0[i] ?? NaN, v0[i] ?? NaN, dw0[i] ?? NaN, ...settings);
          });
          const [values, magnitude] = [steps.map((step) => step.w), steps.map((step) => step.wMagnitude)];
          expectClose(kernel, "w", desk.floats(w, n), { values, magnitude, tolerance: FEW });
        };
        return { args: [w, m, v, dw, n, ...settings], check };
      }),
  };
}
