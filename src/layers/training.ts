/** One training step and one step of evaluation on rows that lie in the plan's buffers. */
import * as check from "../check.js";
import { LOSS_NAMES, LOSSES, sumLosses, type LossName } from "../losses.js";
import type { Optimizer } from "../optimizers.js";
import type { Plan } from "./plan.js";

/** The mean loss, and for class labels the share of examples whose largest output is at the label. */
export interface Evaluation {
  readonly loss: number;
  readonly accuracy?: number;
}

/** Sums of losses and hits over batches. */
export class Tally {
  #losses = 0;
  #hits = 0;
  #rows = 0;

  constructor(
    private readonly plan: Plan,
    private readonly loss: LossName,
  ) {}

  /** Counts in the batch of so many rows that was just run. */
  add(rows: number): void {
    const { plan } = this;
    const { kernels, heap } = plan.runtime;
    this.#losses += sumLosses(heap.f32, plan.losses, rows);
    this.#rows += rows;
    if (LOSSES[this.loss].targets !== "labels") return;
    kernels.argmaxRows(plan.predictions, plan.output, rows, plan.outFeatures, plan.outFeatures, 0, rows);
    const { i32 } = heap;
    const predictions = plan.predictions >>> 2;
    const labels = plan.targets >>> 2;
    for (let i = 0; i < rows; i++) if (i32[predictions + i] === i32[labels + i]) this.#hits++;
  }

  result(): Evaluation {
    const loss = this.#losses / LOSSES[this.loss].terms(this.#rows, this.plan.outFeatures);
    return LOSSES[this.loss].targets === "labels" ? { loss, accuracy: this.#hits / this.#rows } : { loss };
  }
}

/** Forward, loss, backward and one step of the optimizer. */
export function trainStep(plan: Plan, loss: LossName, optimizer: Optimizer, rows: number): void {
  const { kernels } = plan.runtime;
  plan.forward(rows, true);
  LOSSES[loss].compute(kernels, plan.losses, plan.dOutput, plan.output, plan.targets, rows, plan.outFeatures);
  plan.backward(rows, false);
  optimizer.step();
}

/** Forward in inference, and the losses. */
export function evaluateStep(plan: Plan, loss: LossName, rows: number): void {
  const { kernels } = plan.runtime;
  plan.forward(rows, false);
  LOSSES[loss].compute(kernels, plan.losses, plan.dOutput, plan.output, plan.targets, rows, plan.outFeatures);
}

export function checkLoss(operation: string, loss: LossName): LossName {
  return check.oneOf(operation, "loss", loss, LOSS_NAMES);
}

export function checkOptimizer(operation: string, optimizer: Optimizer): Optimizer {
  const given = optimizer as Optimizer | undefined | null;
  if (typeof given?.bind !== "function" || typeof given.step !== "function") {
    check.argument(operation, "optimizer", optimizer, "an optimizer, such as new Adam()");
  }
  return optimizer;
}
