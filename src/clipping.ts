/** Gradient clipping, over all gradients of a model that is not frozen there. */
import * as check from "./check.js";
import type { Parameter, ParameterSlab, SlabRange, Trainable } from "./parameters.js";

/**
 * Scales all gradients by min(1, maxNorm / (norm + 1e-6)), where norm is the 2-norm of all of them together, and returns norm
 * (Pascanu, Mikolov & Bengio 2013, as torch.nn.utils.clip_grad_norm_). The sum of squares is in float64: its relative error
 * is below 1e-12, no gradient overflows it, and it is the same on every binary. A norm of NaN or ∞ makes gradients NaN or 0
 * as the formula has it. Frozen layers do not count.
 */
export function clipGradientNorm(model: Trainable, maxNorm: number): number {
  const slab = slabOf("clipGradientNorm", model);
  check.positive("clipGradientNorm", "maxNorm", maxNorm);
  normWork("clipGradientNorm", slab);
  return clipNorm("clipGradientNorm", slab, maxNorm);
}

/** Brings each gradient within [−limit, limit] (as torch.nn.utils.clip_grad_value_); NaN stays. */
export function clipGradientValue(model: Trainable, limit: number): void {
  const slab = slabOf("clipGradientValue", model);
  clipValue(slab, check.positive("clipGradientValue", "limit", limit));
}

function slabOf(operation: string, model: Trainable): ParameterSlab {
  const slab = (model as Trainable | null | undefined)?.slab;
  if (typeof slab?.twins !== "function") check.argument(operation, "model", model, "a model");
  slab.checkAlive(operation);
  return slab;
}

/** Scratch for the norm of the largest parameter: a float64 for each part of its sum of squares. */
export function normWork(operation: string, { runtime, parameters }: ParameterSlab): number {
  let parts = 0;
  for (let i = 0; i < parameters.length; i++) {
    const { gradient } = parameters[i] as Parameter;
    parts = Math.max(parts, runtime.kernels.sumOfSquaresSize(gradient.size));
  }
  return runtime.scratch(operation, 2 * parts);
}

/** clipGradientNorm of a live slab. The parameters' own sums are added in their order, wherever they lie in the slab. */
export function clipNorm(operation: string, slab: ParameterSlab, maxNorm: number): number {
  const { runtime, parameters, trained, gradients } = slab;
  const { kernels } = runtime;
  const work = normWork(operation, slab);
  const { f64 } = runtime.heap;
  const first = work / 8;
  let squares = 0;
  for (let i = 0; i < parameters.length; i++) {
    const { gradient, frozen } = parameters[i] as Parameter;
    if (frozen) continue;
    const parts = kernels.sumOfSquaresSize(gradient.size);
    kernels.sumOfSquares(work, gradient.pointer, gradient.size, 0, parts);
    let sum = 0;
    for (let j = first; j < first + parts; j++) sum += f64[j] as number;
    squares += sum;
  }
  const norm = Math.sqrt(squares);
  const factor = maxNorm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (let i = 0; i < trained.length; i++) {
    const { offset, size } = trained[i] as SlabRange<true>;
    kernels.scale(gradients + offset * 4, gradients + offset * 4, size, factor);
  }
  return norm;
}

/** clipGradientValue of a live slab. */
export function clipValue({ runtime, trained, gradients }: ParameterSlab, limit: number): void {
  for (let i = 0; i < trained.length; i++) {
    const { offset, size } = trained[i] as SlabRange<true>;
    runtime.kernels.clamp(gradients + offset * 4, gradients + offset * 4, size, -limit, limit);
  }
}
