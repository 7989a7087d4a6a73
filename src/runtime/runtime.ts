import * as check from "../check.js";
import { ArgumentError, UnsupportedEngineError } from "../errors.js";
import { checkNumbers, disposeSymbol, Tensor, type AnyTensor, type DType, type NumberSource } from "../tensor.js";
import { capabilities, type Variant } from "./features.js";
import {
  checkUnfused,
  isBuffer,
  isModule,
  loadKernels,
  loadKernelsSync,
  type KernelModule,
  type Kernels,
} from "./kernels.js";
import { Heap } from "./memory.js";

const PAGE = 65536;
const GIB = 1073741824;

export interface InitOptions {
  /**
   * "strict": the same bits on every engine and processor. "relaxed": fused multiply-add, faster where the processor
   * has it. "auto" (the default) takes relaxed where one witness multiply-add shows that it fuses, else strict.
   */
  readonly variant?: Variant | "auto";
  /** Bytes that the memory may grow to, at most and by default 4 GiB (1 GiB when shared, which reserves it at once). */
  readonly maximumMemory?: number;
  /** Whether the memory is shared with workers. */
  readonly shared?: boolean;
  /**
   * A compiled module or the bytes of the binary that `variant` (then required) and `shared` name, for engines that
   * forbid compiling at run time or to compile once for many workers. By default the inlined binary is taken.
   */
  readonly module?: KernelModule;
}

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
  /** Whether the memory is shared with workers. */
  readonly shared: boolean;
  /** The kernels' raw exports: pointers and counts, unchecked. assembly/index.ts documents them. */
  readonly kernels: Kernels;
  /** The memory's owner, below the tensors. */
  readonly heap: Heap;
  #disposed = false;
  #scope: Set<AnyTensor> | undefined;
  #scratch = 0;
  #scratchBytes = 0;

  /** @internal */
  constructor(variant: Variant, shared: boolean, kernels: Kernels, heap: Heap) {
    this.variant = variant;
    this.shared = shared;
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
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  for (const part of Object.values(value)) collectTensors(part, found, seen);
}

/** Checks the options against the engine; says which binary on how much memory. */
function plan(operation: string, options: InitOptions): { variant: Variant; shared: boolean; heap: Heap } {
  const { variant = "auto", shared = false, module } = check.options(operation, options);
  check.oneOf(operation, "variant", variant, ["strict", "relaxed", "auto"]);
  check.boolean(operation, "shared", shared);
  const maximumMemory = options.maximumMemory ?? (shared ? GIB : 4 * GIB);
  check.integer(operation, "maximumMemory", maximumMemory, PAGE, 4 * GIB);
  if (module !== undefined) {
    if (variant === "auto") {
      throw new ArgumentError(
        `${operation}: variant is "auto" but a module came; name its variant, strict or relaxed.`,
      );
    }
    if (!isModule(module) && !isBuffer(module)) {
      check.argument(operation, "module", module, "a WebAssembly.Module or its bytes");
    }
  }
  const engine = capabilities();
  if (!engine.recommended) {
    const webAssembly = typeof WebAssembly === "object";
    const missing = webAssembly ? "WebAssembly SIMD" : "WebAssembly";
    throw new UnsupportedEngineError(
      operation,
      missing,
      "take one from 2023 or later (Node 20, Chrome 91, Safari 16.4)",
    );
  }
  if (variant === "relaxed" && !engine.relaxedSimd) {
    throw new UnsupportedEngineError(operation, "relaxed SIMD", 'take variant "strict" or "auto"');
  }
  if (shared && !engine.threads) {
    throw new UnsupportedEngineError(
      operation,
      "shared memory",
      "a page must be cross-origin isolated (COOP and COEP headers), or leave shared out",
    );
  }
  return {
    variant: variant === "auto" ? engine.recommended : variant,
    shared,
    heap: new Heap(operation, maximumMemory, shared),
  };
}

/**
 * Loads the kernels and makes a runtime. Works without configuration in Node, browsers, workers, Deno and Bun: the
 * binaries are part of this module. Rejects with UnsupportedEngineError, which says what is missing, with ArgumentError
 * for wrong options, with OutOfMemoryError when the engine refuses the memory.
 */
export async function init(options: InitOptions = {}): Promise<Runtime> {
  const { variant, shared, heap } = plan("init", options);
  const kernels = await loadKernels("init", variant, shared, heap.memory, options.module);
  if (variant === "strict" && options.module) checkUnfused("init", kernels, heap);
  return new Runtime(variant, shared, kernels, heap);
}

/** As `init`, at once. Browsers' main threads may refuse to compile synchronously: prefer `init` there. */
export function initSync(options: InitOptions = {}): Runtime {
  const { variant, shared, heap } = plan("initSync", options);
  const kernels = loadKernelsSync("initSync", variant, shared, heap.memory, options.module);
  if (variant === "strict" && options.module) checkUnfused("initSync", kernels, heap);
  return new Runtime(variant, shared, kernels, heap);
}
