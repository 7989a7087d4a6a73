/** Operands of different shapes in one elementwise operation, and the kernels' calls that it takes. */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { floatResult, type OutOption } from "../out.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Tensor } from "../tensor.js";
import { forEachPlace, loopsOf, stridesOf, type Loop } from "./loops.js";

/** A tensor, or one number for all elements. */
export type Operand = Tensor | number;

/**
 * The shape that all shapes broadcast to (as in numpy): counted from the last dimension, sizes are equal, or 1 and repeated; a
 * shape with fewer dimensions has ones before.
 */
export function broadcastShape(
  operation: string,
  names: readonly string[],
  shapes: readonly (readonly number[])[],
): readonly number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, at) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[at - rank + shape.length] ?? 1;
      if (own === 1 || own === size) continue;
      if (size !== 1) throw new ShapeError(`${operation}: ${mismatch(names, shapes)}`);
      size = own;
    }
    return size;
  });
}

function mismatch(names: readonly string[], shapes: readonly (readonly number[])[]): string {
  const [first = "", ...others] = shapes.map((shape, i) => `${String(names[i])} is ${check.showShape(shape)}`);
  return `${first} but ${others.join(" and ")}; counted from the last, sizes must be equal or 1.`;
}

const ONCE: Loop = { size: 1, strides: [] };

/**
 * The calls over a result at `z` of this shape and its inputs: `run` gets the address of the result and of every input, rows
 * and columns, and the strides in the kernels' order: the result's row stride, then row and column stride of every input.
 */
export function forEachMatrix(
  shape: readonly number[],
  inputs: readonly (readonly number[])[],
  addresses: readonly number[],
  run: (addresses: readonly number[], rows: number, cols: number, strides: readonly number[]) => void,
): void {
  const operands = [shape, ...inputs].map((own) => stridesOf(own, shape.length));
  const [columns = ONCE, rows = ONCE, ...outer] = loopsOf(shape, operands);
  const strides = addresses.flatMap((_, i) => {
    const down = rows === ONCE ? (i === 0 ? columns.size : 0) : (rows.strides[i] as number);
    return i === 0 ? [down] : [down, columns.strides[i] ?? 0];
  });
  forEachPlace(outer, addresses, (at) => {
    run(at, rows.size, columns.size, strides);
  });
}

/** result ← kernel(operands), each broadcast to the result's shape; in place on operands of that shape. */
export function broadcast(
  operation: string,
  kernel:
    "add" | "multiply" | "divide" | "minimum" | "maximum" | "equal" | "notEqual" | "less" | "lessEqual" | "select",
  operands: Readonly<Record<string, Operand>>,
  options: OutOption,
  ...scalars: number[]
): Tensor {
  const names = Object.keys(operands);
  const values = Object.values(operands);
  const runtime = runtimeOf(operation, names, values);
  values.forEach((value, i) => {
    if (typeof value !== "number") check.floats(operation, names[i] as string, value, runtime);
  });
  const shapes = values.map((value) => (typeof value === "number" ? [] : value.shape));
  const shape = broadcastShape(operation, names, shapes);
  const scratch = runtime.scratch(operation, values.length);
  const z = floatResult(operation, runtime, check.options(operation, options).out, shape);
  values.forEach((value, i) => {
    if (typeof value !== "number") check.apartOrSame(operation, "out", z, names[i] as string, value);
  });
  const pointers = values.map((value, i) => {
    if (typeof value !== "number") return value.pointer;
    runtime.heapF32[(scratch >>> 2) + i] = value;
    return scratch + 4 * i;
  });
  const run: (...values: number[]) => void = runtime.kernels[kernel];
  forEachMatrix(shape, shapes, [z.pointer, ...pointers], (addresses, rows, cols, strides) => {
    run(...addresses, rows, cols, ...strides, ...scalars);
  });
  return z;
}

/** The runtime of the first tensor among the operands. */
function runtimeOf(operation: string, names: readonly string[], values: readonly Operand[]): Runtime {
  const first = values.findIndex((value) => typeof value !== "number");
  if (first < 0) throw new ArgumentError(`${operation}: ${names.join(" and ")} are numbers; one must be a tensor.`);
  return check.runtimeOf(operation, names[first] as string, values[first] as Tensor);
}
