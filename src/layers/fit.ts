import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { lossOf, sumLosses, type Loss, type LossChoice } from "../losses.js";
import type { Optimizer } from "../optimizer.js";
import { fillPermutation, STREAM } from "../random.js";
import type { AnyTensor } from "../tensor.js";
import {
  checkInputs,
  checkTargets,
  gatherBatch,
  loadInputs,
  loadTargets,
  residentInputs,
  residentTargets,
  upload,
  type Inputs,
  type Targets,
} from "./data.js";
import type { Plan } from "./plan.js";
import { checkOptimizer, evaluateStep, Tally, trainStep } from "./training.js";

/** What `onBatch` gets after each step. */
export interface BatchLog {
  /** From 1. */
  readonly epoch: number;
  /** From 1. */
  readonly batch: number;
  readonly batches: number;
  /** The batch's mean loss, before its step. */
  readonly loss: number;
}

/** What `onEpoch` gets after each epoch, and `fit` returns. */
export interface EpochLog {
  /** From 1. */
  readonly epoch: number;
  /** The mean loss over the epoch's batches, each before its step. */
  readonly loss: number;
  /** For class labels, the share of hits over the epoch's batches, each before its step. */
  readonly accuracy?: number;
  /** On the validation data, after the epoch, in inference. */
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  /** The time of the training steps, without the validation. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
}

export interface FitOptions {
  readonly loss: LossChoice;
  readonly optimizer: Optimizer;
  /** How often to go through the data. */
  readonly epochs?: number;
  /** Examples a step; the last batch of an epoch takes what is left. */
  readonly batchSize?: number;
  /** Whether to draw a new order for each epoch. */
  readonly shuffle?: boolean;
  /** The seed of the order, by default the model's. The model's n-th epoch ever takes the seed's n-th order. */
  readonly seed?: number;
  /** Examples and targets to evaluate after each epoch. */
  readonly validationData?: readonly [x: Inputs, y: Targets];
  /** Instead: the share of the data, taken from its end, that is evaluated and not trained on. */
  readonly validationSplit?: number;
  /** Called after each step; a promise is awaited. */
  readonly onBatch?: (log: BatchLog) => unknown;
  /** Called after each epoch; a promise is awaited. */
  readonly onEpoch?: (log: EpochLog) => unknown;
  /** Ends the training after the running step; `fit` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The longest that `fit` keeps the event loop waiting, if one step is not longer: a frame at 60 Hz. */
const FRAME_MILLISECONDS = 16;

/** Runs after the event loop has had its turn. */
function nextTask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
  if (setImmediate) return new Promise((resolve) => void setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel(); // unlike setTimeout, not delayed by 4 ms
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Says when the event loop should have its turn. */
class Pacer {
  #resumed = performance.now();
  #last = this.#resumed;

  /** Whether another step as long as the last would keep the event loop waiting too long. */
  due(): boolean {
    const now = performance.now();
    const step = now - this.#last;
    this.#last = now;
    return now + step - this.#resumed > FRAME_MILLISECONDS;
  }

  async pause(): Promise<void> {
    await nextTask();
    this.#resumed = performance.now();
    this.#last = this.#resumed;
  }
}

/** Resident data: rows [begin, end) of x and y. */
interface DataSet {
  readonly x: Inputs & AnyTensor;
  readonly y: Targets & AnyTensor;
  readonly begin: number;
  readonly end: number;
}

/** Sequential.fit: everything is checked and uploaded before the first step. */
export async function fit(
  plan: Plan,
  x: Inputs,
  y: Targets,
  options: FitOptions,
  defaultSeed: number,
): Promise<EpochLog[]> {
  const operation = "Sequential.fit";
  plan.checkAlive(operation);
  if (plan.fitting) throw new ArgumentError(`${operation}: the model is already being fitted; await that first.`);
  const {
    optimizer,
    validationData,
    onBatch,
    onEpoch,
    signal,
    epochs = 1,
    shuffle = true,
  } = check.options(operation, options);
  const loss = lossOf(operation, options.loss, plan.outFeatures);
  checkOptimizer(operation, optimizer);
  check.integer(operation, "epochs", epochs, 1);
  check.boolean(operation, "shuffle", shuffle);
  const seed = check.seed(operation, options.seed ?? defaultSeed);
  for (const [name, callback] of Object.entries({ onBatch, onEpoch })) {
    if (callback !== undefined && typeof callback !== "function")
      check.argument(operation, name, callback, "a function");
  }
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.throwIfAborted !== "function") {
    check.argument(operation, "signal", signal, "an AbortSignal");
  }
  const rows = checkInputs(operation, "x", x, plan);
  checkTargets(operation, y, loss, rows, plan);
  const batchSize = Math.min(check.integer(operation, "batchSize", options.batchSize ?? 128, 1), rows);
  const trained = rows - validationRows(operation, options, rows);
  let otherRows = 0;
  if (validationData !== undefined) {
    if (!Array.isArray(validationData)) check.argument(operation, "validationData", validationData, "an array [x, y]");
    otherRows = checkInputs(operation, "validationData x", validationData[0], plan);
    checkTargets(`${operation}, validationData`, validationData[1], loss, otherRows, plan);
  }
  signal?.throwIfAborted();
  if (batchSize > plan.maxBatch) plan.reserve(operation, batchSize);

  const { runtime } = plan;
  const owned: AnyTensor[] = [];
  const own = <T extends AnyTensor>(tensor: T): T => {
    if (tensor !== x && tensor !== validationData?.[0]) owned.push(tensor);
    return tensor;
  };
  plan.fitting = true;
  try {
    const xs = own(residentInputs(operation, plan, x, rows));
    const ys = own(residentTargets(operation, plan, y, loss, rows));
    let validation: DataSet | undefined = trained < rows ? { x: xs, y: ys, begin: trained, end: rows } : undefined;
    if (validationData) {
      const vx = own(residentInputs(operation, plan, validationData[0], otherRows));
      const vy = own(residentTargets(operation, plan, validationData[1], loss, otherRows));
      validation = { x: vx, y: vy, begin: 0, end: otherRows };
    }
    const order = own(
      upload(
        operation,
        runtime,
        Int32Array.from({ length: trained }, (_, i) => i),
        [trained],
        "int32",
      ),
    );

    optimizer.bind(plan);
    const history: EpochLog[] = [];
    const pacer = new Pacer();
    /** Gives the event loop its turn if it is due; afterwards anything may have been disposed or aborted. */
    const breathe = async () => {
      await pacer.pause();
      plan.checkAlive(operation);
    };
    const batches = Math.ceil(trained / batchSize);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const started = performance.now();
      const stream = plan.epochs++;
      if (shuffle) fillPermutation(runtime.kernels, order.pointer, trained, seed, stream, STREAM.shuffles);
      const tally = new Tally(plan, loss);
      for (let batch = 1; batch <= batches; batch++) {
        const start = (batch - 1) * batchSize;
        const count = Math.min(batchSize, trained - start);
        gatherBatch(plan, xs, ys, order.pointer + start * 4, count);
        const terms = trainStep(plan, loss, optimizer, count);
        tally.add(count, terms);
        if (onBatch) {
          const sum = sumLosses(runtime.heapF32, plan.losses, count);
          await onBatch({ epoch, batch, batches, loss: sum / terms });
          plan.checkAlive(operation);
        }
        if (pacer.due()) await breathe();
        signal?.throwIfAborted();
      }
      const seconds = (performance.now() - started) / 1000;
      const checked = validation && (await evaluate(plan, loss, validation, pacer, breathe, signal));
      const log: EpochLog = {
        epoch,
        ...tally.result(),
        ...(checked && { validationLoss: checked.loss }),
        ...(checked?.accuracy !== undefined && { validationAccuracy: checked.accuracy }),
        seconds,
        samplesPerSecond: trained / seconds,
      };
      history.push(log);
      await onEpoch?.(log);
      plan.checkAlive(operation);
      signal?.throwIfAborted();
    }
    return history;
  } finally {
    plan.fitting = false;
    for (const tensor of owned) tensor.dispose();
  }
}

/** How many rows validationSplit takes off the end. */
function validationRows(operation: string, { validationData, validationSplit = 0 }: FitOptions, rows: number): number {
  check.fraction(operation, "validationSplit", validationSplit);
  if (validationSplit === 0) return 0;
  if (validationData) {
    throw new ArgumentError(`${operation}: both validationData and validationSplit came; give one of them.`);
  }
  const count = Math.floor(rows * validationSplit);
  if (count === 0 || count === rows) {
    throw new ArgumentError(
      `${operation}: validationSplit is ${String(validationSplit)} of ${String(rows)} rows, which is ${String(count)}; ` +
        "training and validation need at least one row each.",
    );
  }
  return count;
}

async function evaluate(
  plan: Plan,
  loss: Loss,
  { x, y, begin, end }: DataSet,
  pacer: Pacer,
  breathe: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<ReturnType<Tally["result"]>> {
  const tally = new Tally(plan, loss);
  for (let start = begin; start < end; start += plan.maxBatch) {
    const count = Math.min(plan.maxBatch, end - start);
    loadInputs(plan, x, start, count);
    loadTargets(plan, y, loss, start, count);
    tally.add(count, evaluateStep(plan, loss, count));
    if (pacer.due()) await breathe();
    signal?.throwIfAborted();
  }
  return tally.result();
}
