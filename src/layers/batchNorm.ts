import * as check from "../check.js";
import { constant, zeros } from "../initializers.js";
import type { VarianceEstimate } from "../ops/batchNorm.js";
import type { ParameterSpec, StateSpec } from "../parameters.js";
import type { Kernels } from "../runtime/kernels.js";
import type { Activation, Layer, Stage, StageMemory } from "./layer.js";

export interface BatchNormLayerOptions {
  /** Added to the variance; at least 0. */
  readonly eps?: number;
  /** The weight of a new batch in the running statistics, from 0 to 1, as in PyTorch. */
  readonly momentum?: number;
  /** Whether runningVar averages Σ/(m − 1), as in PyTorch (the default), or Σ/m. */
  readonly runningVar?: VarianceEstimate;
}

/**
 * y = gamma · (x − mean) / √(variance + eps) + beta by features (Ioffe & Szegedy 2015): in training with the batch's mean and
 * biased variance, in inference with running ones. Parameters: gamma (1) and beta (0); states: runningMean, runningVar.
 * A Relu behind it is applied in the same pass.
 */
export class BatchNorm implements Layer {
  readonly name = "BatchNorm";
  readonly inFeatures: number;
  readonly eps: number;
  readonly momentum: number;
  readonly runningVar: VarianceEstimate;
  readonly activation = "none";
  readonly parameters: readonly ParameterSpec[];
  readonly states: readonly StateSpec[];
  readonly fuses = ["relu"] as const;

  constructor(features: number, options: BatchNormLayerOptions = {}) {
    const { eps = 1e-5, momentum = 0.1, runningVar = "unbiased" } = check.options("BatchNorm", options);
    this.inFeatures = check.integer("BatchNorm", "features", features, 1);
    this.eps = check.rate("BatchNorm", "eps", eps);
    this.momentum = check.share("BatchNorm", "momentum", momentum);
    this.runningVar = check.oneOf("BatchNorm", "runningVar", runningVar, ["unbiased", "biased"]);
    const spec = { shape: [features], decay: false, inFeatures: features, outFeatures: features };
    this.parameters = [
      { name: "gamma", initializer: constant(1), ...spec },
      { name: "beta", initializer: zeros(), ...spec },
    ];
    this.states = [
      { name: "runningMean", shape: [features], value: 0 },
      { name: "runningVar", shape: [features], value: 1 },
    ];
  }

  outFeatures(inFeatures: number): number {
    return inFeatures;
  }

  stage(_inFeatures: number, activation: Activation): Stage {
    return new BatchNormStage(this, activation === "relu");
  }
}

class BatchNormStage implements Stage {
  declare memory: StageMemory;
  readonly inPlace = false;
  /** The backward pass recomputes the activation's mask from the input. */
  readonly readsOutput = false;
  readonly swapsGradients = false;
  readonly statistics = "takes";
  private readonly features: number;
  private readonly eps: number;
  private readonly momentum: number;
  private readonly unbiased: number;
  private readonly relu: number;

  constructor(layer: BatchNorm, relu: boolean) {
    this.features = layer.inFeatures;
    this.eps = layer.eps;
    this.momentum = layer.momentum;
    this.unbiased = layer.runningVar === "unbiased" ? 1 : 0;
    this.relu = relu ? 1 : 0;
  }

  savedSize(): number {
    return 3 * this.features;
  }

  workSize(kernels: Kernels, rows: number): number {
    return kernels.batchNormWorkSize(rows, this.features);
  }

  forward(rows: number, training: boolean): void {
    const { kernels, parameters, states, input, output, saved, measured, work } = this.memory;
    const { features: n, eps, momentum, unbiased, relu } = this;
    const gamma = parameters[0] as number;
    const beta = parameters[1] as number;
    const mean = states[0] as number;
    const variance = states[1] as number;
    if (training) {
      kernels.batchNormForward(
        output,
        saved,
        mean,
        variance,
        input,
        gamma,
        beta,
        rows,
        n,
        n,
        n,
        eps,
        momentum,
        unbiased,
        relu,
        measured ? 1 : 0,
        0,
        n,
        work,
      );
    } else {
      kernels.batchNormInference(output, input, mean, variance, gamma, beta, rows, n, n, n, eps, relu, 0, rows, work);
    }
  }

  backward(rows: number, accumulate: boolean): void {
    const { kernels, parameters, gradients, input, saved, dOutput, work } = this.memory;
    const { features: n, relu } = this;
    const gamma = parameters[0] as number;
    const beta = parameters[1] as number;
    const dGamma = gradients[0] as number;
    const dBeta = gradients[1] as number;
    const add = accumulate ? 1 : 0;
    // In place: dInput, where it is wanted, is dOutput.
    kernels.batchNormBackward(
      dOutput,
      dGamma,
      dBeta,
      dOutput,
      input,
      saved,
      gamma,
      beta,
      rows,
      n,
      n,
      n,
      n,
      relu,
      add,
      0,
      n,
      work,
    );
  }
}
