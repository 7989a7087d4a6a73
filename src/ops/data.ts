/** Rows that are picked, bytes that become floats. */
import * as check from "../check.js";
import { floatResult, result, type OutOption } from "../out.js";
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

/** y[i] = x[index[i]] by rows: x is a float32 or int32 matrix, index an int32 tensor of row numbers. */
export function gatherRows<D extends "float32" | "int32">(
  x: Tensor<D>,
  index: Tensor<"int32">,
  options: OutOption<D> = {},
): Tensor<D> {
  const operation = "gatherRows";
  const runtime = check.runtimeOf(operation, "x", x);
  check.rank(operation, "x", x, 2);
  if ((x as AnyTensor).dtype === "uint8") check.argument(operation, "x", x, "a float32 or int32 tensor");
  check.dtype(operation, "index", check.tensor(operation, "index", index, runtime), "int32");
  check.rank(operation, "index", index, 1);
  const [rows, cols] = x.shape as [number, number];
  const begin = index.pointer >>> 2;
  for (let i = 0; i < index.size; i++) {
    check.integer(operation, `index[${String(i)}]`, runtime.heapI32[begin + i] as number, 0, rows - 1);
  }
  const y = result(operation, runtime, check.options(operation, options).out, [index.size, cols], x.dtype);
  check.apart(operation, "out", y, "x", x);
  check.apart(operation, "out", y, "index", index);
  runtime.kernels.gatherRows(y.pointer, x.pointer, index.pointer, index.size, cols);
  return y;
}
