import * as check from "../check.js";
import { constant, zeros } from "../initializers.js";
import { groupSize } from "../ops/groupNorm.js";
import type { ParameterSpec } from "../parameters.js";
import type { Kernels } from "../runtime/kernels.js";
import type { Layer, Stage, StageMemory } from "./layer.js";

export interface GroupNormLayerOptions {
  /** Added to the variance; at least 0. */
  readonly eps?: number;
}

abstract class RowNorm implements Layer {
  readonly inFeatures: number;
  readonly groups: number;
  readonly eps: number;
  readonly activation = "none";
  readonly parameters: readonly ParameterSpec[];
  readonly states = [];
  readonly fuses = [];

  constructor(
    readonly name: string,
    groups: number,
    features: number,
    options: GroupNormLayerOptions,
  ) {
    const { eps = 1e-5 } = check.options(name, options);
    this.inFeatures = check.integer(name, "features", features, 1);
    groupSize(name, features, groups);
    this.groups = groups;
    this.eps = check.rate(name, "eps", eps);
    const spec = { shape: [features], decay: false, inFeatures: features, outFeatures: features };
    this.parameters = [
      { name: "gamma", initializer: constant(1), ...spec },
      { name: "beta", initializer: zeros(), ...spec },
    ];
  }

  outFeatures(inFeatures: number): number {
    return inFeatures;
  }

  stage(): Stage {
    return new GroupNormStage(this.inFeatures, this.groups, this.eps);
  }
}

/**
 * y = gamma · (x − mean) / √(variance + eps) + beta with each example's own mean and biased variance over all features (Ba,
 * Kiros & Hinton 2016): the same in training and inference, for any batch. Parameters: gamma (1) and beta (0).
 */
export class LayerNorm extends RowNorm {
  constructor(features: number, options: GroupNormLayerOptions = {}) {
    super("LayerNorm", 1, features, options);
  }
}

/**
 * As LayerNorm, over each of so many groups of neighbouring features (Wu & He 2018); the groups must divide the features. Of
 * a group of one feature beta is left.
 */
export class GroupNorm extends RowNorm {
  constructor(groups: number, features: number, options: GroupNormLayerOptions = {}) {
    super("GroupNorm", groups, features, options);
  }
}

class GroupNormStage implements Stage {
  declare memory: StageMemory;
  readonly inPlace = false;
  readonly readsOutput = false;
  readonly swapsGradients = false;

  constructor(
    private readonly features: number,
    private readonly groups: number,
    private readonly eps: number,
  ) {}

  savedSize(rows: number): number {
    return 3 * rows * this.groups;
  }

  workSize(kernels: Kernels, rows: number): number {
    return kernels.groupNormPartsSize(rows) * 2 * this.features + kernels.columnSumsWorkSize(this.features);
  }

  forward(rows: number): void {
    const { kernels, parameters, input, output, saved } = this.memory;
    const { features: n, groups, eps } = this;
    const gamma = parameters[0] as number;
    const beta = parameters[1] as number;
    kernels.groupNormForward(output, saved, input, gamma, beta, rows, n, groups, n, n, eps, 0, rows);
  }

  backward(rows: number, accumulate: boolean): void {
    const { kernels, parameters, gradients, input, saved, trained, dOutput, work: parts } = this.memory;
    const { features: n, groups } = this;
    const count = kernels.groupNormPartsSize(rows);
    const gamma = parameters[0] as number;
    // In place: dInput, where it is wanted, is dOutput.
    kernels.groupNormBackward(dOutput, parts, dOutput, input, saved, gamma, rows, n, groups, n, n, n, 0, count);
    if (!trained) return;
    const add = accumulate ? 1 : 0;
    const dGamma = gradients[0] as number;
    const dBeta = gradients[1] as number;
    const work = parts + 4 * count * 2 * n;
    kernels.columnSums(dGamma, parts, count, n, 2 * n, add, 0, n, work);
    kernels.columnSums(dBeta, parts + 4 * n, count, n, 2 * n, add, 0, n, work);
  }
}
