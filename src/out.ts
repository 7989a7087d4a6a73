/**
 * The tensor that takes a function's result. Every function over tensors checks its arguments before it writes anything and
 * throws a SimdgradError then; each takes an `out` for its result and otherwise allocates one. Matrices are rows × columns
 * with one example a row. An `out` may be the input itself where a function says "in place".
 */
import * as check from "./check.js";
import type { Runtime } from "./runtime/runtime.js";
import type { AnyTensor, DType, Tensor } from "./tensor.js";

export interface OutOption<D extends DType = "float32"> {
  /** Takes the result instead of a new tensor. */
  readonly out?: Tensor<D>;
}

/** The tensor that takes a result: `out` if it came and fits, else a new one. */
export function result<D extends DType>(
  operation: string,
  runtime: Runtime,
  out: Tensor<D> | undefined,
  shape: readonly number[],
  dtype: D,
): Tensor<D> {
  if (out === undefined) return runtime.empty(operation, shape, dtype);
  checkOut(operation, runtime, out, shape, dtype);
  return out;
}

export function floatResult(
  operation: string,
  runtime: Runtime,
  out: Tensor | undefined,
  shape: readonly number[],
): Tensor {
  return result(operation, runtime, out, shape, "float32");
}

export function checkOut(
  operation: string,
  runtime: Runtime,
  out: AnyTensor,
  shape: readonly number[],
  dtype: DType = "float32",
  name = "out",
): void {
  check.dtype(operation, name, check.tensor(operation, name, out, runtime), dtype);
  check.shape(operation, name, out, shape, "that is the result's shape");
}

/** Runs `allocate`; when it throws, disposes what was allocated before it. */
export function orRelease<D extends DType>(allocate: () => Tensor<D>, ...before: (Tensor | undefined)[]): Tensor<D> {
  try {
    return allocate();
  } catch (error) {
    for (const tensor of before) tensor?.dispose();
    throw error;
  }
}
