import * as check from "../check.js";
import { dropout, STREAM } from "../random.js";
import type { Layer, Stage, StageMemory } from "./layer.js";

/**
 * In training, 0 with probability `rate` (½ by default), else x / (1 − rate), for each element by itself (Srivastava et al.
 * 2014, inverted, as torch.nn.Dropout); in inference x. The mask is drawn from the model's seed by the layer's place in the
 * model and the number of its forward passes in training before, and again for the backward pass: none is stored.
 */
export class Dropout implements Layer {
  readonly name = "Dropout";
  readonly rate: number;
  readonly inFeatures = undefined;
  readonly parameters = [];
  readonly states = [];
  readonly activation = "none";
  readonly fuses = [];

  constructor(rate = 0.5) {
    this.rate = check.fraction("Dropout", "rate", rate);
  }

  outFeatures(inFeatures: number): number {
    return inFeatures;
  }

  stage(inFeatures: number): Stage {
    return new DropoutStage(inFeatures, this.rate);
  }
}

class DropoutStage implements Stage {
  declare memory: StageMemory;
  readonly inPlace = true;
  readonly readsOutput = false;
  readonly swapsGradients = false;
  /** The number of the next forward pass in training. */
  #pass = 0;

  constructor(
    private readonly features: number,
    private readonly rate: number,
  ) {}

  savedSize(): number {
    return 0;
  }

  workSize(): number {
    return 0;
  }

  forward(rows: number, training: boolean): void {
    const { kernels, input, output } = this.memory;
    const n = rows * this.features;
    if (training) this.#mask(output, input, n, this.#pass++);
    else if (output !== input) kernels.scale(output, input, n, 1);
  }

  backward(rows: number): void {
    const { dOutput, dInput } = this.memory;
    if (dInput !== 0) this.#mask(dInput, dOutput, rows * this.features, this.#pass - 1);
  }

  #mask(to: number, from: number, n: number, pass: number): void {
    const { kernels, seed, index } = this.memory;
    dropout(kernels, to, from, n, seed, index, STREAM.dropout, pass, this.rate);
  }
}
