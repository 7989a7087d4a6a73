import * as check from "../check.js";
import { heNormal, zeros, type Initializer } from "../initializers.js";
import { EPILOGUE } from "../ops/products.js";
import type { ParameterSpec } from "../parameters.js";
import type { Kernels } from "../runtime/kernels.js";
import type { Activation, Layer, Stage, StageMemory } from "./layer.js";

export interface DenseOptions {
  /** Whether to add a bias. Before a BatchNorm, which subtracts every constant, it changes nothing. */
  readonly bias?: boolean;
  readonly weightInit?: Initializer;
  readonly biasInit?: Initializer;
}

/**
 * y = x · Wᵀ + b: x is batch × inFeatures, W is outFeatures × inFeatures (h = W·x + b for one example), y is
 * batch × outFeatures. Parameters: weight, with weight decay, and bias. With a bias, a Relu, Tanh or LeakyRelu (of a
 * positive slope) behind it is applied as the product is written.
 */
export class Dense implements Layer {
  readonly name = "Dense";
  readonly inFeatures: number;
  readonly features: number;
  readonly bias: boolean;
  readonly activation = "none";
  readonly parameters: readonly ParameterSpec[];
  readonly states = [];
  readonly fuses: readonly Activation[];

  constructor(inFeatures: number, outFeatures: number, options: DenseOptions = {}) {
    const { bias = true, weightInit = heNormal(), biasInit = zeros() } = check.options("Dense", options);
    this.inFeatures = check.integer("Dense", "inFeatures", inFeatures, 1);
    this.features = check.integer("Dense", "outFeatures", outFeatures, 1);
    this.bias = check.boolean("Dense", "bias", bias);
    if (typeof weightInit !== "function") check.argument("Dense", "weightInit", weightInit, "an initializer");
    if (typeof biasInit !== "function") check.argument("Dense", "biasInit", biasInit, "an initializer");
    const sizes = { inFeatures, outFeatures };
    const weight = { name: "weight", shape: [outFeatures, inFeatures], decay: true, initializer: weightInit, ...sizes };
    check.size("Dense", weight.shape);
    this.parameters = bias
      ? [weight, { name: "bias", shape: [outFeatures], decay: false, initializer: biasInit, ...sizes }]
      : [weight];
    this.fuses = bias ? ["relu", "tanh", "leakyRelu"] : [];
  }

  outFeatures(): number {
    return this.features;
  }

  stage(inFeatures: number, activation: Activation, slope: number): Stage {
    return new DenseStage(inFeatures, this.features, this.bias, activation, slope);
  }
}

export class DenseStage implements Stage {
  declare memory: StageMemory;
  readonly inPlace = false;
  readonly readsOutput: boolean;
  readonly swapsGradients = true;
  readonly statistics = "makes";
  private readonly epilogue: number;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    private readonly bias: boolean,
    private readonly activation: Activation,
    private readonly slope: number,
  ) {
    this.readsOutput = activation !== "none";
    this.epilogue = bias ? EPILOGUE[activation] : 0;
  }

  savedSize(): number {
    return 0;
  }

  workSize(kernels: Kernels, rows: number): number {
    const { inFeatures, outFeatures } = this;
    return Math.max(
      kernels.sgemmWorkSize(rows, outFeatures, inFeatures),
      kernels.sgemmWorkSize(outFeatures, inFeatures, rows),
      kernels.sgemmWorkSize(rows, inFeatures, outFeatures),
      kernels.columnSumsWorkSize(outFeatures),
    );
  }

  forward(rows: number, training: boolean): void {
    this.#product(rows, this.epilogue, training ? this.memory.statistics : 0);
  }

  /** The outputs before any activation, where those after it will be. */
  linear(rows: number): void {
    this.#product(rows, this.bias ? EPILOGUE.none : 0, 0);
  }

  /** y (m×n) ← activation(x (m×k) · Wᵀ (k×n) + b) with m = rows, n = outFeatures, k = inFeatures. */
  #product(rows: number, epilogue: number, statistics: number): void {
    const { kernels, parameters, input: x, output: y, work } = this.memory;
    const n = this.outFeatures;
    const k = this.inFeatures;
    const weight = parameters[0] as number;
    const bias = this.bias ? (parameters[1] as number) : 0;
    const { slope } = this;
    kernels.sgemm(y, x, weight, bias, rows, n, k, n, 1, k, 1, 1, k, 1, 0, epilogue, slope, statistics, 0, rows, work);
  }

  /** dz ← dy through the activation; dW ← dzᵀ · x; db ← column sums of dz; dx ← dz · W. */
  backward(rows: number, accumulate: boolean): void {
    const { kernels, parameters, gradients, input, output, trained, dOutput, dInput, work } = this.memory;
    const outs = this.outFeatures;
    const ins = this.inFeatures;
    if (this.activation === "relu") kernels.reluBackward(dOutput, output, dOutput, rows * outs);
    else if (this.activation === "tanh") kernels.tanhBackward(dOutput, output, dOutput, rows * outs);
    else if (this.activation === "leakyRelu") {
      kernels.leakyReluBackward(dOutput, output, dOutput, rows * outs, this.slope);
    }
    if (trained) {
      const beta = accumulate ? 1 : 0;
      const dWeight = gradients[0] as number;
      kernels.sgemm(
        dWeight,
        dOutput,
        input,
        0,
        outs,
        ins,
        rows,
        ins,
        1,
        1,
        outs,
        ins,
        1,
        1,
        beta,
        0,
        0,
        0,
        0,
        outs,
        work,
      );
      if (this.bias) kernels.columnSums(gradients[1] as number, dOutput, rows, outs, outs, beta, 0, outs, work);
    }
    if (dInput === 0) return;
    const weight = parameters[0] as number;
    kernels.sgemm(dInput, dOutput, weight, 0, rows, ins, outs, ins, 1, outs, 1, ins, 1, 1, 0, 0, 0, 0, 0, rows, work);
  }
}
