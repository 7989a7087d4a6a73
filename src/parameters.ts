import { DisposedError } from "./errors.js";
import type { Initializer } from "./initializers.js";
import type { Runtime } from "./runtime/runtime.js";
import { Tensor } from "./tensor.js";

/** Every parameter starts on a cache line: 16 float32. */
const ALIGNMENT = 16;
const aligned = (floats: number): number => Math.ceil(floats / ALIGNMENT) * ALIGNMENT;
const product = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** What a layer asks for: a trained parameter. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay applies: to weights, not to biases, gamma and beta. */
  readonly decay: boolean;
  readonly initializer: Initializer;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** The same in a model: the name with the layer's place before it, "0.weight". */
export interface PlacedSpec extends ParameterSpec {
  readonly layer: number;
}

/** What a layer asks for: values that forward passes update and no gradient reaches. */
export interface StateSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: number;
}

/** A trained parameter and its gradient, as views on the slab. */
export interface Parameter {
  readonly name: string;
  /** The place of its layer in the model, from 0. */
  readonly layer: number;
  readonly value: Tensor;
  readonly gradient: Tensor;
  readonly decay: boolean;
  /** Whether optimizers leave it as it is: Sequential.freeze. */
  readonly frozen: boolean;
}

/** What an optimizer trains: a model. */
export interface Trainable {
  readonly slab: ParameterSlab;
}

/** Values beside the parameters, such as running statistics. */
export interface NamedTensor {
  readonly name: string;
  readonly value: Tensor;
}

/** A contiguous part of the slab, in float32 elements from its start, whose parameters have a property in common. */
export interface SlabRange<Property> {
  readonly offset: number;
  readonly size: number;
  readonly property: Property;
}

/**
 * All parameters of a model in one block: values, gradients in the same order, then states. Parameters with weight decay
 * come first, each half in the order of the layers, so that an optimizer's call covers many of them: see `ranges`. Padding
 * between parameters stays 0.
 */
export class ParameterSlab {
  readonly runtime: Runtime;
  /** Float32 elements of the values, with padding. */
  readonly size: number;
  /** In the order of the layers. */
  readonly parameters: readonly Parameter[];
  readonly states: readonly NamedTensor[];
  /** What is not frozen. Anew whenever a parameter is frozen or unfrozen. */
  trained: readonly SlabRange<true>[];
  /** The address of the values. */
  readonly values: number;
  /** The address of the gradients. */
  readonly gradients: number;
  readonly #twins = new Set<number>();
  #disposed = false;

  constructor(
    operation: string,
    runtime: Runtime,
    specs: readonly PlacedSpec[],
    states: readonly StateSpec[],
    seed: number,
  ) {
    const offsets: number[] = [];
    let size = 0;
    for (const decay of [true, false]) {
      specs.forEach((spec, i) => {
        if (spec.decay !== decay) return;
        offsets[i] = size;
        size += aligned(product(spec.shape));
      });
    }
    let stateSize = 0;
    for (const state of states) stateSize += aligned(product(state.shape));

    const floats = 2 * size + stateSize;
    this.runtime = runtime;
    this.size = size;
    this.values = floats > 0 ? runtime.allocate(floats * 4, operation) : 0;
    this.gradients = this.values + size * 4;
    runtime.heapF32.fill(0, this.values >>> 2, (this.values >>> 2) + floats);

    const view = (pointer: number, shape: readonly number[]) => new Tensor(runtime, pointer, shape, "float32", false);
    this.parameters = specs.map(({ name, layer, shape, decay }, i) => {
      const offset = (offsets[i] as number) * 4;
      return {
        name,
        layer,
        value: view(this.values + offset, shape),
        gradient: view(this.gradients + offset, shape),
        decay,
        frozen: false,
      };
    });
    this.trained = this.#trainedRanges();
    let pointer = this.gradients + size * 4;
    this.states = states.map(({ name, shape, value }) => {
      const state = { name, value: view(pointer, shape) };
      runtime.heapF32.fill(value, pointer >>> 2, (pointer >>> 2) + state.value.size);
      pointer += aligned(state.value.size) * 4;
      return state;
    });
    try {
      specs.forEach(({ initializer, inFeatures, outFeatures }, stream) => {
        const { pointer, size } = (this.parameters[stream] as Parameter).value;
        initializer({ runtime, pointer, size, inFeatures, outFeatures, seed, stream });
      });
    } catch (error) {
      this.dispose(); // an initializer of the caller's own
      throw error;
    }
  }

  /** Maximal ranges of neighbours with the same property (by ===), by address; undefined leaves a parameter out. */
  ranges<Property>(propertyOf: (parameter: Parameter) => Property | undefined): SlabRange<Property>[] {
    const ranges: SlabRange<Property>[] = [];
    const byAddress = [...this.parameters].sort((a, b) => a.value.pointer - b.value.pointer);
    for (const parameter of byAddress) {
      const property = propertyOf(parameter);
      if (property === undefined) continue;
      const offset = (parameter.value.pointer - this.values) / 4;
      const size = aligned(parameter.value.size);
      const last = ranges[ranges.length - 1];
      if (last?.property === property && last.offset + last.size === offset) {
        ranges[ranges.length - 1] = { ...last, size: last.size + size };
      } else {
        ranges.push({ offset, size, property });
      }
    }
    return ranges;
  }

  #trainedRanges(): SlabRange<true>[] {
    return this.ranges(({ frozen }) => (frozen ? undefined : true));
  }

  /** Excepts parameters [begin, end) from training, or takes them in again. */
  setFrozen(begin: number, end: number, frozen: boolean): void {
    for (const parameter of this.parameters.slice(begin, end)) (parameter as { frozen: boolean }).frozen = frozen;
    this.trained = this.#trainedRanges();
  }

  /** Throws DisposedError unless the model is alive. */
  checkAlive(operation: string): void {
    if (this.disposed) throw new DisposedError(`${operation}: the model is disposed; it must be alive.`);
  }

  get disposed(): boolean {
    return this.#disposed || this.runtime.disposed;
  }

  /** `count` zeroed slabs of this size, one after the other, for an optimizer's state; they end with this slab. */
  twins(operation: string, count: number): number {
    this.checkAlive(operation);
    const floats = count * this.size;
    if (floats === 0) return 0;
    const pointer = this.runtime.allocate(floats * 4, operation);
    this.runtime.heapF32.fill(0, pointer >>> 2, (pointer >>> 2) + floats);
    this.#twins.add(pointer);
    return pointer;
  }

  /** Frees what `twins` returned. */
  freeTwins(pointer: number): void {
    if (this.#twins.delete(pointer) && !this.disposed) this.runtime.free(pointer);
  }

  dispose(): void {
    if (this.disposed) return;
    if (this.values > 0) this.runtime.free(this.values);
    for (const pointer of this.#twins) this.runtime.free(pointer);
    this.#disposed = true;
    for (const { value, gradient } of this.parameters) {
      value.expire();
      gradient.expire();
    }
    for (const { value } of this.states) value.expire();
  }
}
