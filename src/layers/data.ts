/** What models take in: checks of examples and targets, and their way into the plan's buffers. */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { checkLabels, type Labels, type Loss } from "../losses.js";
import type { Runtime } from "../runtime/runtime.js";
import { checkNumbers, Tensor, type AnyTensor, type DType, type NumberSource } from "../tensor.js";
import type { Plan } from "./plan.js";

/**
 * Examples × features, row by row. Bytes, in an array or a uint8 tensor, are scaled by 1/255, so that pixels become 0 … 1.
 */
export type Inputs = Float32Array | Uint8Array | Tensor | Tensor<"uint8">;

/**
 * What a model should answer. softmaxCrossEntropy: one class label for each example, an int32 tensor or an array. Other losses:
 * examples × outFeatures values, a float32 tensor or an array.
 */
export type Targets = Labels | Float32Array | Tensor;

/** Pixels to 0 … 1. */
const BYTE_SCALE = 1 / 255;

/** Checks examples against a model's features; returns how many there are. */
export function checkInputs(operation: string, name: string, x: Inputs, plan: Plan): number {
  const features = plan.inFeatures;
  if (check.isTensor(x)) {
    check.tensor(operation, name, x, plan.runtime);
    if ((x as AnyTensor).dtype === "int32") check.argument(operation, name, x, "a float32 or uint8 tensor");
    check.rank(operation, name, x, 2);
    const rows = x.shape[0] as number;
    check.shape(operation, name, x, [rows, features], `the model takes ${String(features)} features`);
    return rows;
  }
  const kind = check.arrayKind(x);
  if (kind !== "Float32Array" && kind !== "Uint8Array") {
    check.argument(operation, name, x, "a Float32Array, a Uint8Array or a tensor");
  }
  check.attached(operation, name, x);
  const rows = x.length / features;
  if (rows === 0 || !Number.isInteger(rows)) {
    throw new ShapeError(
      `${operation}: ${name} has ${String(x.length)} elements; the model takes ${String(features)} features, ` +
        `so it must have a positive multiple of ${String(features)}.`,
    );
  }
  return rows;
}

/** Checks that there is a target of the loss's kind for each of `rows` examples. */
export function checkTargets(operation: string, y: Targets, loss: Loss, rows: number, plan: Plan): void {
  const cols = plan.outFeatures;
  if (loss.targets === "labels") {
    checkLabels(operation, y as Labels, rows, cols, plan.runtime);
    return;
  }
  if (check.isTensor(y)) {
    check.floats(operation, "targets", y, plan.runtime);
    check.shape(operation, "targets", y, [rows, cols], "one row of the model's outputs for each example");
    return;
  }
  if (check.arrayKind(y) !== "Float32Array" && !Array.isArray(y)) {
    check.argument(operation, "targets", y, "a Float32Array, an array of numbers or a float32 tensor");
  }
  checkNumbers(operation, "targets", y, "float32");
  if (y.length === rows * cols) return; // so that a step builds no message
  check.length(operation, "targets", y, rows * cols, `${String(rows)} examples of ${String(cols)} outputs`);
}

/** Checks that the plan's buffers hold so many rows. */
export function checkBatch(operation: string, rows: number, plan: Plan): void {
  if (rows > plan.maxBatch) {
    throw new ArgumentError(
      `${operation}: x has ${String(rows)} rows but the model holds at most ${String(plan.maxBatch)}; ` +
        `call reserve(${String(rows)}) or set maxBatch.`,
    );
  }
}

/** Copies rows [start, start + rows) of checked examples into the plan's input. All rows at once allocates nothing. */
export function loadInputs(plan: Plan, x: Inputs, start: number, rows: number): void {
  const { kernels, heap } = plan.runtime;
  const count = rows * plan.inFeatures;
  const begin = start * plan.inFeatures;
  if (check.isTensor(x)) {
    if (x.dtype === "uint8") kernels.uint8ToFloat32(plan.input, x.pointer + begin, count, BYTE_SCALE, 0);
    else heap.u8.copyWithin(plan.input, x.pointer + begin * 4, x.pointer + (begin + count) * 4);
    return;
  }
  const part = count === x.length ? x : x.subarray(begin, begin + count);
  if (part.BYTES_PER_ELEMENT === 1) {
    heap.u8.set(part, plan.inputBytes);
    kernels.uint8ToFloat32(plan.input, plan.inputBytes, count, BYTE_SCALE, 0);
  } else {
    heap.f32.set(part, plan.input >>> 2);
  }
}

/** Copies rows [start, start + rows) of checked targets into the plan's targets. */
export function loadTargets(plan: Plan, y: Targets, loss: Loss, start: number, rows: number): void {
  const { heap } = plan.runtime;
  const labels = loss.targets === "labels";
  const cols = labels ? 1 : plan.outFeatures;
  const begin = start * cols;
  const end = begin + rows * cols;
  if (check.isTensor(y)) {
    heap.u8.copyWithin(plan.targets, y.pointer + begin * 4, y.pointer + end * 4);
    return;
  }
  const part = end - begin === y.length ? y : y.slice(begin, end);
  (labels ? heap.i32 : heap.f32).set(part, plan.targets >>> 2);
}

/** Copies rows `index[0 … rows)` of resident examples and targets into the plan's buffers. */
export function gatherBatch(plan: Plan, x: AnyTensor, y: AnyTensor, index: number, rows: number): void {
  const { kernels } = plan.runtime;
  const features = plan.inFeatures;
  if (x.dtype === "uint8") {
    kernels.gatherRowsUint8(plan.input, x.pointer, index, rows, features, BYTE_SCALE, 0);
  } else {
    kernels.gatherRows(plan.input, x.pointer, index, rows, features);
  }
  kernels.gatherRows(plan.targets, y.pointer, index, rows, y.shape[1] ?? 1);
}

/** A tensor that no scope releases, with a copy of `data`. */
export function upload<D extends DType>(
  operation: string,
  runtime: Runtime,
  data: NumberSource | AnyTensor,
  shape: readonly number[],
  dtype: D,
): Tensor<D> {
  const size = check.size(operation, shape);
  const pointer = runtime.heap.allocate(dtype === "uint8" ? size : size * 4, operation);
  return new Tensor(runtime, pointer, shape, dtype, true).from(data as NumberSource | Tensor<D>);
}

/** Checked examples as a resident tensor: themselves if they are one, else a copy. */
export function residentInputs(operation: string, plan: Plan, x: Inputs, rows: number): Inputs & AnyTensor {
  if (check.isTensor(x)) return x;
  const shape = [rows, plan.inFeatures];
  if (x.BYTES_PER_ELEMENT === 1) return upload(operation, plan.runtime, x, shape, "uint8");
  return upload(operation, plan.runtime, x, shape, "float32");
}

/** A resident copy of checked targets, so that labels stay in range whatever happens to the original. */
export function residentTargets(
  operation: string,
  plan: Plan,
  y: Targets,
  loss: Loss,
  rows: number,
): Targets & AnyTensor {
  if (loss.targets === "labels") return upload(operation, plan.runtime, y, [rows], "int32");
  return upload(operation, plan.runtime, y, [rows, plan.outFeatures], "float32");
}
