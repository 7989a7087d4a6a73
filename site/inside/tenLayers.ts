/** The ten-layer experiment: how activations and gradients spread through a deep network before it has learnt anything. */
import {
  BatchNorm,
  Dense,
  glorotUniform,
  heNormal,
  largeNormal,
  orthonormal,
  randomNormal,
  randomWalk,
  Relu,
  Sequential,
  smallNormal,
  Tanh,
  xavierNormal,
  type Initializer,
  type Runtime,
  type Tensor,
} from "../../src/core.js";
import { batchNorm, matmul, relu, tanh, valueAndGrad, type Value } from "../../src/graph.js";
import type { ActivationName, Experiment, InitializationName, Layer } from "./experiment.js";

const LAYERS = 10;
const UNITS = 100;
const EXAMPLES = 1000;

/** All but LSUV, which looks at the examples. */
const INITIALIZERS: Record<Exclude<InitializationName, "lsuv">, () => Initializer> = {
  small: smallNormal,
  large: largeNormal,
  xavier: xavierNormal,
  glorot: glorotUniform,
  he: heNormal,
  orthonormal,
  randomWalk,
};

const ACTIVATIONS: Record<ActivationName, { gate: (x: Value) => Value; layer: () => Relu | Tanh }> = {
  relu: { gate: relu, layer: () => new Relu() },
  tanh: { gate: tanh, layer: () => new Tanh() },
};

/** Activations and the gradients of the weights, layer by layer, for standard normal examples and output gradients. */
export function runTenLayers(runtime: Runtime, choice: Experiment): { activations: Layer[]; gradients: Layer[] } {
  return runtime.scope(() => {
    const normal = (stream: number) => randomNormal(runtime, [EXAMPLES, UNITS], { seed: 1, stream });
    const examples = normal(0);
    const weights = initialize(runtime, choice, examples);
    const gamma = runtime.tensor(new Float32Array(UNITS).fill(1));
    const beta = runtime.zeros([UNITS]);
    const activations: Float32Array[] = [];
    const { gradient } = valueAndGrad((layers: readonly Value[]) => {
      return layers.reduce<Value | Tensor>((h, W) => {
        const z = matmul(h, W, { transposeB: true }); // examples × units
        const y = ACTIVATIONS[choice.activation].gate(choice.batchNorm ? batchNorm(z, gamma, beta) : z);
        activations.push(y.toArray());
        return y;
      }, examples) as Value;
    })(weights, { seed: normal(1) });
    return {
      activations: describe(activations, choice.activation === "tanh" ? [-1, 1] : undefined, 0),
      gradients: describe(
        gradient.map((tensor) => tensor.toArray()),
        undefined,
        LAYERS - 1,
      ),
    };
  });
}

/** The weights of each layer, units × units. */
function initialize(runtime: Runtime, choice: Experiment, examples: Tensor): Tensor[] {
  const { initialization } = choice;
  if (initialization === "lsuv") return lsuv(runtime, choice, examples);
  return Array.from({ length: LAYERS }, (_, stream) => {
    const W = runtime.zeros([UNITS, UNITS]);
    const { pointer, size } = W;
    const sizes = { inFeatures: UNITS, outFeatures: UNITS };
    INITIALIZERS[initialization]()({ runtime, pointer, size, ...sizes, seed: 1, stream });
    return W;
  });
}

/** Those that Sequential's LSUV finds for the same network on these examples. */
function lsuv(runtime: Runtime, { activation, batchNorm }: Experiment, examples: Tensor): Tensor[] {
  const block = () => [
    new Dense(UNITS, UNITS, { bias: false }),
    ...(batchNorm ? [new BatchNorm(UNITS)] : []),
    ACTIVATIONS[activation].layer(),
  ];
  const layers = Array.from({ length: LAYERS }, block).flat();
  const model = new Sequential(runtime, layers, { seed: 1, maxBatch: EXAMPLES });
  model.lsuv(examples);
  const weights = model.parameters.filter(({ name }) => name.endsWith("weight"));
  const copies = weights.map(({ value }) => runtime.tensor(value.toArray(), value.shape));
  model.dispose();
  return copies;
}

const BINS = 31;

/**
 * A histogram of each layer, all on one range so that they compare: four deviations of the layer `reference` unless it is given.
 * What lies beyond counts in the last bins.
 */
function describe(
  layers: readonly Float32Array[],
  range: readonly [number, number] | undefined,
  reference: number,
): Layer[] {
  const deviations = layers.map(deviationOf);
  const reach = 4 * (deviations[reference] as number);
  const negative = layers.some((values) => values.some((value) => value < 0));
  const [low, high] = range ?? [negative ? -reach : 0, reach];
  return layers.map((values, layer) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of values) {
      const bin = Math.floor(((value - low) / (high - low)) * BINS);
      counts[Math.min(Math.max(bin, 0), BINS - 1)]! += 1 / values.length;
    }
    const saturated = values.filter((value) => Math.abs(value) > 0.97).length / values.length;
    return { shares: counts, low, high, deviation: deviations[layer] as number, saturated };
  });
}

function deviationOf(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
