import * as check from "../check.js";
import { checkNumbers, disposeSymbol, Tensor, type AnyTensor, type DType, type NumberSource } from "../tensor.js";
import type { Variant } from "./features.js";
import type { Kernels } from "./kernels.js";
import type { Heap } from "./memory.js";

/** What a runtime has allocated; all numbers are bytes. */
export interface Statistics {
  /** What tensors, models and optimizers hold. */
  readonly bytesInUse: number;
  /** Scratch memory that the functions share; it grows to the largest need and stays. */
  readonly scratchBytes: number;
  /** What the WebAssembly.Memory has now. */
  readonly memoryBytes: number;
  /** What it may grow to. */
  readonly limit: number;
}

/**
 * Kernels and the memory they work on; owns every tensor and model made in it. Runtimes coexist, their tensors do not
 * mix. Made by `init` or `initSync`.
 */
export class Runtime {
  readonly variant: Variant;
  /** Why it is this variant. */
  readonly reason: string;
  /** Whether the memory is shared with workers. */
  readonly shared: boolean;
  /** The compiled kernels, for `init({ module })` in a worker. */
  readonly module: WebAssembly.Module;
  /** The kernels' raw exports: pointers and counts, unchecked. assembly/index.ts documents them. */
  readonly kernels: Kernels;
  /** The memory's owner, below the tensors. */
  readonly heap: Heap;
  #disposed = false;
  #scope: Set<AnyTensor> | undefined;
  #scratch = 0;
  #scratchBytes = 0;

  /** @internal */
  constructor(
    variant: Variant,
    reason: string,
    shared: boolean,
    module: WebAssembly.Module,
    kernels: Kernels,
    heap: Heap,
  ) {
    this.variant = variant;
    this.reason = reason;
    this.shared = shared;
    this.module = module;
    this.kernels = kernels;
    this.heap = heap;
  }

  /** @internal */
  get [check.RUNTIME](): unknown {
    return #disposed in this ? this : undefined;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  get memory(): WebAssembly.Memory {
    return this.heap.memory;
  }

  /** The whole memory as float32: current at each access, detached by the next growth. Likewise heapI32 and heapU8. */
  get heapF32(): Float32Array {
    return this.heap.f32;
  }

  get heapI32(): Int32Array {
    return this.heap.i32;
  }

  get heapU8(): Uint8Array {
    return this.heap.u8;
  }

  get statistics(): Statistics {
    const { heap } = this;
    return {
      bytesInUse: heap.bytesInUse - this.#scratchBytes,
      scratchBytes: this.#scratchBytes,
      memoryBytes: heap.byteLength,
      limit: heap.limit,
    };
  }

  /**
   * The address of `bytes` uninitialised bytes, 64-byte aligned, until `free`. For direct use of `kernels`; tensors
   * allocate for themselves. Throws OutOfMemoryError, then nothing has changed.
   */
  allocate(bytes: number, operation = "Runtime.allocate"): number {
    check.runtimeAlive(operation, this);
    check.integer(operation, "bytes", bytes, 1, Number.MAX_SAFE_INTEGER);
    return this.heap.allocate(bytes, operation);
  }

  /** Releases what `allocate` returned. */
  free(pointer: number): void {
    check.runtimeAlive("Runtime.free", this);
    this.heap.free(pointer, "Runtime.free");
  }

  /**
   * Memory for one function's temporaries, valid until the next call.
   * @internal
   */
  scratch(operation: string, floats: number): number {
    const bytes = floats * 4;
    if (bytes > this.#scratchBytes) {
      if (this.#scratchBytes > 0) this.heap.free(this.#scratch, operation);
      this.#scratchBytes = 0;
      const before = this.heap.bytesInUse;
      this.#scratch = this.heap.allocate(bytes, operation);
      this.#scratchBytes = this.heap.bytesInUse - before;
    }
    return this.#scratch;
  }

  /**
   * A tensor with uninitialised elements.
   * @internal
   */
  empty<D extends DType>(operation: string, shape: readonly number[], dtype: D): Tensor<D> {
    const size = check.size(operation, shape);
    const pointer = this.allocate(dtype === "uint8" ? size : size * 4, operation);
    const tensor = new Tensor(this, pointer, shape, dtype, true);
    this.#scope?.add(tensor);
    return tensor;
  }

  /**
   * Copies `data` into a new tensor of `shape` (by default one dimension). Float32Array, Float64Array and number[]
   * give float32, Int32Array int32, Uint8Array uint8, unless `dtype` says otherwise.
   */
  tensor<D extends DType>(data: NumberSource, shape: readonly number[], dtype: D): Tensor<D>;
  tensor(data: Int32Array, shape?: readonly number[]): Tensor<"int32">;
  tensor(data: Uint8Array, shape?: readonly number[]): Tensor<"uint8">;
  tensor(data: Float32Array | Float64Array | readonly number[], shape?: readonly number[]): Tensor;
  tensor(data: NumberSource, shape?: readonly number[], dtype?: DType): AnyTensor {
    const operation = "Runtime.tensor";
    check.runtimeAlive(operation, this);
    const kind = check.arrayKind(data);
    dtype ??= kind === "Int32Array" ? "int32" : kind === "Uint8Array" ? "uint8" : "float32";
    check.oneOf(operation, "dtype", dtype, ["float32", "int32", "uint8"]);
    checkNumbers(operation, "data", data, dtype);
    check.attached(operation, "data", data);
    shape ??= [data.length];
    check.length(operation, "data", data, check.size(operation, shape), `the shape is ${check.showShape(shape)}`);
    return this.empty(operation, shape, dtype).from(data);
  }

  /** A tensor of zeros. */
  zeros(shape: readonly number[]): Tensor;
  zeros<D extends DType>(shape: readonly number[], dtype: D): Tensor<D>;
  zeros(shape: readonly number[], dtype: DType = "float32"): AnyTensor {
    const operation = "Runtime.zeros";
    check.runtimeAlive(operation, this);
    check.oneOf(operation, "dtype", dtype, ["float32", "int32", "uint8"]);
    const tensor = this.empty(operation, shape, dtype);
    this.heap.u8.fill(0, tensor.pointer, tensor.pointer + tensor.byteLength);
    return tensor;
  }

  /**
   * Runs `work` and disposes the tensors made inside it, except those it returns: alone, or in arrays and plain objects.
   * They pass to the scope around, if there is one. When `work` throws, all are disposed. It must be synchronous.
   */
  scope<T>(work: () => T): T {
    const operation = "Runtime.scope";
    check.runtimeAlive(operation, this);
    if (typeof work !== "function") check.argument(operation, "work", work, "a function");
    const outer = this.#scope;
    const inner = new Set<AnyTensor>();
    const kept = new Set<AnyTensor>();
    this.#scope = inner;
    try {
      const result = check.synchronous(operation, "work", work());
      collectTensors(result, kept, new Set());
      return result;
    } finally {
      this.#scope = outer;
      for (const tensor of inner) {
        if (kept.has(tensor)) outer?.add(tensor);
        else tensor.dispose();
      }
    }
  }

  /** Ends this runtime: its tensors, models and optimizers throw DisposedError from now on. A second call does nothing. */
  dispose(): void {
    this.#disposed = true;
  }

  [disposeSymbol](): void {
    this.dispose();
  }
}

/** Finds the tensors in a result: itself, or nested in arrays and plain objects. */
function collectTensors(value: unknown, found: Set<AnyTensor>, seen: Set<unknown>): void {
  if (check.isTensor(value)) {
    found.add(value);
    return;
  }
  if (check.isPackedMatrix(value)) {
    found.add(value.panels);
    return;
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  for (const part of Object.values(value)) collectTensors(part, found, seen);
}
