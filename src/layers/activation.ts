import type { Activation, Layer, Stage, StageMemory } from "./layer.js";

abstract class ActivationLayer implements Layer {
  abstract readonly name: string;
  abstract readonly activation: Exclude<Activation, "none">;
  readonly inFeatures = undefined;
  readonly parameters = [];
  readonly states = [];
  readonly fuses = [];

  outFeatures(inFeatures: number): number {
    return inFeatures;
  }

  stage(inFeatures: number): Stage {
    return new ActivationStage(inFeatures, this.activation);
  }
}

/** max(x, 0) for each element. Fused into a Dense with bias or a BatchNorm before it. */
export class Relu extends ActivationLayer {
  readonly name = "Relu";
  readonly activation = "relu";
}

/** tanh(x) for each element. Fused into a Dense with bias before it. */
export class Tanh extends ActivationLayer {
  readonly name = "Tanh";
  readonly activation = "tanh";
}

class ActivationStage implements Stage {
  declare memory: StageMemory;
  readonly savedSize = 0;
  readonly elementwise = true;
  readonly readsOutput = true;
  readonly swapsGradients = false;

  constructor(
    private readonly features: number,
    private readonly activation: Exclude<Activation, "none">,
  ) {}

  workSize(): number {
    return 0;
  }

  forward(rows: number): void {
    const { kernels, input, output } = this.memory;
    if (this.activation === "relu") kernels.relu(output, input, rows * this.features);
    else kernels.tanh(output, input, rows * this.features);
  }

  backward(rows: number): void {
    const { kernels, output, dOutput, dInput } = this.memory;
    if (dInput === 0) return;
    // ReLU's mask by its output is the mask by its input: both are ≤ 0 or NaN together.
    if (this.activation === "relu") kernels.reluBackward(dInput, output, dOutput, rows * this.features);
    else kernels.tanhBackward(dInput, output, dOutput, rows * this.features);
  }
}
