import * as check from "../check.js";
import { ArgumentError, DisposedError, ShapeError } from "../errors.js";
import type { LossMemory } from "../losses.js";
import { ParameterSlab } from "../parameters.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Activation, Layer, Stage } from "./layer.js";

/** Buffers start on cache lines: 16 float32. */
const ALIGNMENT = 16;

/** One step of the plan: a layer, perhaps with the activation layer behind it, and its sizes. */
interface Step {
  readonly stage: Stage;
  /** Where the layer stands among the model's, and the layers that the step runs: "Dense + Relu". */
  readonly index: number;
  readonly title: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Where the layer's own begin in the slab's parameters and states, and where they end. */
  readonly parameters: readonly [begin: number, end: number];
  readonly states: readonly [begin: number, end: number];
}

/**
 * A model's layers as stages over fixed addresses: fused once, then run without allocating. `reserve` lays out the
 * buffers: each stage's output (activations work in place where nobody reads what they overwrite) and two
 * gradient buffers, which a product's backward pass swaps and every other one updates in place.
 */
export class Plan {
  readonly runtime: Runtime;
  readonly slab: ParameterSlab;
  readonly steps: readonly Step[];
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** The most rows that the buffers hold. */
  maxBatch = 0;
  /** The rows of the last forward pass in training, whose outputs a backward pass needs; 0 when they are gone. */
  trainedRows = 0;
  /** How many epochs `fit` has begun: the stream of the next shuffle. */
  epochs = 0;
  /** Whether `fit` is running. */
  fitting = false;
  /** Called when the buffers have moved, for whoever lent them out. */
  moved: (() => void) | undefined;

  /** Addresses, all rows × features: what goes in, the same as bytes before scaling, what comes out. */
  input = 0;
  inputBytes = 0;
  output = 0;
  /** The gradient of the output, which `backward` starts from and overwrites. */
  dOutput = 0;
  /** The gradient of the input; 0 unless asked for. */
  dInput = 0;
  /** One float32 for each row; targets (int32 labels, or outFeatures float32 a row); the column of the largest output. */
  losses = 0;
  targets = 0;
  predictions = 0;
  /** Where the loss finds and puts its numbers. */
  lossMemory: LossMemory = { losses: 0, dy: 0, y: 0, targets: 0, columns: 0 };

  readonly #stages: readonly Stage[];
  /** Where each stage may write the gradient of its input. */
  readonly #dInputs: number[] = [];
  /** The first stage that backward runs: before it nobody needs a gradient. */
  #firstBackward = 0;
  readonly #inputGradient: boolean;
  readonly #seed: number;
  #buffers = 0;

  constructor(
    operation: string,
    runtime: Runtime,
    layers: readonly Layer[],
    seed: number,
    maxBatch: number,
    inputGradient: boolean,
  ) {
    const { steps, inFeatures, outFeatures } = fuse(operation, layers);
    this.runtime = runtime;
    this.steps = steps;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.#stages = steps.map(({ stage }) => stage);
    this.#inputGradient = inputGradient;
    this.#seed = seed;
    this.#checkBatch(operation, maxBatch);
    const named = <T extends { readonly name: string }>(specs: (layer: Layer) => readonly T[]) =>
      layers.flatMap((layer, i) =>
        specs(layer).map((spec) => ({ ...spec, layer: i, name: `${String(i)}.${spec.name}` })),
      );
    const parameters = named((layer) => layer.parameters);
    const states = named((layer) => layer.states);
    this.slab = new ParameterSlab(operation, runtime, parameters, states, seed);
    try {
      this.reserve(operation, maxBatch);
    } catch (error) {
      this.slab.dispose();
      throw error;
    }
  }

  get disposed(): boolean {
    return this.slab.disposed;
  }

  /** Throws DisposedError unless model and runtime are alive. */
  checkAlive(operation: string): void {
    check.runtimeAlive(operation, this.runtime);
    if (this.disposed) throw new DisposedError(`${operation}: the model is disposed; it must be alive.`);
  }

  /** No buffer may have more elements than a kernel can count. */
  #checkBatch(operation: string, maxBatch: number): void {
    const widest = Math.max(this.inFeatures, ...this.steps.map(({ outFeatures }) => outFeatures));
    check.integer(operation, "maxBatch", maxBatch, 1, Math.floor(check.MAX_COUNT / widest));
  }

  /** Lays out buffers for batches of up to `maxBatch` rows. When memory runs out, the old ones stay. */
  reserve(operation: string, maxBatch: number): void {
    const { kernels, heap } = this.runtime;
    this.#checkBatch(operation, maxBatch);
    let floats = 0;
    const place = (count: number): number => {
      const offset = floats;
      floats += Math.ceil(count / ALIGNMENT) * ALIGNMENT;
      return offset * 4;
    };

    const input = place(maxBatch * this.inFeatures);
    const inputBytes = place(Math.ceil((maxBatch * this.inFeatures) / 4));
    let previous: Stage | undefined;
    let current = input;
    const outputs = this.steps.map(({ stage, outFeatures }) => {
      const inPlace = stage.inPlace && previous !== undefined && !previous.readsOutput;
      if (!inPlace) current = place(maxBatch * outFeatures);
      previous = stage;
      return current;
    });
    const saved = this.#stages.map((stage) => place(stage.savedSize(maxBatch)));
    const gradientSize = Math.max(
      this.#inputGradient ? this.inFeatures : 0,
      ...this.steps.map(({ outFeatures }) => outFeatures),
    );
    const gradients = [place(maxBatch * gradientSize), place(maxBatch * gradientSize)] as const;
    const losses = place(maxBatch);
    const targets = place(maxBatch * this.outFeatures);
    const predictions = place(maxBatch);
    const columns = place(this.outFeatures);
    // Kernels never need less for more rows: what the largest batch takes serves all.
    const work = place(Math.max(...this.#stages.map((stage) => stage.workSize(kernels, maxBatch))));

    const base = heap.allocate(floats * 4, operation);
    if (this.#buffers > 0) heap.free(this.#buffers, operation);
    this.#buffers = base;
    this.maxBatch = maxBatch;
    this.trainedRows = 0;

    const pointers = <T extends { readonly value: { readonly pointer: number } }>(all: readonly T[]) =>
      all.map(({ value }) => value.pointer);
    const values = pointers(this.slab.parameters);
    const valueGradients = this.slab.parameters.map(({ gradient }) => gradient.pointer);
    const states = pointers(this.slab.states);
    let dOutput = gradients[0];
    let dInput = 0;
    for (let i = this.steps.length - 1; i >= 0; i--) {
      const { stage, index, parameters, states: ownStates } = this.steps[i] as Step;
      dInput = dOutput;
      const next = this.#stages[i + 1];
      if (stage.swapsGradients) dInput = dOutput === gradients[0] ? gradients[1] : gradients[0];
      stage.memory = {
        kernels,
        seed: this.#seed,
        index,
        parameters: values.slice(...parameters),
        gradients: valueGradients.slice(...parameters),
        states: states.slice(...ownStates),
        input: base + (i === 0 ? input : (outputs[i - 1] as number)),
        output: base + (outputs[i] as number),
        saved: base + (saved[i] as number),
        statistics: stage.statistics === "makes" && next?.statistics === "takes" ? base + (saved[i + 1] as number) : 0,
        measured: stage.statistics === "takes" && this.#stages[i - 1]?.statistics === "makes",
        dOutput: base + dOutput,
        dInput: base + dInput,
        work: base + work,
        trained: true,
      };
      this.#dInputs[i] = base + dInput;
      dOutput = dInput;
    }
    this.#chooseGradients();
    this.input = base + input;
    this.inputBytes = base + inputBytes;
    this.output = base + (outputs[outputs.length - 1] as number);
    this.dOutput = base + gradients[0];
    this.dInput = this.#inputGradient ? base + dInput : 0;
    this.losses = base + losses;
    this.targets = base + targets;
    this.predictions = base + predictions;
    const { losses: rowLosses, dOutput: dy, output: y, targets: answers } = this;
    this.lossMemory = { losses: rowLosses, dy, y, targets: answers, columns: base + columns };
    this.moved?.();
  }

  /** Excepts the parameters of a layer from training, or takes them in again. */
  setFrozen(layer: number, frozen: boolean): void {
    const step = this.steps.find(({ index }) => index === layer);
    if (!step) return; // fused into the layer before, so it has none
    this.slab.setFrozen(...step.parameters, frozen);
    this.#chooseGradients();
  }

  /** Tells the stages which gradients anybody needs: those of trained parameters, and of what lies behind these. */
  #chooseGradients(): void {
    let needed = this.#inputGradient;
    this.#firstBackward = needed ? 0 : this.steps.length;
    this.steps.forEach(({ stage, parameters }, i) => {
      const trained = this.slab.parameters.slice(...parameters).some(({ frozen }) => !frozen);
      stage.memory = { ...stage.memory, dInput: needed ? (this.#dInputs[i] as number) : 0, trained };
      if (trained && !needed) this.#firstBackward = i;
      needed ||= trained;
    });
  }

  /** output ← the layers applied to `rows` rows of input. */
  forward(rows: number, training: boolean): void {
    this.trainedRows = training ? rows : 0;
    const stages = this.#stages;
    for (let i = 0; i < stages.length; i++) (stages[i] as Stage).forward(rows, training);
  }

  /** The gradients of trained parameters (and dInput, if asked for) from dOutput, after forward in training with as many rows. */
  backward(rows: number, accumulate: boolean): void {
    const stages = this.#stages;
    for (let i = stages.length - 1; i >= this.#firstBackward; i--) (stages[i] as Stage).backward(rows, accumulate);
  }

  dispose(): void {
    if (this.disposed) return;
    if (this.#buffers > 0) this.runtime.heap.free(this.#buffers, "Sequential.dispose");
    this.slab.dispose();
  }
}

/** Checks that the layers fit together and joins activations with the layers before that can apply them. */
function fuse(
  operation: string,
  given: readonly Layer[],
): { steps: readonly Step[]; inFeatures: number; outFeatures: number } {
  if (!Array.isArray(given) || given.length === 0) {
    check.argument(operation, "layers", given, "a non-empty array of layers");
  }
  const layers: readonly Layer[] = given;
  layers.forEach((layer: Layer | undefined | null, i) => {
    if (typeof layer?.stage !== "function") check.argument(operation, `layer ${String(i)}`, layer, "a layer");
  });
  const first = layers[0] as Layer;
  const inFeatures = first.inFeatures;
  if (inFeatures === undefined) {
    throw new ArgumentError(
      `${operation}: layer 0 (${first.name}) takes any number of features; the first layer must fix it, as Dense does.`,
    );
  }
  const steps: Step[] = [];
  let features = inFeatures;
  let [parameters, states] = [0, 0];
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i] as Layer;
    if (layer.inFeatures !== undefined && layer.inFeatures !== features) {
      throw new ShapeError(
        `${operation}: layer ${String(i)} (${layer.name}) takes ${String(layer.inFeatures)} features ` +
          `but layer ${String(i - 1)} (${(layers[i - 1] as Layer).name}) gives ${String(features)}; they must be equal.`,
      );
    }
    const next = layers[i + 1];
    const fused = next !== undefined && layer.fuses.includes(next.activation);
    const activation: Activation = fused ? next.activation : "none";
    const outFeatures = layer.outFeatures(features);
    const [parametersEnd, statesEnd] = [parameters + layer.parameters.length, states + layer.states.length];
    steps.push({
      stage: layer.stage(features, activation, fused ? (next.slope ?? 0) : 0),
      index: i,
      title: fused ? `${layer.name} + ${next.name}` : layer.name,
      inFeatures: features,
      outFeatures,
      parameters: [parameters, parametersEnd],
      states: [states, statesEnd],
    });
    features = outFeatures;
    [parameters, states] = [parametersEnd, statesEnd];
    if (fused) i++;
  }
  return { steps, inFeatures, outFeatures: features };
}
