/**
 * Optimizers with the formulas and defaults of PyTorch. All of them share the penalties: g = dw + weightDecay · w +
 * l1 · sign w on weights, g = dw on biases, gamma and beta (a parameter's `decay`); and frozen layers stay as they are.
 */
import * as check from "./check.js";
import { ArgumentError } from "./errors.js";
import { Optimizer, type OptimizerOptions, type Update } from "./optimizer.js";
import type { ParameterSlab } from "./parameters.js";

export interface SgdOptions extends OptimizerOptions {
  /** The share of the last step's velocity that is kept, in [0, 1). */
  readonly momentum?: number;
  /** Whether to step by the gradient at the point ahead; needs a momentum. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent as torch.optim.SGD (no dampening), learningRate 0.01:
 * v ← momentum · v + g; w ← w − learningRate · v (Polyak 1964), or with `nesterov` w ← w − learningRate · (g + momentum · v)
 * (Sutskever et al. 2013, in PyTorch's form).
 */
export class Sgd extends Optimizer {
  readonly momentum: number;
  readonly nesterov: boolean;
  protected readonly stateCount: number;

  constructor(options: SgdOptions = {}) {
    super("Sgd", options, 0.01);
    const { momentum = 0, nesterov = false } = options;
    this.momentum = check.fraction("Sgd", "momentum", momentum);
    this.nesterov = check.boolean("Sgd", "nesterov", nesterov);
    if (nesterov && momentum === 0) throw new ArgumentError("Sgd: nesterov is true but momentum is 0; it needs one.");
    this.stateCount = momentum > 0 ? 1 : 0;
  }

  protected update({ kernels, w, dw, state, size, settings }: Update): void {
    const { rate, weightDecay, l1 } = settings;
    const { momentum } = this;
    if (this.stateCount === 0) kernels.sgd(w, dw, size, rate, weightDecay, l1);
    else if (this.nesterov) kernels.sgdNesterov(w, state, dw, size, rate, momentum, weightDecay, l1);
    else kernels.sgdMomentum(w, state, dw, size, rate, momentum, weightDecay, l1);
  }
}

/**
 * The smallest normal float32, 2⁻¹²⁶. The kernel divides eps by 1 / √(1 − beta2ᵗ), which is at most 2¹² for the largest
 * float32 beta2 below 1, so at least 2⁻¹³⁸ is left and a weight without gradients moves by 0 / 2⁻¹³⁸. The quotient of a
 * smaller eps may round to 0, and 0 / 0 is NaN.
 */
const MIN_EPS = 1.1754943508222875e-38;

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the first moment, in [0, 1). */
  readonly beta1?: number;
  /** Decay of the second moment, in [0, 1). */
  readonly beta2?: number;
  /** Added to the root of the second moment; at least 2⁻¹²⁶. */
  readonly eps?: number;
}

/** What Adam and AdamW share: moments and their corrections. */
abstract class AdamFamily extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  protected readonly stateCount = 2;
  #beta1Power = 1;
  #beta2Power = 1;

  constructor(name: string, options: AdamOptions, weightDecay: number) {
    super(name, options, 1e-3, weightDecay);
    const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = options;
    this.beta1 = check.fraction(name, "beta1", beta1);
    this.beta2 = check.fraction(name, "beta2", beta2);
    this.eps = check.atLeast(name, "eps", eps, MIN_EPS);
  }

  /** Whether weight decay stays out of the gradient. */
  protected abstract readonly decoupled: boolean;

  protected override reset(): void {
    this.#beta1Power = 1;
    this.#beta2Power = 1;
  }

  protected override beginStep(): void {
    this.#beta1Power *= Math.fround(this.beta1);
    this.#beta2Power *= Math.fround(this.beta2);
  }

  protected update({ kernels, w, dw, state: m, stateStride, size, settings }: Update): void {
    const { rate, weightDecay, l1 } = settings;
    const { beta1, beta2, eps } = this;
    const stepSize = rate / (1 - this.#beta1Power);
    const correction = 1 / Math.sqrt(1 - this.#beta2Power);
    const v = m + stateStride;
    if (this.decoupled) {
      kernels.adamW(w, m, v, dw, size, stepSize, beta1, beta2, eps, correction, 1 - rate * weightDecay, l1);
    } else {
      kernels.adam(w, m, v, dw, size, stepSize, beta1, beta2, eps, correction, weightDecay, l1);
    }
  }
}

/**
 * Adam with bias correction (Kingma & Ba 2015) as torch.optim.Adam, learningRate 0.001, beta1 0.9, beta2 0.999, eps 1e-8:
 * m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − learningRate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps). Weight
 * decay is part of g, so that the moments dampen it: AdamW keeps it apart. The powers are products of the float32 betas
 * that the kernel takes, one factor a step, so that they have the same bits everywhere.
 */
export class Adam extends AdamFamily {
  protected readonly decoupled = false;

  constructor(options: AdamOptions = {}) {
    super("Adam", options, 0);
  }
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019) as torch.optim.AdamW, weightDecay 0.01, otherwise the defaults
 * of Adam: w ← (1 − learningRate · weightDecay) · w, then the step of Adam without weight decay (l1 stays in g).
 */
export class AdamW extends AdamFamily {
  protected readonly decoupled = true;

  constructor(options: AdamOptions = {}) {
    super("AdamW", options, 0.01);
  }
}

export interface RmsPropOptions extends OptimizerOptions {
  /** Decay of the mean square, in [0, 1). */
  readonly alpha?: number;
  /** Added to the root of the mean square; at least 2⁻¹²⁶. */
  readonly eps?: number;
  /** The share of the last step's velocity that is kept, in [0, 1). */
  readonly momentum?: number;
}

/**
 * RMSprop (Tieleman & Hinton 2012) as torch.optim.RMSprop (not centered), learningRate 0.01, alpha 0.99, eps 1e-8:
 * s ← alpha · s + (1 − alpha) · g²; w ← w − learningRate · g / (√s + eps), or with momentum
 * v ← momentum · v + g / (√s + eps); w ← w − learningRate · v.
 */
export class RmsProp extends Optimizer {
  readonly alpha: number;
  readonly eps: number;
  readonly momentum: number;
  protected readonly stateCount: number;

  constructor(options: RmsPropOptions = {}) {
    super("RmsProp", options, 0.01);
    const { alpha = 0.99, eps = 1e-8, momentum = 0 } = options;
    this.alpha = check.fraction("RmsProp", "alpha", alpha);
    this.eps = check.atLeast("RmsProp", "eps", eps, MIN_EPS);
    this.momentum = check.fraction("RmsProp", "momentum", momentum);
    this.stateCount = momentum > 0 ? 2 : 1;
  }

  protected update({ kernels, w, dw, state: s, stateStride, size, settings }: Update): void {
    const { rate, weightDecay, l1 } = settings;
    const { alpha, eps, momentum } = this;
    if (this.stateCount === 1) kernels.rmsprop(w, s, dw, size, rate, alpha, eps, weightDecay, l1);
    else kernels.rmspropMomentum(w, s, s + stateStride, dw, size, rate, alpha, eps, momentum, weightDecay, l1);
  }
}

export interface AdagradOptions extends OptimizerOptions {
  /** Divides the learning rate by 1 + learningRateDecay · (steps before). */
  readonly learningRateDecay?: number;
  /** Where the sums of squares start. */
  readonly initialAccumulator?: number;
  /** Added to the root of the sum of squares; at least 2⁻¹²⁶. */
  readonly eps?: number;
}

/**
 * Adagrad (Duchi, Hazan & Singer 2011) as torch.optim.Adagrad, learningRate 0.01, learningRateDecay 0, initialAccumulator 0,
 * eps 1e-10: s ← s + g²; w ← w − learningRate · g / (√s + eps).
 */
export class Adagrad extends Optimizer {
  readonly learningRateDecay: number;
  readonly initialAccumulator: number;
  readonly eps: number;
  protected readonly stateCount = 1;

  constructor(options: AdagradOptions = {}) {
    super("Adagrad", options, 0.01);
    const { learningRateDecay = 0, initialAccumulator = 0, eps = 1e-10 } = options;
    this.learningRateDecay = check.rate("Adagrad", "learningRateDecay", learningRateDecay);
    this.initialAccumulator = check.rate("Adagrad", "initialAccumulator", initialAccumulator);
    this.eps = check.atLeast("Adagrad", "eps", eps, MIN_EPS);
  }

  protected override reset(slab: ParameterSlab, sums: number): void {
    slab.runtime.heapF32.fill(this.initialAccumulator, sums >>> 2, (sums >>> 2) + slab.size);
  }

  protected update({ kernels, w, dw, state: s, size, settings }: Update): void {
    const { rate, weightDecay, l1 } = settings;
    kernels.adagrad(w, s, dw, size, rate / (1 + this.learningRateDecay * this.steps), this.eps, weightDecay, l1);
  }
}
