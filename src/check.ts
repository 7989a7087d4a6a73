/**
 * Every check of what callers pass in. A check throws before anything is written, and its message names the operation,
 * what came and what was expected. Data itself is never judged: NaN and infinities are legal values.
 */
import { ArgumentError, DetachedError, DisposedError, LabelError, RuntimeMismatchError, ShapeError } from "./errors.js";
import type { PackedMatrix } from "./packedMatrix.js";
import type { Runtime } from "./runtime/runtime.js";
import type { AnyTensor, DType } from "./tensor.js";

/** The largest count that a kernel's i32 holds. */
export const MAX_COUNT = 2147483647;

/**
 * Under these keys tensors, packed matrices and runtimes, also those of another copy of this module, give themselves: what
 * only has such a property, or inherits it, is none.
 */
export const TENSOR: unique symbol = Symbol.for("simdgrad.Tensor") as never;
export const PACKED_MATRIX: unique symbol = Symbol.for("simdgrad.PackedMatrix") as never;
export const RUNTIME: unique symbol = Symbol.for("simdgrad.Runtime") as never;

/** A value whose marks can be read. Each is read in a place of its own: one place for all would look every key up anew. */
function isObject(value: unknown): value is Record<symbol, unknown> {
  return typeof value === "object" && value !== null;
}

/** A shape as people write it: 2×3. */
export function showShape(shape: readonly number[]): string {
  return shape.join("×");
}

/** A few words that say what a value is. */
export function show(value: unknown): string {
  if (isTensor(value)) return `a ${value.dtype} tensor ${showShape(value.shape)}`;
  if (isPackedMatrix(value)) return `a packed matrix ${showShape(value.shape)}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (ArrayBuffer.isView(value)) {
    const length = (value as { length?: number }).length ?? value.byteLength;
    return `a ${arrayKind(value)} of ${String(length)}`;
  }
  if (Array.isArray(value)) return `an array of ${String(value.length)}`;
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) {
    return `an object (${(value.constructor as { name?: string } | undefined)?.name ?? "no class"})`;
  }
  if (Object.is(value, -0)) return "-0";
  return String(value);
}

/** "Float32Array", "Uint8Array" …, or "" for what is no typed array; true across realms, unlike instanceof. */
export function arrayKind(value: unknown): string {
  if (!ArrayBuffer.isView(value)) return "";
  return (value as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "";
}

export function isTensor(value: unknown): value is AnyTensor {
  return isObject(value) && value[TENSOR] === value;
}

export function isPackedMatrix(value: unknown): value is PackedMatrix {
  return isObject(value) && value[PACKED_MATRIX] === value;
}

function isRuntime(value: unknown): value is Runtime {
  return isObject(value) && value[RUNTIME] === value;
}

export function argument(operation: string, name: string, value: unknown, expected: string): never {
  throw new ArgumentError(`${operation}: ${name} is ${show(value)}; it must be ${expected}.`);
}

/** An options object, whose fields are checked one by one where they are read. */
export function options<T extends object>(operation: string, value: T, name = "options"): T {
  if (typeof value !== "object" || (value as unknown) === null) argument(operation, name, value, "an object");
  return value;
}

export function integer(operation: string, name: string, value: number, minimum: number, maximum = MAX_COUNT): number {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    argument(operation, name, value, `an integer from ${String(minimum)} to ${String(maximum)}`);
  }
  return value;
}

/** A number that is finite as float32, which is how kernels take it. */
export function finite(operation: string, name: string, value: number): number {
  if (!isFinite32(value)) argument(operation, name, value, "a finite float32");
  return value;
}

/** A rate, deviation or penalty: finite and not negative. */
export function rate(operation: string, name: string, value: number): number {
  if (!isRate(value)) argument(operation, name, value, "a finite float32 of at least 0");
  return value;
}

/** What `rate` lets pass. */
export function isRate(value: number): boolean {
  return isFinite32(value) && value >= 0;
}

/** A limit: finite and above 0, also as float32. */
export function positive(operation: string, name: string, value: number): number {
  if (!(isFinite32(value) && Math.fround(value) > 0)) argument(operation, name, value, "a finite float32 above 0");
  return value;
}

/** A finite number of at least `minimum`, a float32. */
export function atLeast(operation: string, name: string, value: number, minimum: number): number {
  if (!(isFinite32(value) && Math.fround(value) >= minimum)) {
    argument(operation, name, value, `a finite float32 of at least ${String(minimum)}`);
  }
  return value;
}

function isFinite32(value: number): boolean {
  return typeof value === "number" && Number.isFinite(Math.fround(value));
}

/** A number in [0, 1]. */
export function share(operation: string, name: string, value: number): number {
  if (!(typeof value === "number" && value >= 0 && value <= 1))
    argument(operation, name, value, "a number from 0 to 1");
  return value;
}

/** A number in [0, 1), also as float32: a decay, or a part of a data set. */
export function fraction(operation: string, name: string, value: number): number {
  if (!(typeof value === "number" && value >= 0 && Math.fround(value) < 1)) {
    argument(operation, name, value, "a number from 0 to below 1");
  }
  return value;
}

/** What a function that must be synchronous returned: no promise. */
export function synchronous<T>(operation: string, name: string, value: T): T {
  if (typeof (value as { then?: unknown } | null | undefined)?.then === "function") {
    throw new ArgumentError(`${operation}: ${name} returned a promise; it must be synchronous.`);
  }
  return value;
}

export function boolean(operation: string, name: string, value: boolean): boolean {
  if (typeof value !== "boolean") argument(operation, name, value, "true or false");
  return value;
}

export function oneOf<T extends string>(operation: string, name: string, value: T, choices: readonly T[]): T {
  if (!choices.includes(value)) {
    argument(operation, name, value, choices.map((choice) => JSON.stringify(choice)).join(" or "));
  }
  return value;
}

/** A seed: an integer from 0 to 2⁵³ − 1. */
export function seed(operation: string, value: number): number {
  return integer(operation, "seed", value, 0, Number.MAX_SAFE_INTEGER);
}

/** What came for a size, with the elements of an array. */
function showSize(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(show).join(", ")}]` : show(value);
}

/** A shape of positive integers; returns the number of elements. */
export function size(operation: string, shape: readonly number[]): number {
  if (!Array.isArray(shape) || shape.length === 0) argument(operation, "shape", shape, "a non-empty array of sizes");
  let elements = 1;
  for (const length of shape as readonly number[]) {
    if (!Number.isInteger(length) || length < 1) {
      const sizes = Array.from(shape as readonly unknown[], showSize).join("×");
      throw new ShapeError(`${operation}: shape is ${sizes}; every size must be a positive integer.`);
    }
    elements *= length;
  }
  if (elements > MAX_COUNT) {
    throw new ShapeError(
      `${operation}: shape ${showShape(shape)} has ${String(elements)} elements; at most ${String(MAX_COUNT)} fit a tensor.`,
    );
  }
  return elements;
}

export function runtimeAlive(operation: string, runtime: Runtime): void {
  if (runtime.disposed) throw new DisposedError(`${operation}: the runtime is disposed; init() makes a new one.`);
}

/** A live runtime. */
export function runtime(operation: string, value: Runtime): Runtime {
  if (!isRuntime(value)) argument(operation, "runtime", value, "a runtime, from init()");
  runtimeAlive(operation, value);
  return value;
}

/** A live tensor of this runtime. */
export function tensor(operation: string, name: string, value: AnyTensor, runtime: Runtime): AnyTensor {
  if (!isTensor(value)) argument(operation, name, value, "a tensor");
  alive(operation, name, value, runtime);
  return value;
}

/** A live packed matrix of this runtime. */
export function packedMatrix(operation: string, name: string, value: PackedMatrix, runtime: Runtime): PackedMatrix {
  if (!isPackedMatrix(value)) argument(operation, name, value, "a packed matrix, from packMatrix");
  alive(operation, name, value, runtime);
  return value;
}

/** What this runtime holds. */
function alive(operation: string, name: string, value: AnyTensor | PackedMatrix, runtime: Runtime): void {
  if (value.runtime !== runtime) {
    throw new RuntimeMismatchError(
      `${operation}: ${name} (${showShape(value.shape)}) belongs to another runtime; all tensors must come from one.`,
    );
  }
  if (value.disposed) {
    runtimeAlive(operation, runtime);
    throw new DisposedError(`${operation}: ${name} (${showShape(value.shape)}) is disposed; it must be alive.`);
  }
}

/** The runtime of the first tensor of an operation. */
export function runtimeOf(operation: string, name: string, value: AnyTensor): Runtime {
  if (!isTensor(value)) argument(operation, name, value, "a tensor");
  alive(operation, name, value, value.runtime);
  return value.runtime;
}

export function dtype(operation: string, name: string, value: AnyTensor, expected: DType): AnyTensor {
  if (value.dtype !== expected) argument(operation, name, value, `a ${expected} tensor`);
  return value;
}

/** A live float32 tensor of this runtime. */
export function floats(operation: string, name: string, value: AnyTensor, runtime: Runtime): AnyTensor {
  return dtype(operation, name, tensor(operation, name, value, runtime), "float32");
}

export function rank(
  operation: string,
  name: string,
  value: AnyTensor,
  expected: number,
  orElse: number = expected,
): AnyTensor {
  if (value.shape.length !== expected && value.shape.length !== orElse) {
    const ranks = orElse === expected ? String(expected) : `${String(expected)} or ${String(orElse)}`;
    throw new ShapeError(
      `${operation}: ${name} is ${showShape(value.shape)}, of rank ${String(value.shape.length)}; ` +
        `its rank must be ${ranks}.`,
    );
  }
  return value;
}

/** A live float32 matrix of this runtime, or a batch of them: batch × rows × columns. */
export function matrices(operation: string, name: string, value: AnyTensor, runtime: Runtime): AnyTensor {
  return rank(operation, name, floats(operation, name, value, runtime), 2, 3);
}

/** A live float32 matrix of this runtime. */
export function matrix(operation: string, name: string, value: AnyTensor, runtime: Runtime): AnyTensor {
  return rank(operation, name, floats(operation, name, value, runtime), 2);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function shape<T extends AnyTensor | PackedMatrix>(
  operation: string,
  name: string,
  value: T,
  expected: readonly number[],
  rule: string,
): T {
  if (!sameShape(value.shape, expected)) {
    throw new ShapeError(
      `${operation}: ${name} is ${showShape(value.shape)} but must be ${showShape(expected)}: ${rule}.`,
    );
  }
  return value;
}

/** Whether two share memory. */
export function overlap(a: AnyTensor | PackedMatrix, b: AnyTensor | PackedMatrix): boolean {
  return a.pointer < b.pointer + b.byteLength && b.pointer < a.pointer + a.byteLength;
}

/** `out` shares no memory with `input`. */
export function apart(
  operation: string,
  outName: string,
  out: AnyTensor,
  name: string,
  input: AnyTensor | PackedMatrix,
): void {
  if (overlap(out, input)) {
    throw new ArgumentError(`${operation}: ${outName} shares memory with ${name}; it must be apart from it.`);
  }
}

/** `out` is exactly `input` (in place) or shares no memory with it. */
export function apartOrSame(operation: string, outName: string, out: AnyTensor, name: string, input: AnyTensor): void {
  if (out.pointer === input.pointer && out.byteLength === input.byteLength) return;
  apart(operation, outName, out, name, input);
}

/** An array with exactly `expected` elements whose buffer is still attached. */
export function length(
  operation: string,
  name: string,
  value: ArrayLike<number>,
  expected: number,
  rule: string,
): void {
  if (value.length === expected) return;
  attached(operation, name, value);
  throw new ShapeError(
    `${operation}: ${name} has ${String(value.length)} elements but must have ${String(expected)}: ${rule}.`,
  );
}

/** A typed array keeps length 0 after its buffer was transferred; a fresh view on that buffer tells why. */
export function attached(operation: string, name: string, value: ArrayLike<number>): void {
  if (value.length !== 0 || !ArrayBuffer.isView(value)) return;
  try {
    new Uint8Array(value.buffer);
  } catch {
    throw new DetachedError(`${operation}: ${name} is detached (its buffer was transferred); pass a live array.`);
  }
}

/** Integers in 0 … classes − 1. */
export function labels(
  operation: string,
  values: ArrayLike<number>,
  classes: number,
  begin = 0,
  end = values.length,
): void {
  for (let i = begin; i < end; i++) {
    const label = values[i] as number;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new LabelError(
        `${operation}: label ${String(i - begin)} is ${show(label)}; labels must be integers from 0 to ${String(classes - 1)}.`,
      );
    }
  }
}
