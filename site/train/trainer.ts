/** Trains one network in this worker and answers questions about it between the steps. */
import { Sequential, softmax, type EpochLog, type Optimizer, type Runtime } from "../../src/core.js";
import { loadRuntime } from "../runtime.js";
import type { Choices } from "./choices.js";
import type { DataSet, Examples } from "./dataSet.js";
import { Mnist } from "./mnist.js";
import { layersOf, optimizerOf } from "./network.js";
import { decodeWeights, encodeWeights } from "./safetensors.js";
import { ToySet } from "./toys.js";

/** What has happened so far, sent a few times a second. */
export interface Progress {
  /** Examples trained on, the same ones anew in each pass. */
  readonly seen: number;
  /** Examples that have arrived, of `total`. */
  readonly arrived: number;
  readonly total: number;
  /** The mean over the steps since the last progress; NaN before the first step. */
  readonly loss: number;
  /** The share of right answers among `tested` examples that training never sees. */
  readonly accuracy: number;
  readonly tested: number;
  /** Training examples a second. */
  readonly rate: number;
  /** The probability of each class for each of the examples that the page shows, row by row. */
  readonly shown: Float32Array;
}

/** A network ready to train, and what the page needs to show it. */
export interface Created {
  readonly variant: string;
  readonly parameters: number;
  readonly classes: number;
  readonly train: Examples | undefined;
  readonly shown: Examples;
  readonly progress: Progress;
}

/** Milliseconds between two reports, and how many test examples each of them asks. */
const PERIOD = 150;
const TESTED = 1000;

const LOSS = "softmaxCrossEntropy";

interface Run {
  readonly choices: Choices;
  readonly data: DataSet;
  readonly model: Sequential;
  readonly optimizer: Optimizer;
  seen: number;
}

export class Trainer {
  #runtime: Runtime | undefined;
  #run: Run | undefined;
  readonly #mnist = new Mnist();
  #stop = new AbortController();
  /** Resolves when a paused training may go on. */
  #gate: Promise<void> | undefined;
  #open: (() => void) | undefined;

  /** Builds the network with new weights, or with those of a file. */
  async create(choices: Choices, weights?: ArrayBuffer): Promise<Created> {
    this.stop();
    this.#run?.model.dispose();
    this.#run = undefined;
    const runtime = await this.#runtimeOf(choices);
    const data = choices.data === "mnist" ? this.#mnist : new ToySet(runtime, choices.data, choices.seed);
    const layers = layersOf(data.features, data.classes, choices);
    const model = new Sequential(runtime, layers, { seed: choices.seed, maxBatch: Math.max(choices.batchSize, 128) });
    if (weights) decodeWeights(weights, model);
    const run = { choices, data, model, optimizer: optimizerOf(choices), seen: 0 };
    this.#run = run;
    return {
      variant: runtime.variant,
      parameters: model.parameters.reduce((sum, { value }) => sum + value.size, 0),
      classes: data.classes,
      train: data.features === 2 ? await data.train() : undefined,
      shown: await data.shown,
      progress: await this.#progress(run, { loss: NaN, rate: 0 }),
    };
  }

  /** Trains for the chosen number of epochs on top of what was trained before. Resolves when done or stopped. */
  async train(report: (progress: Progress) => unknown): Promise<void> {
    const run = this.#alive();
    const { signal } = (this.#stop = new AbortController());
    const { data, choices } = run;
    const end = run.seen + choices.epochs * data.total;
    const meter = new Meter();
    const pass = async (): Promise<EpochLog[]> => {
      const { x, labels } = await data.train();
      return run.model.fit(x, labels, {
        loss: LOSS,
        optimizer: run.optimizer,
        batchSize: choices.batchSize,
        signal,
        onBatch: async ({ batch, loss }) => {
          const rows = Math.min(choices.batchSize, labels.length - (batch - 1) * choices.batchSize);
          run.seen += rows;
          meter.count(rows, loss);
          if (this.#gate) await meter.excluding(this.#gate);
          if (meter.due) await meter.excluding(this.#progress(run, meter.take()).then(report));
        },
      });
    };
    try {
      while (run.seen < end) {
        await pass();
        if (data.rest > 0) await meter.excluding(new Promise((resolve) => void setTimeout(resolve, data.rest)));
      }
      report(await this.#progress(run, meter.take(), Infinity));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  pause(): void {
    this.#gate ??= new Promise((resolve) => (this.#open = resolve));
  }

  resume(): void {
    this.#open?.();
    this.#gate = undefined;
  }

  /** Ends a training after its running step. */
  stop(): void {
    this.#stop.abort();
    this.resume();
  }

  /** The probability of each class for one example. */
  classify(x: Uint8Array): Float32Array {
    return this.#probabilities(this.#alive(), x);
  }

  /** The weights as a safetensors file, with the choices that its network was built by. */
  save(): ArrayBuffer {
    const { model, choices } = this.#alive();
    return encodeWeights(model, { choices: JSON.stringify(choices) });
  }

  #alive(): Run {
    if (!this.#run) throw new Error("There is no network yet.");
    return this.#run;
  }

  /** The runtime on the chosen binary; another one when the choice changes. */
  async #runtimeOf({ variant }: Choices): Promise<Runtime> {
    if (this.#runtime && (variant === "auto" || variant === this.#runtime.variant)) return this.#runtime;
    this.#runtime?.dispose();
    this.#runtime = await loadRuntime(variant);
    return this.#runtime;
  }

  #probabilities({ model }: Run, x: Examples["x"]): Float32Array {
    const logits = model.predict(x);
    const shape = [logits.length / model.outFeatures, model.outFeatures];
    return model.runtime.scope(() => softmax(model.runtime.tensor(logits, shape)).toArray());
  }

  async #progress(run: Run, { loss, rate }: { loss: number; rate: number }, tested = TESTED): Promise<Progress> {
    const { data, model, seen } = run;
    const test = await data.test();
    const count = Math.min(tested, test.labels.length);
    const { accuracy = NaN } = model.evaluate(
      test.x.subarray(0, count * data.features),
      test.labels.subarray(0, count),
      { loss: LOSS },
    );
    const shown = this.#probabilities(run, (await data.shown).x);
    return { seen, arrived: data.arrived, total: data.total, loss, accuracy, tested: count, rate, shown };
  }
}

/** Averages losses and counts examples a second between two reports. */
class Meter {
  #last = performance.now();
  #rows = 0;
  #losses = 0;
  #steps = 0;
  /** Milliseconds that were not spent on training. */
  #idle = 0;

  count(rows: number, loss: number): void {
    this.#rows += rows;
    this.#losses += loss;
    this.#steps++;
  }

  get due(): boolean {
    return performance.now() - this.#last > PERIOD;
  }

  /** Waits for something that is not training. */
  async excluding(work: Promise<unknown>): Promise<void> {
    const begin = performance.now();
    await work;
    this.#idle += performance.now() - begin;
  }

  /** The figures since the last call. */
  take(): { loss: number; rate: number } {
    const now = performance.now();
    const figures = { loss: this.#losses / this.#steps, rate: (1e3 * this.#rows) / (now - this.#last - this.#idle) };
    this.#last = now;
    this.#rows = this.#losses = this.#steps = this.#idle = 0;
    return figures;
  }
}
