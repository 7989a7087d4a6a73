import { featuresOf } from "../ops/activations.js";
import * as check from "../check.js";
import type { Layer, Stage, StageMemory } from "./layer.js";

abstract class RowLayer implements Layer {
  abstract readonly name: string;
  readonly inFeatures = undefined;
  readonly parameters = [];
  readonly states = [];
  readonly fuses = [];
  readonly activation = "none";

  abstract stage(inFeatures: number): Stage;

  outFeatures(inFeatures: number): number {
    return inFeatures;
  }
}

/** exp(x) / Σ exp(x) for each example. The loss "softmaxCrossEntropy" takes what comes before it, not its result. */
export class Softmax extends RowLayer {
  readonly name = "Softmax";

  stage(inFeatures: number): Stage {
    return new SoftmaxStage(inFeatures, "softmax", "softmaxBackward");
  }
}

/** x − ln Σ exp(x) for each example. The loss "softmaxCrossEntropy" takes what comes before it, not its result. */
export class LogSoftmax extends RowLayer {
  readonly name = "LogSoftmax";

  stage(inFeatures: number): Stage {
    return new SoftmaxStage(inFeatures, "logSoftmax", "logSoftmaxBackward");
  }
}

class SoftmaxStage implements Stage {
  declare memory: StageMemory;
  readonly inPlace = true;
  readonly readsOutput = true;
  readonly swapsGradients = false;

  constructor(
    private readonly features: number,
    private readonly run: "softmax" | "logSoftmax",
    private readonly runBackward: "softmaxBackward" | "logSoftmaxBackward",
  ) {}

  savedSize(): number {
    return 0;
  }

  workSize(): number {
    return 0;
  }

  forward(rows: number): void {
    const { kernels, input, output } = this.memory;
    const n = this.features;
    kernels[this.run](output, input, rows, n, n, n, 0, rows);
  }

  backward(rows: number): void {
    const { kernels, output, dOutput, dInput } = this.memory;
    if (dInput === 0) return;
    const n = this.features;
    kernels[this.runBackward](dInput, output, dOutput, rows, n, n, n, n, 0, rows);
  }
}

/**
 * The greatest of `pieces` inputs for each feature (Goodfellow et al. 2013): a Dense before it with pieces · features
 * outputs gives all features of the first piece, then those of the second, and so on.
 */
export class Maxout extends RowLayer {
  readonly name = "Maxout";
  readonly pieces: number;

  constructor(pieces: number) {
    super();
    this.pieces = check.integer("Maxout", "pieces", pieces, 1);
  }

  override outFeatures(inFeatures: number): number {
    return featuresOf("Maxout", inFeatures, this.pieces);
  }

  stage(inFeatures: number): Stage {
    return new MaxoutStage(this.outFeatures(inFeatures), this.pieces);
  }
}

class MaxoutStage implements Stage {
  declare memory: StageMemory;
  readonly inPlace = false;
  readonly readsOutput = false;
  readonly swapsGradients = true;

  constructor(
    private readonly features: number,
    private readonly pieces: number,
  ) {}

  savedSize(): number {
    return 0;
  }

  workSize(): number {
    return 0;
  }

  forward(rows: number): void {
    const { kernels, input, output } = this.memory;
    const { features, pieces } = this;
    kernels.maxout(output, input, rows, features, pieces, features, features * pieces, 0, rows);
  }

  backward(rows: number): void {
    const { kernels, input, dOutput, dInput } = this.memory;
    if (dInput === 0) return;
    const { features, pieces } = this;
    const n = features * pieces;
    kernels.maxoutBackward(dInput, input, dOutput, rows, features, pieces, n, n, features, 0, rows);
  }
}
