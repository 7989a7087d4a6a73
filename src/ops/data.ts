/** Rows that are picked or added to, transposes, bytes that become floats. */
import * as check from "../check.js";
import { floatResult, result, type OutOption } from "../out.js";
import type { Runtime } from "../runtime/runtime.js";
import type { AnyTensor, Tensor } from "../tensor.js";

/** scale · x + shift as float32, for a uint8 tensor; bytes become 0 … 1 by default. */
export function uint8ToFloat32(
  x: Tensor<"uint8">,
  options: OutOption & { readonly scale?: number; readonly shift?: number } = {},
): Tensor {
  const operation = "uint8ToFloat32";
  const runtime = check.runtimeOf(operation, "x", x);
  check.dtype(operation, "x", x, "uint8");
  const { scale = 1 / 255, shift = 0, out } = check.options(operation, options);
  check.finite(operation, "scale", scale);
  check.finite(operation, "shift", shift);
  const y = floatResult(operation, runtime, out, x.shape);
  check.apart(operation, "out", y, "x", x);
  runtime.kernels.uint8ToFloat32(y.pointer, x.pointer, x.size, scale, shift);
  return y;
}

/** Checks the numbers of rows in an int32 tensor: from 0 to below `rows`. */
function checkIndex(operation: string, runtime: Runtime, index: Tensor<"int32">, rows: number): void {
  check.dtype(operation, "index", check.tensor(operation, "index", index, runtime), "int32");
  check.rank(operation, "index", index, 1);
  const begin = index.pointer >>> 2;
  for (let i = 0; i < index.size; i++) {
    check.integer(operation, `index[${String(i)}]`, runtime.heapI32[begin + i] as number, 0, rows - 1);
  }
}

/** A matrix whose elements take four bytes, so that it is moved alike whatever they are. */
function checkMatrix(operation: string, x: AnyTensor): void {
  check.rank(operation, "x", x, 2);
  if (x.dtype === "uint8") check.argument(operation, "x", x, "a float32 or int32 tensor");
}

/** y[i] = x[index[i]] by rows: x is a float32 or int32 matrix, index an int32 tensor of row numbers. */
export function gatherRows<D extends "float32" | "int32">(
  x: Tensor<D>,
  index: Tensor<"int32">,
  options: OutOption<D> = {},
): Tensor<D> {
  const operation = "gatherRows";
  const runtime = check.runtimeOf(operation, "x", x);
  checkMatrix(operation, x);
  const [rows, cols] = x.shape as [number, number];
  checkIndex(operation, runtime, index, rows);
  const y = result(operation, runtime, check.options(operation, options).out, [index.size, cols], x.dtype);
  check.apart(operation, "out", y, "x", x);
  check.apart(operation, "out", y, "index", index);
  runtime.kernels.gatherRows(y.pointer, x.pointer, index.pointer, index.size, cols);
  return y;
}

/**
 * y[index[i]] += x[i] by rows, one after another from i = 0, so that the bits are always the same: the gradient of
 * gatherRows, and sums of segments. y and x are matrices of as many columns. Returns y.
 */
export function scatterAddRows(y: Tensor, x: Tensor, index: Tensor<"int32">): Tensor {
  const operation = "scatterAddRows";
  const runtime = check.runtimeOf(operation, "y", y);
  check.matrix(operation, "y", y, runtime);
  check.matrix(operation, "x", x, runtime);
  const [rows, cols] = y.shape as [number, number];
  checkIndex(operation, runtime, index, rows);
  check.shape(operation, "x", x, [index.size, cols], "a row for each index, with y's columns");
  check.apart(operation, "y", y, "x", x);
  check.apart(operation, "y", y, "index", index);
  runtime.kernels.scatterAddRows(y.pointer, x.pointer, index.pointer, index.size, cols);
  return y;
}

/** xᵀ of a float32 or int32 matrix. */
export function transpose<D extends "float32" | "int32">(x: Tensor<D>, options: OutOption<D> = {}): Tensor<D> {
  const operation = "transpose";
  const runtime = check.runtimeOf(operation, "x", x);
  checkMatrix(operation, x);
  const [rows, cols] = x.shape as [number, number];
  const y = result(operation, runtime, check.options(operation, options).out, [cols, rows], x.dtype);
  check.apart(operation, "out", y, "x", x);
  runtime.kernels.transpose(y.pointer, x.pointer, rows, cols, rows, cols);
  return y;
}
