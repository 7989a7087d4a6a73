/** Sums and maxima along an axis. */
import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { floatResult, result, type OutOption } from "../out.js";
import type { Tensor } from "../tensor.js";

export interface ColumnSumsOptions extends OutOption {
  /** Adds to what `out` (then required) holds. */
  readonly accumulate?: boolean;
}

/** The sum of each column of x, rows × columns. */
export function columnSums(x: Tensor, options: ColumnSumsOptions = {}): Tensor {
  const operation = "columnSums";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  const { out, accumulate = false } = check.options(operation, options);
  check.boolean(operation, "accumulate", accumulate);
  if (accumulate && !out) throw new ArgumentError(`${operation}: accumulate is true but no out came; it adds to out.`);
  const [rows, cols] = x.shape as [number, number];
  const sums = floatResult(operation, runtime, out, [cols]);
  check.apart(operation, "out", sums, "x", x);
  runtime.kernels.columnSums(sums.pointer, x.pointer, rows, cols, cols, accumulate ? 1 : 0, 0, cols);
  return sums;
}

/** The column of each row's first maximum, as int32; NaN counts as the maximum, as in PyTorch. */
export function argmax(x: Tensor, options: OutOption<"int32"> = {}): Tensor<"int32"> {
  const operation = "argmax";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  const [rows, cols] = x.shape as [number, number];
  const index = result(operation, runtime, check.options(operation, options).out, [rows], "int32");
  check.apart(operation, "out", index, "x", x);
  runtime.kernels.argmaxRows(index.pointer, x.pointer, rows, cols, cols, 0, rows);
  return index;
}
