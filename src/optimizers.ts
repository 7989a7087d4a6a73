import * as check from "./check.js";
import { ArgumentError, DisposedError } from "./errors.js";
import type { ParameterSlab } from "./parameters.js";

/** What an optimizer trains: a model. */
export interface Trainable {
  readonly slab: ParameterSlab;
}

/**
 * Changes a model's parameters by their gradients, one kernel call a parameter group. An optimizer serves one model:
 * `bind` (which training calls) allocates its state beside the model's parameters, where it stays until one of them
 * is disposed.
 */
export abstract class Optimizer {
  /** For messages: the class's name. */
  abstract readonly name: string;
  #learningRate = 0;
  #slab: ParameterSlab | undefined;
  #twins = 0;

  /** How many slabs of state it keeps. */
  protected abstract readonly stateCount: number;
  protected abstract update(slab: ParameterSlab, state: number): void;
  protected abstract reset(): void;

  /** The step's size; may change between steps. */
  get learningRate(): number {
    return this.#learningRate;
  }

  set learningRate(value: number) {
    this.#learningRate = check.rate(this.name, "learningRate", value);
  }

  /** Ties this optimizer to a model. Binding it again to that model does nothing; another one throws ArgumentError. */
  bind(model: Trainable): this {
    const slab = (model as Trainable | null | undefined)?.slab;
    if (slab !== undefined && slab === this.#slab) return this;
    const operation = `${this.name}.bind`;
    if (typeof slab?.twins !== "function") check.argument(operation, "model", model, "a model");
    if (this.#slab && !this.#slab.disposed) {
      throw new ArgumentError(`${operation}: this optimizer is bound to another model; make one for each model.`);
    }
    this.#twins = slab.twins(operation, this.stateCount);
    this.#slab = slab;
    this.reset();
    return this;
  }

  /** One step: every parameter moves by its gradient. */
  step(): void {
    const slab = this.#slab;
    if (!slab) throw new ArgumentError(`${this.name}.step: no model is bound; call bind(model) first.`);
    if (slab.disposed) throw new DisposedError(`${this.name}.step: the model is disposed; it must be alive.`);
    this.update(slab, this.#twins);
  }

  /** Frees the state and forgets the model. */
  dispose(): void {
    this.#slab?.freeTwins(this.#twins);
    this.#slab = undefined;
    this.#twins = 0;
  }
}

export interface SgdOptions {
  readonly learningRate?: number;
  /** The share of the last step's velocity that is kept, in [0, 1). */
  readonly momentum?: number;
  /** Adds weightDecay · w to the gradient of weights; biases, gamma and beta are left out. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum, as in PyTorch: v ← momentum·v + (dw + weightDecay·w); w ← w − learningRate·v.
 */
export class Sgd extends Optimizer {
  readonly name = "Sgd";
  readonly momentum: number;
  readonly weightDecay: number;
  protected readonly stateCount: number;

  constructor(options: SgdOptions = {}) {
    super();
    const { learningRate = 0.01, momentum = 0, weightDecay = 0 } = check.options("Sgd", options);
    this.learningRate = learningRate;
    this.momentum = check.fraction("Sgd", "momentum", momentum);
    this.weightDecay = check.rate("Sgd", "weightDecay", weightDecay);
    this.stateCount = momentum > 0 ? 1 : 0;
  }

  protected reset(): void {
    // Velocity starts at 0, as the slab comes.
  }

  protected update(slab: ParameterSlab, velocity: number): void {
    const { kernels } = slab.runtime;
    for (let i = 0; i < slab.groups.length; i++) {
      const { offset, size, decay } = slab.groups[i] as ParameterSlab["groups"][number];
      const w = slab.values + offset * 4;
      const dw = slab.gradients + offset * 4;
      const weightDecay = decay ? this.weightDecay : 0;
      if (this.stateCount === 0) kernels.sgd(w, dw, size, this.learningRate, weightDecay);
      else kernels.sgdMomentum(w, velocity + offset * 4, dw, size, this.learningRate, this.momentum, weightDecay);
    }
  }
}

/**
 * The smallest normal float32, 2⁻¹²⁶. The kernel divides eps by 1 / √(1 − beta2ᵗ), which is at most 2¹² for the largest
 * float32 beta2 below 1, so at least 2⁻¹³⁸ is left and a weight without gradients moves by 0 / 2⁻¹³⁸. The quotient of a
 * smaller eps may round to 0, and 0 / 0 is NaN.
 */
const MIN_EPS = 1.1754943508222875e-38;

export interface AdamOptions {
  readonly learningRate?: number;
  /** Decay of the first moment, in [0, 1). */
  readonly beta1?: number;
  /** Decay of the second moment, in [0, 1). */
  readonly beta2?: number;
  /** Added to the root of the second moment; at least 2⁻¹²⁶. */
  readonly eps?: number;
  /** Adds weightDecay · w to the gradient of weights (the L2 form); biases, gamma and beta are left out. */
  readonly weightDecay?: number;
}

/**
 * Adam with bias correction (Kingma & Ba 2015): m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²;
 * w ← w − learningRate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps). The powers are products of the float32 betas that the
 * kernel takes, one factor a step, so that they have the same bits everywhere.
 */
export class Adam extends Optimizer {
  readonly name = "Adam";
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  protected readonly stateCount = 2;
  #beta1Power = 1;
  #beta2Power = 1;

  constructor(options: AdamOptions = {}) {
    super();
    const {
      learningRate = 1e-3,
      beta1 = 0.9,
      beta2 = 0.999,
      eps = 1e-8,
      weightDecay = 0,
    } = check.options("Adam", options);
    this.learningRate = learningRate;
    this.beta1 = check.fraction("Adam", "beta1", beta1);
    this.beta2 = check.fraction("Adam", "beta2", beta2);
    this.eps = check.atLeast("Adam", "eps", eps, MIN_EPS);
    this.weightDecay = check.rate("Adam", "weightDecay", weightDecay);
  }

  protected reset(): void {
    this.#beta1Power = 1;
    this.#beta2Power = 1;
  }

  protected update(slab: ParameterSlab, moments: number): void {
    this.#beta1Power *= Math.fround(this.beta1);
    this.#beta2Power *= Math.fround(this.beta2);
    const stepSize = this.learningRate / (1 - this.#beta1Power);
    const correction = 1 / Math.sqrt(1 - this.#beta2Power);
    const { kernels } = slab.runtime;
    const { beta1, beta2, eps } = this;
    for (let i = 0; i < slab.groups.length; i++) {
      const { offset, size, decay } = slab.groups[i] as ParameterSlab["groups"][number];
      const w = slab.values + offset * 4;
      const m = moments + offset * 4;
      const v = m + slab.size * 4;
      const dw = slab.gradients + offset * 4;
      kernels.adam(w, m, v, dw, size, stepSize, beta1, beta2, eps, correction, decay ? this.weightDecay : 0);
    }
  }
}
