import * as check from "./check.js";
import { ArgumentError } from "./errors.js";
import type { Runtime } from "./runtime/runtime.js";

/** What a tensor's elements are. */
export type DType = "float32" | "int32" | "uint8";

/** The typed array that holds a tensor's elements, by its type. */
export interface ArrayOf {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
}
export type TensorArray = ArrayOf[DType];

/** A tensor of any type; `Tensor` alone means float32. */
export type AnyTensor = Tensor<DType>;

/** Anything that numbers can be copied from. */
export type NumberSource = TensorArray | Float64Array | readonly number[];

/** `Symbol.dispose`, which `using` calls; engines without it get the same key from the registry. */
export const disposeSymbol = ((Symbol as { dispose?: symbol }).dispose ??
  Symbol.for("Symbol.dispose")) as typeof Symbol.dispose;

/** How many elements at each end of a long row are printed. */
const EDGE = 3;
/** Tensors with more elements are printed with their edges only. */
const PRINTED = 1000;

/**
 * The shortest decimal that reads back as the same float32: 0.1 and not 0.10000000149011612.
 * `value` must be a float32; NaN, infinities and −0 print as such.
 */
export function formatFloat32(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value)) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const nearest = value.toExponential(digits - 1);
    if (Math.fround(Number(nearest)) === value) return String(Number(nearest));
    // Above a power of two float32 values lie twice as far apart as below: the next decimal up may read back when the
    // nearest one, below, does not.
    const [mantissa, exponent] = nearest.split("e") as [string, string];
    const step = value < 0 ? -1 : 1;
    const upper = `${String(Number(mantissa.replace(".", "")) + step)}e${String(Number(exponent) - digits + 1)}`;
    if (Math.fround(Number(upper)) === value) return String(Number(upper));
  }
  return String(Number(value.toPrecision(9)));
}

/**
 * An array of numbers in a runtime's memory, row-major. Made by `runtime.tensor`, `runtime.zeros` and the functions.
 * It stays until `dispose`, the end of its `scope`, or the runtime's end; the garbage collector does not release it.
 */
export class Tensor<D extends DType = "float32"> {
  readonly runtime: Runtime;
  /** The sizes of the dimensions, the slowest first: a batch is rows × columns. */
  readonly shape: readonly number[];
  /** The number of elements. */
  readonly size: number;
  readonly dtype: D;
  readonly byteLength: number;
  readonly #pointer: number;
  readonly #owned: boolean;
  #disposed = false;

  /**
   * Wraps memory that is already there; `owned` memory is freed by `dispose`, borrowed memory belongs to a model.
   * @internal
   */
  constructor(runtime: Runtime, pointer: number, shape: readonly number[], dtype: D, owned: boolean) {
    let size = 1;
    for (const length of shape) size *= length;
    this.runtime = runtime;
    this.#pointer = pointer;
    this.shape = Object.freeze([...shape]);
    this.size = size;
    this.dtype = dtype;
    this.byteLength = dtype === "uint8" ? size : size * 4;
    this.#owned = owned;
  }

  /** @internal */
  get [check.TENSOR](): unknown {
    return #pointer in this ? this : undefined;
  }

  /** The address of the first element in `runtime.memory`. Throws DisposedError after `dispose`. */
  get pointer(): number {
    if (this.disposed) check.tensor("Tensor.pointer", "the tensor", this, this.runtime);
    return this.#pointer;
  }

  get disposed(): boolean {
    return this.#disposed || this.runtime.disposed;
  }

  /** A copy of the elements, row by row. */
  toArray(): ArrayOf[D] {
    return this.#view("Tensor.toArray").slice() as ArrayOf[D];
  }

  /** Copies the elements into `target`: a typed array of this tensor's type and size. */
  copyTo(target: ArrayOf[D]): void {
    const view = this.#view("Tensor.copyTo");
    if (check.arrayKind(target) !== check.arrayKind(view)) {
      check.argument("Tensor.copyTo", "target", target, `a ${check.arrayKind(view)}`);
    }
    check.length("Tensor.copyTo", "target", target, this.size, `the tensor is ${check.showShape(this.shape)}`);
    target.set(view);
  }

  /**
   * Copies elements in from an array of this tensor's size, or a tensor of its type and shape. Numbers are rounded to
   * float32; int32 and uint8 tensors take only integers that fit. Returns this tensor.
   */
  from(source: NumberSource | Tensor<D>): this {
    const operation = "Tensor.from";
    const view = this.#view(operation);
    if (check.isTensor(source)) {
      check.tensor(operation, "source", source, this.runtime);
      check.dtype(operation, "source", source, this.dtype);
      check.shape(operation, "source", source, this.shape, "the shapes must be equal");
      const { u8 } = this.runtime.heap;
      u8.copyWithin(this.#pointer, source.pointer, source.pointer + source.byteLength);
      return this;
    }
    checkNumbers(operation, "source", source, this.dtype);
    check.length(operation, "source", source, this.size, `the tensor is ${check.showShape(this.shape)}`);
    view.set(source);
    return this;
  }

  /**
   * Lends a view on the elements to `use`, without a copy, and returns its result. The view dies with the next
   * allocation in this runtime, so it must not leave `use`, which must be synchronous and not allocate.
   */
  withView<T>(use: (view: ArrayOf[D]) => T): T {
    if (typeof use !== "function") check.argument("Tensor.withView", "use", use, "a function");
    return check.synchronous("Tensor.withView", "use", use(this.#view("Tensor.withView")));
  }

  /** Frees the memory. A second call does nothing, nor does a call on a tensor that a model owns. */
  dispose(): void {
    if (!this.#owned || this.disposed) return;
    this.#disposed = true;
    this.runtime.free(this.#pointer);
  }

  [disposeSymbol](): void {
    this.dispose();
  }

  /**
   * Marks a borrowed tensor dead when its owner goes.
   * @internal
   */
  expire(): void {
    this.#disposed = true;
  }

  /** The type, the shape and the elements, each float32 with the fewest digits that read back equal. */
  toString(): string {
    const title = `${this.dtype} ${check.showShape(this.shape)}`;
    return this.disposed ? `${title} (disposed)` : `${title} ${this.#print(this.#view("Tensor.toString"), 0, 0)}`;
  }

  #print(view: TensorArray, dimension: number, offset: number): string {
    if (dimension === this.shape.length) {
      const value = view[offset] as number;
      return this.dtype === "float32" ? formatFloat32(value) : String(value);
    }
    const length = this.shape[dimension] as number;
    let stride = 1;
    for (const inner of this.shape.slice(dimension + 1)) stride *= inner;
    const parts: string[] = [];
    for (let i = 0; i < length; i++) {
      if (this.size > PRINTED && length > 2 * EDGE && i === EDGE) {
        parts.push("…");
        i = length - EDGE;
      }
      parts.push(this.#print(view, dimension + 1, offset + i * stride));
    }
    return `[${parts.join(", ")}]`;
  }

  #view(operation: string): ArrayOf[D] {
    check.tensor(operation, "the tensor", this, this.runtime);
    const { heap } = this.runtime;
    const begin = this.#pointer;
    if (this.dtype === "uint8") return heap.u8.subarray(begin, begin + this.size) as ArrayOf[D];
    const heapView = this.dtype === "int32" ? heap.i32 : heap.f32;
    return heapView.subarray(begin >>> 2, (begin >>> 2) + this.size) as ArrayOf[D];
  }
}

const ARRAYS = ["Float32Array", "Int32Array", "Uint8Array", "Float64Array"];
const RANGES = { int32: [-2147483648, 2147483647], uint8: [0, 255] } as const;

/** An array that a tensor of this type can be filled from. */
export function checkNumbers(operation: string, name: string, source: NumberSource, dtype: DType): void {
  const kind = check.arrayKind(source);
  if (!ARRAYS.includes(kind) && !Array.isArray(source)) {
    check.argument(operation, name, source, `${ARRAYS.join(", ")} or an array of numbers`);
  }
  if (dtype === "float32") {
    for (let i = 0; kind === "" && i < source.length; i++) {
      if (typeof source[i] !== "number") check.argument(operation, `${name}[${String(i)}]`, source[i], "a number");
    }
    return;
  }
  if (kind === (dtype === "int32" ? "Int32Array" : "Uint8Array")) return;
  const [low, high] = RANGES[dtype];
  for (let i = 0; i < source.length; i++) {
    const value = source[i] as number;
    if (!(Number.isInteger(value) && value >= low && value <= high)) {
      throw new ArgumentError(
        `${operation}: ${name}[${String(i)}] is ${check.show(value)}; ${dtype} holds integers from ${String(low)} to ${String(high)}.`,
      );
    }
  }
}
