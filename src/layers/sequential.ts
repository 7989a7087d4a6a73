import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { lossOf, sumLosses, type LossChoice } from "../losses.js";
import type { Optimizer } from "../optimizer.js";
import type { NamedTensor, Parameter, ParameterSlab } from "../parameters.js";
import type { Runtime } from "../runtime/runtime.js";
import { disposeSymbol, Tensor } from "../tensor.js";
import { checkBatch, checkInputs, checkTargets, loadInputs, loadTargets, type Inputs, type Targets } from "./data.js";
import { fit, type EpochLog, type FitOptions } from "./fit.js";
import type { Layer } from "./layer.js";
import { lsuv, type LsuvOptions, type LsuvResult } from "./lsuv.js";
import { Plan } from "./plan.js";
import { checkOptimizer, evaluateStep, Tally, trainStep, type Evaluation } from "./training.js";

export interface SequentialOptions {
  /** Of the initial parameters and, unless `fit` says otherwise, of the shuffles. An integer from 0 to 2⁵³ − 1. */
  readonly seed?: number;
  /** The most rows of a training batch. Fewer always work; predict and evaluate go through more in parts. */
  readonly maxBatch?: number;
  /** Whether backward also computes the gradient of the model's input. */
  readonly inputGradient?: boolean;
}

/**
 * Layers one after the other. Building it checks that their features fit, fuses activations into the layers before them,
 * and allocates parameters, gradients and buffers; afterwards a training step allocates nothing.
 */
export class Sequential {
  readonly runtime: Runtime;
  readonly layers: readonly Layer[];
  readonly seed: number;
  readonly #plan: Plan;
  #output: Tensor | undefined;
  #inputGradient: Tensor | undefined;

  constructor(runtime: Runtime, layers: readonly Layer[], options: SequentialOptions = {}) {
    const operation = "Sequential";
    check.runtime(operation, runtime);
    const { seed = 0, maxBatch = 128, inputGradient = false } = check.options(operation, options);
    check.seed(operation, seed);
    check.integer(operation, "maxBatch", maxBatch, 1);
    check.boolean(operation, "inputGradient", inputGradient);
    this.runtime = runtime;
    this.#plan = new Plan(operation, runtime, layers, seed, maxBatch, inputGradient);
    this.#plan.moved = () => {
      this.#expireViews();
    };
    this.layers = Object.freeze([...layers]);
    this.seed = seed;
  }

  get inFeatures(): number {
    return this.#plan.inFeatures;
  }

  get outFeatures(): number {
    return this.#plan.outFeatures;
  }

  get maxBatch(): number {
    return this.#plan.maxBatch;
  }

  get disposed(): boolean {
    return this.#plan.disposed;
  }

  /** The trained parameters with their gradients, in the order of the layers, named like "0.weight". */
  get parameters(): readonly Parameter[] {
    return this.slab.parameters;
  }

  /** What forward passes in training update: running statistics, named like "1.runningMean". */
  get states(): readonly NamedTensor[] {
    return this.slab.states;
  }

  /** The memory of all parameters, which optimizers bind to. */
  get slab(): ParameterSlab {
    return this.#plan.slab;
  }

  /**
   * The outputs for x, rows × outFeatures, before any loss: logits under softmaxCrossEntropy. The tensor is the model's own
   * buffer: valid until its next call. `training` takes batch statistics and readies the model for `backward`.
   */
  forward(x: Inputs, options: { readonly training?: boolean } = {}): Tensor {
    const operation = "Sequential.forward";
    const plan = this.#alive(operation);
    const rows = checkInputs(operation, "x", x, plan);
    checkBatch(operation, rows, plan);
    const training = check.boolean(operation, "training", check.options(operation, options).training ?? false);
    loadInputs(plan, x, 0, rows);
    plan.forward(rows, training);
    this.#output = this.#view(this.#output, plan.output, rows, plan.outFeatures);
    return this.#output;
  }

  /**
   * The gradients of the parameters, frozen ones left out, from dy, the loss's gradient by the outputs of the last `forward`
   * in training and of its shape. They overwrite the last ones, or add to them if told to accumulate. Returns the gradient of the input, in the
   * model's own buffer, if the model was built with inputGradient.
   */
  backward(dy: Tensor, options: { readonly accumulate?: boolean } = {}): Tensor | undefined {
    const operation = "Sequential.backward";
    const plan = this.#alive(operation);
    const rows = plan.trainedRows;
    if (rows === 0) {
      throw new ArgumentError(
        `${operation}: the last forward was none in training; call forward(x, { training: true }).`,
      );
    }
    check.floats(operation, "dy", dy, this.runtime);
    check.shape(operation, "dy", dy, [rows, plan.outFeatures], "the shape of the last forward's outputs");
    const accumulate = check.boolean(operation, "accumulate", check.options(operation, options).accumulate ?? false);
    this.runtime.heapU8.copyWithin(plan.dOutput, dy.pointer, dy.pointer + dy.byteLength);
    plan.backward(rows, accumulate);
    if (plan.dInput === 0) return undefined;
    this.#inputGradient = this.#view(this.#inputGradient, plan.dInput, rows, plan.inFeatures);
    return this.#inputGradient;
  }

  /** The outputs for any number of examples in inference, row by row, as an array of the caller's own. */
  predict(x: Inputs): Float32Array {
    const operation = "Sequential.predict";
    const plan = this.#alive(operation);
    const rows = checkInputs(operation, "x", x, plan);
    const cols = plan.outFeatures;
    const outputs = new Float32Array(rows * cols);
    for (let start = 0; start < rows; start += plan.maxBatch) {
      const count = Math.min(plan.maxBatch, rows - start);
      loadInputs(plan, x, start, count);
      plan.forward(count, false);
      const begin = plan.output >>> 2;
      outputs.set(this.runtime.heapF32.subarray(begin, begin + count * cols), start * cols);
    }
    return outputs;
  }

  /** One step on one batch of at most maxBatch rows: forward, loss, backward, optimizer. Returns the mean loss before it. */
  trainBatch(x: Inputs, y: Targets, options: { readonly loss: LossChoice; readonly optimizer: Optimizer }): number {
    const operation = "Sequential.trainBatch";
    const plan = this.#alive(operation);
    const loss = lossOf(operation, check.options(operation, options).loss, plan.outFeatures);
    const optimizer = checkOptimizer(operation, options.optimizer);
    const rows = checkInputs(operation, "x", x, plan);
    checkBatch(operation, rows, plan);
    checkTargets(operation, y, loss, rows, plan);
    optimizer.bind(plan);
    loadInputs(plan, x, 0, rows);
    loadTargets(plan, y, loss, 0, rows);
    const terms = trainStep(plan, loss, optimizer, rows);
    return sumLosses(this.runtime.heapF32, plan.losses, rows) / terms;
  }

  /** The mean loss, and for class labels the accuracy, over any number of examples in inference. */
  evaluate(x: Inputs, y: Targets, options: { readonly loss: LossChoice; readonly batchSize?: number }): Evaluation {
    const operation = "Sequential.evaluate";
    const plan = this.#alive(operation);
    const loss = lossOf(operation, check.options(operation, options).loss, plan.outFeatures);
    const wanted = check.integer(operation, "batchSize", options.batchSize ?? plan.maxBatch, 1);
    const rows = checkInputs(operation, "x", x, plan);
    checkTargets(operation, y, loss, rows, plan);
    const batchSize = Math.min(wanted, plan.maxBatch);
    const tally = new Tally(plan, loss);
    for (let start = 0; start < rows; start += batchSize) {
      const count = Math.min(batchSize, rows - start);
      loadInputs(plan, x, start, count);
      loadTargets(plan, y, loss, start, count);
      tally.add(count, evaluateStep(plan, loss, count));
    }
    return tally.result();
  }

  /**
   * Trains on all of x and y, `epochs` times, in batches. The data is copied into the runtime's memory once, bytes as bytes.
   * Gives the event loop its turn at least every 16 ms (or after each step, if one takes longer). Resolves to a log of
   * each epoch. Rejects with a SimdgradError for bad arguments (then nothing has changed), or with the reason of an
   * aborted signal, after a whole step.
   */
  async fit(x: Inputs, y: Targets, options: FitOptions): Promise<EpochLog[]> {
    return fit(this.#plan, x, y, options, this.seed);
  }

  /**
   * Initialises the weights of all Dense layers by data: layer-sequential unit variance (Mishkin & Matas 2015). Layer by layer
   * they start orthonormal and are divided by the deviation of the layer's outputs, before any activation, until the variance
   * over the batch x is 1 within `tolerance`. x are examples as for training, at most maxBatch, all passed through as in
   * training; states stay as they are. Returns what each Dense came to.
   */
  lsuv(x: Inputs, options: LsuvOptions = {}): LsuvResult[] {
    const operation = "Sequential.lsuv";
    return lsuv(operation, this.#alive(operation), x, this.seed, options);
  }

  /**
   * Keeps the parameters of these layers, by index, as they are: optimizers and gradient clipping pass them over, and backward
   * computes no gradients of theirs, nor anything before the first layer that is trained: what their gradients hold then means
   * nothing. States, such as running statistics, keep changing in training.
   */
  freeze(...layers: readonly number[]): void {
    this.#setFrozen("Sequential.freeze", layers, true);
  }

  /** Trains these layers again. */
  unfreeze(...layers: readonly number[]): void {
    this.#setFrozen("Sequential.unfreeze", layers, false);
  }

  #setFrozen(operation: string, layers: readonly number[], frozen: boolean): void {
    const plan = this.#alive(operation);
    for (const layer of layers) check.integer(operation, "layer", layer, 0, this.layers.length - 1);
    for (const layer of layers) plan.setFrozen(layer, frozen);
  }

  /** Makes room for batches of up to `maxBatch` rows, more or fewer than before. Parameters and gradients stay. */
  reserve(maxBatch: number): void {
    const operation = "Sequential.reserve";
    const plan = this.#alive(operation);
    if (plan.fitting) throw new ArgumentError(`${operation}: the model is being fitted; await that first.`);
    plan.reserve(operation, maxBatch);
  }

  /** A table of the stages that run, with fused layers in one line, and their parameters. */
  summary(): string {
    const { steps } = this.#alive("Sequential.summary");
    const lines = steps.map(({ index, title, inFeatures, outFeatures, parameters }) => {
      let count = 0;
      for (const { value } of this.parameters.slice(...parameters)) count += value.size;
      const sizes = `${String(inFeatures)} → ${String(outFeatures)}`;
      return `${String(index).padStart(3)}  ${title.padEnd(20)}  ${sizes.padEnd(14)}  ${String(count).padStart(10)}`;
    });
    const total = this.parameters.reduce((sum, { value }) => sum + value.size, 0);
    return [
      `     ${"layer".padEnd(20)}  ${"features".padEnd(14)}  parameters`,
      ...lines,
      `     ${"total".padEnd(20)}  ${"".padEnd(14)}  ${String(total).padStart(10)}`,
    ].join("\n");
  }

  /** Frees parameters, gradients, buffers and the state of bound optimizers. A second call does nothing. */
  dispose(): void {
    this.#expireViews();
    this.#plan.dispose();
  }

  [disposeSymbol](): void {
    this.dispose();
  }

  #alive(operation: string): Plan {
    this.#plan.checkAlive(operation);
    return this.#plan;
  }

  /** A tensor over the model's buffer: the last one if it still fits. */
  #view(last: Tensor | undefined, pointer: number, rows: number, cols: number): Tensor {
    if (last && !last.disposed && last.shape[0] === rows) return last;
    last?.expire();
    return new Tensor(this.runtime, pointer, [rows, cols], "float32", false);
  }

  #expireViews(): void {
    this.#output?.expire();
    this.#inputGradient?.expire();
  }
}
