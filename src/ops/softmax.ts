/** Softmax and log-softmax over the rows of a matrix, and their backward passes. */
import * as check from "../check.js";
import { floatResult, type OutOption } from "../out.js";
import type { Tensor } from "../tensor.js";

/** y ← kernel(x) by rows; in place. */
function rowwise(operation: "softmax" | "logSoftmax", x: Tensor, options: OutOption): Tensor {
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  const [rows, cols] = x.shape as [number, number];
  const y = floatResult(operation, runtime, check.options(operation, options).out, x.shape);
  check.apartOrSame(operation, "out", y, "x", x);
  runtime.kernels[operation](y.pointer, x.pointer, rows, cols, cols, cols, 0, rows);
  return y;
}

/** dx ← kernel(y, dy) by rows; in place on either. */
function rowwiseBackward(
  operation: "softmaxBackward" | "logSoftmaxBackward",
  y: Tensor,
  dy: Tensor,
  options: OutOption,
): Tensor {
  const runtime = check.runtimeOf(operation, "y", y);
  check.matrix(operation, "y", y, runtime);
  check.floats(operation, "dy", dy, runtime);
  check.shape(operation, "dy", dy, y.shape, "it must have the shape of y");
  const [rows, cols] = y.shape as [number, number];
  const dx = floatResult(operation, runtime, check.options(operation, options).out, y.shape);
  check.apartOrSame(operation, "out", dx, "y", y);
  check.apartOrSame(operation, "out", dx, "dy", dy);
  runtime.kernels[operation](dx.pointer, y.pointer, dy.pointer, rows, cols, cols, cols, cols, 0, rows);
  return dx;
}

/** exp(x) / Σ exp(x) by rows of a matrix, stable for values of any finite size; in place. */
export function softmax(x: Tensor, options: OutOption = {}): Tensor {
  return rowwise("softmax", x, options);
}

/** dx = y · (dy − Σ y · dy) by rows, where y = softmax(x); in place. */
export function softmaxBackward(y: Tensor, dy: Tensor, options: OutOption = {}): Tensor {
  return rowwiseBackward("softmaxBackward", y, dy, options);
}

/** x − ln Σ exp(x) by rows of a matrix, stable for values of any finite size; in place. */
export function logSoftmax(x: Tensor, options: OutOption = {}): Tensor {
  return rowwise("logSoftmax", x, options);
}

/** dx = dy − exp(y) · Σ dy by rows, where y = logSoftmax(x); in place. */
export function logSoftmaxBackward(y: Tensor, dy: Tensor, options: OutOption = {}): Tensor {
  return rowwiseBackward("logSoftmaxBackward", y, dy, options);
}
