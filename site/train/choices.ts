/** What the form chooses. */
import type { VariantChoice } from "../runtime.js";

export const DATA_SETS = ["mnist", "spirals", "circles", "moons", "checkerboard"] as const;

export type DataSetName = (typeof DATA_SETS)[number];

/** The shape of a network, which its weights depend on. */
export interface Architecture {
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
  readonly activation: "relu" | "leakyRelu" | "tanh" | "sigmoid" | "gelu" | "silu";
  readonly batchNorm: boolean;
  /** The share of each hidden layer's outputs that training drops. */
  readonly dropout: number;
}

/** Everything that a training depends on: the same choices give the same network. */
export interface Choices extends Architecture {
  readonly data: DataSetName;
  readonly optimizer: "adam" | "momentum" | "sgd";
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  readonly variant: VariantChoice;
}
