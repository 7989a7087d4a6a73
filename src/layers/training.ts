/** One training step and one step of evaluation on rows that lie in the plan's buffers. */
import * as check from "../check.js";
import { sumLosses, type Loss } from "../losses.js";
import type { Optimizer } from "../optimizer.js";
import type { Plan } from "./plan.js";

/** The mean loss, and for class labels the share of examples whose largest output is at the label. */
export interface Evaluation {
  readonly loss: number;
  readonly accuracy?: number;
}

/** Sums of losses and hits over batches. */
export class Tally {
  #losses = 0;
  #terms = 0;
  #hits = 0;
  #rows = 0;

  constructor(
    private readonly plan: Plan,
    private readonly loss: Loss,
  ) {}

  /** Counts in the batch of so many rows that was just run, and over how many terms its mean loss runs. */
  add(rows: number, terms: number): void {
    const { plan } = this;
    const { kernels, heap } = plan.runtime;
    this.#losses += sumLosses(heap.f32, plan.losses, rows);
    this.#terms += terms;
    this.#rows += rows;
    if (this.loss.targets !== "labels") return;
    kernels.argmaxRows(plan.predictions, plan.output, rows, plan.outFeatures, plan.outFeatures, 0, rows);
    const { i32 } = heap;
    const predictions = plan.predictions >>> 2;
    const labels = plan.targets >>> 2;
    for (let i = 0; i < rows; i++) if (i32[predictions + i] === i32[labels + i]) this.#hits++;
  }

  result(): Evaluation {
    const loss = this.#losses / this.#terms;
    return this.loss.targets === "labels" ? { loss, accuracy: this.#hits / this.#rows } : { loss };
  }
}

/** Forward, loss, backward and one step of the optimizer. Returns over how many terms the mean loss runs. */
export function trainStep(plan: Plan, loss: Loss, optimizer: Optimizer, rows: number): number {
  plan.forward(rows, true);
  const terms = loss.compute(plan.runtime, plan.lossMemory, rows, plan.outFeatures);
  plan.backward(rows, false);
  optimizer.step();
  return terms;
}

/** Forward in inference, and the losses. Returns over how many terms their mean runs. */
export function evaluateStep(plan: Plan, loss: Loss, rows: number): number {
  plan.forward(rows, false);
  return loss.compute(plan.runtime, plan.lossMemory, rows, plan.outFeatures);
}

export function checkOptimizer(operation: string, optimizer: Optimizer): Optimizer {
  const given = optimizer as Optimizer | undefined | null;
  if (typeof given?.bind !== "function" || typeof given.step !== "function") {
    check.argument(operation, "optimizer", optimizer, "an optimizer, such as new Adam()");
  }
  return optimizer;
}
