/** The network and the optimizer that the form describes. */
import {
  Adam,
  BatchNorm,
  Dense,
  Dropout,
  Gelu,
  glorotUniform,
  heNormal,
  LeakyRelu,
  Relu,
  Sgd,
  Sigmoid,
  Silu,
  Tanh,
  type Layer,
  type Optimizer,
} from "../../src/core.js";
import type { Architecture, Choices } from "./choices.js";

const ACTIVATIONS: Record<Architecture["activation"], () => Layer> = {
  relu: () => new Relu(),
  leakyRelu: () => new LeakyRelu(),
  tanh: () => new Tanh(),
  sigmoid: () => new Sigmoid(),
  gelu: () => new Gelu(),
  silu: () => new Silu(),
};

const OPTIMIZERS: Record<Choices["optimizer"], (learningRate: number) => Optimizer> = {
  adam: (learningRate) => new Adam({ learningRate }),
  momentum: (learningRate) => new Sgd({ learningRate, momentum: 0.9 }),
  sgd: (learningRate) => new Sgd({ learningRate }),
};

/** Dense layers with batch norm, activation and dropout behind each hidden one. */
export function layersOf(
  features: number,
  classes: number,
  { hidden, activation, batchNorm, dropout }: Architecture,
): Layer[] {
  // He's deviation is for functions that drop half of their input; the others keep the variance with Glorot's.
  const keepsVariance = activation === "tanh" || activation === "sigmoid";
  const weightInit = keepsVariance ? glorotUniform() : heNormal();
  const widths = [features, ...hidden];
  const blocks = hidden.flatMap((width, i) => [
    new Dense(widths[i] as number, width, { weightInit }),
    ...(batchNorm ? [new BatchNorm(width)] : []),
    ACTIVATIONS[activation](),
    ...(dropout > 0 ? [new Dropout(dropout)] : []),
  ]);
  return [...blocks, new Dense(widths[hidden.length] as number, classes, { weightInit })];
}

export function optimizerOf({ optimizer, learningRate }: Choices): Optimizer {
  return OPTIMIZERS[optimizer](learningRate);
}
