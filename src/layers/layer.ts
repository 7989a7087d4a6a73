import type { ParameterSpec, StateSpec } from "../parameters.js";
import type { Kernels } from "../runtime/kernels.js";

/** Elementwise functions that stand behind a layer, as a layer of their own or fused into the one before. */
export type Activation = "none" | "relu" | "tanh" | "leakyRelu";

/**
 * A description of one step of a model: sizes, parameters and how to run it. It holds no numbers, so the same layer may
 * stand in several models, each with its own parameters.
 */
export interface Layer {
  /** The class's name: "Dense". */
  readonly name: string;
  /** How many features an example must have; undefined where any number will do. */
  readonly inFeatures: number | undefined;
  /** How many features come out for so many that go in. */
  outFeatures(inFeatures: number): number;
  readonly parameters: readonly ParameterSpec[];
  readonly states: readonly StateSpec[];
  /** What this layer is as an activation: the layer before may fuse it. */
  readonly activation: Activation;
  /** Of a leaky ReLU. */
  readonly slope?: number;
  /** The activations that this layer's kernels apply on the way. */
  readonly fuses: readonly Activation[];
  /** The running form, for a model with so many features, and an activation out of `fuses`, with its slope, or "none". */
  stage(inFeatures: number, activation: Activation, slope: number): Stage;
}

/** The addresses that a stage works on; matrices are rows × features, contiguous. */
export interface StageMemory {
  readonly kernels: Kernels;
  /** The model's seed, and the layer's place in the model: what a random stage draws by. */
  readonly seed: number;
  readonly index: number;
  /** In the order of the layer's `parameters`, and likewise their gradients and the layer's `states`. */
  readonly parameters: readonly number[];
  readonly gradients: readonly number[];
  readonly states: readonly number[];
  readonly input: number;
  /** Equal to `input` for a stage that runs in place. */
  readonly output: number;
  /** `savedSize` floats that the forward pass leaves for the backward pass. */
  readonly saved: number;
  /** Where in training the column statistics of the output go, which the stage behind takes; 0 where none does. */
  readonly statistics: number;
  /** Whether in training the stage before leaves the column statistics of the input in `saved`. */
  readonly measured: boolean;
  /** Whether anybody needs the parameters' gradients: not while they are frozen. */
  readonly trained: boolean;
  /** The gradient of the output, which the backward pass may overwrite. */
  readonly dOutput: number;
  /** The gradient of the input; 0 when nobody needs it; equal to `dOutput` unless the stage `swapsGradients`. */
  readonly dInput: number;
  readonly work: number;
}

/** A layer, with the activation fused into it, running on fixed addresses: it allocates nothing. */
export interface Stage {
  /** Set by the model, anew whenever its buffers move. */
  memory: StageMemory;
  /** Whether the output may take the input's place: no pass reads an element of the input after its place is written. */
  readonly inPlace: boolean;
  /** Whether the backward pass reads the output, which then must not be overwritten in place. */
  readonly readsOutput: boolean;
  /** Whether the backward pass needs dInput apart from dOutput, as a product does. */
  readonly swapsGradients: boolean;
  /** Whether it can leave the column statistics of its output while it writes it, or wants those of its input in `saved`. */
  readonly statistics?: "makes" | "takes";
  /** Floats that forward leaves for backward, for a batch of so many rows. */
  savedSize(rows: number): number;
  /** Floats of scratch memory for a batch of so many rows. */
  workSize(kernels: Kernels, rows: number): number;
  forward(rows: number, training: boolean): void;
  /** Writes dInput and, if trained, the parameters' gradients, or adds to the latter. Runs after forward in training with as many rows. */
  backward(rows: number, accumulate: boolean): void;
}
