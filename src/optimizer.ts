/** What all optimizers have in common: rates, penalties, groups of parameters with their own, clipping, state. */
import * as check from "./check.js";
import { clipNorm, clipValue, normWork } from "./clipping.js";
import { ArgumentError } from "./errors.js";
import { checkGroups, settingsOf, type GroupSettings, type ParameterGroup } from "./parameterGroups.js";
import type { Parameter, ParameterSlab, Trainable } from "./parameters.js";
import type { Kernels } from "./runtime/kernels.js";
import type { Rate } from "./schedules.js";

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** The step's size, or how it follows from the number of steps before. */
  readonly learningRate?: Rate;
  /** L2: adds weightDecay · w to the gradient of weights, that of ½ weightDecay ‖w‖²; biases, gamma and beta are left out. */
  readonly weightDecay?: number;
  /** L1: adds l1 · sign w to the gradient of weights, that of l1 ‖w‖₁, with sign 0 = 0. */
  readonly l1?: number;
  /** Parameters with a learning rate or penalties of their own; what a group does not say is as above. */
  readonly groups?: readonly ParameterGroup[];
  /** Before each step, scales all gradients so that their common norm is at most this: see clipGradientNorm. */
  readonly clipNorm?: number;
  /** Before each step, brings each gradient within ± this: see clipGradientValue. Not with clipNorm. */
  readonly clipValue?: number;
}

/** What one kernel call updates: a contiguous part of the slab whose parameters have their settings in common. */
export interface Update {
  readonly kernels: Kernels;
  /** Addresses of the part in the values, in the gradients and in the first slab of state. */
  readonly w: number;
  readonly dw: number;
  readonly state: number;
  /** Bytes from a slab of state to the next. */
  readonly stateStride: number;
  readonly size: number;
  readonly settings: GroupSettings;
}

/**
 * Changes a model's parameters by their gradients, one kernel call for all neighbours with the same settings. An optimizer
 * serves one model: `bind` (which training calls) allocates its state beside the model's parameters, where it stays until one
 * of them is disposed.
 */
export abstract class Optimizer {
  /** For messages: the class's name. */
  readonly name: string;
  readonly weightDecay: number;
  readonly l1: number;
  readonly groups: readonly ParameterGroup[];
  readonly clipNorm: number | undefined;
  readonly clipValue: number | undefined;
  #learningRate: Rate = 0;
  #steps = 0;
  #slab: ParameterSlab | undefined;
  #twins = 0;
  #settings: ReadonlyMap<Parameter, GroupSettings> = new Map();
  /** One a kernel call, for what the slab last said is trained. */
  #updates: readonly Update[] = [];
  #trained: ParameterSlab["trained"] | undefined;

  constructor(name: string, options: OptimizerOptions, learningRate: number, weightDecay = 0) {
    const { learningRate: rate = learningRate, clipNorm: norm, clipValue: value } = check.options(name, options);
    this.name = name;
    this.learningRate = rate;
    this.weightDecay = check.rate(name, "weightDecay", options.weightDecay ?? weightDecay);
    this.l1 = check.rate(name, "l1", options.l1 ?? 0);
    this.groups = checkGroups(name, options.groups ?? []);
    if (norm !== undefined) check.positive(name, "clipNorm", norm);
    if (value !== undefined) check.positive(name, "clipValue", value);
    if (norm !== undefined && value !== undefined) {
      throw new ArgumentError(`${name}: clipNorm and clipValue both came; give one of them.`);
    }
    this.clipNorm = norm;
    this.clipValue = value;
  }

  /** How many slabs of state it keeps. */
  protected abstract readonly stateCount: number;
  /** Moves a part of the parameters by a step of size `settings.rate`. */
  protected abstract update(part: Update): void;
  /** Comes before the updates of each step. */
  protected beginStep?(): void;
  /** Prepares the state, which is 0, for a first step. */
  protected reset?(slab: ParameterSlab, state: number): void;

  /** The next step's size. Setting it to a number or a schedule may happen between any steps; groups may have their own. */
  get learningRate(): number {
    return this.#rate("learningRate", this.#learningRate);
  }

  set learningRate(value: Rate) {
    this.#learningRate = typeof value === "function" ? value : check.rate(this.name, "learningRate", value);
  }

  /** What a rate is in the next step. */
  #rate(name: string, rate: Rate): number {
    if (typeof rate === "number") return rate;
    const value = rate(this.#steps);
    if (!check.isRate(value)) check.rate(this.name, `${name}(${String(this.#steps)})`, value);
    return value;
  }

  /** How many steps the bound model has taken. */
  get steps(): number {
    return this.#steps;
  }

  /** Ties this optimizer to a model. Binding it again to that model does nothing; another one throws ArgumentError. */
  bind(model: Trainable): this {
    const slab = (model as Trainable | null | undefined)?.slab;
    if (slab !== undefined && slab === this.#slab) return this;
    const operation = `${this.name}.bind`;
    if (typeof slab?.twins !== "function") check.argument(operation, "model", model, "a model");
    if (this.#slab && !this.#slab.disposed) {
      throw new ArgumentError(`${operation}: this optimizer is bound to another model; make one for each model.`);
    }
    slab.checkAlive(operation);
    this.#settings = settingsOf(operation, slab, this.groups, this);
    if (this.clipNorm !== undefined) normWork(operation, slab); // so that no step allocates
    this.#twins = slab.twins(operation, this.stateCount);
    this.#slab = slab;
    this.#steps = 0;
    this.#trained = undefined;
    this.reset?.(slab, this.#twins);
    return this;
  }

  /** One step: every parameter that is not frozen moves by its gradient. */
  step(): void {
    const slab = this.#slab;
    if (!slab) throw new ArgumentError(`${this.name}.step: no model is bound; call bind(model) first.`);
    if (slab.disposed) slab.checkAlive(`${this.name}.step`);
    if (slab.trained !== this.#trained) this.#cover(slab);
    const updates = this.#updates;
    const rate = this.learningRate;
    for (let i = 0; i < updates.length; i++) {
      const { settings } = updates[i] as Update;
      settings.rate = settings.learningRate === undefined ? rate : this.#rate(settings.name, settings.learningRate);
    }
    if (this.clipNorm !== undefined) clipNorm(this.name, slab, this.clipNorm);
    if (this.clipValue !== undefined) clipValue(slab, this.clipValue);
    this.beginStep?.();
    for (let i = 0; i < updates.length; i++) this.update(updates[i] as Update);
    this.#steps++;
  }

  /** Lays the kernel calls over what is trained now. */
  #cover(slab: ParameterSlab): void {
    this.#trained = slab.trained;
    const ranges = slab.ranges((parameter) => (parameter.frozen ? undefined : this.#settings.get(parameter)));
    this.#updates = ranges.map(({ offset, size, property }) => ({
      kernels: slab.runtime.kernels,
      w: slab.values + offset * 4,
      dw: slab.gradients + offset * 4,
      state: this.#twins + offset * 4,
      stateStride: slab.size * 4,
      size,
      settings: property,
    }));
  }

  /** Frees the state and forgets the model. */
  dispose(): void {
    this.#slab?.freeTwins(this.#twins);
    this.#slab = undefined;
    this.#twins = 0;
    this.#updates = [];
  }
}
