/** Gates that move elements and change none: reshape, transpose, slice, concatenate, gather. */
import * as check from "../../check.js";
import { ShapeError } from "../../errors.js";
import { gatherRows, scatterAddRows, transpose as transposed } from "../../ops/data.js";
import type { Tensor } from "../../tensor.js";
import { Value, type Operand } from "../value.js";

/** The same elements, row by row, in another shape. */
export function reshape(x: Operand, shape: readonly number[]): Value {
  if (x instanceof Value && check.sameShape(x.shape, shape)) return x;
  return Value.apply<readonly [x: Value]>(
    { name: "reshape", forward: ([x]) => reshaped("reshape", x, shape), backward: (dy, [x]) => [reshape(dy, x.shape)] },
    [x],
  );
}

/** A copy in another shape. */
export function reshaped(operation: string, x: Tensor, shape: readonly number[]): Tensor {
  const size = check.size(operation, shape);
  if (size !== x.size) {
    throw new ShapeError(
      `${operation}: x is ${check.showShape(x.shape)}, ${String(x.size)} elements, ` +
        `but shape ${check.showShape(shape)} has ${String(size)}; they must be as many.`,
    );
  }
  const y = x.runtime.empty(operation, shape, "float32");
  x.runtime.heapU8.copyWithin(y.pointer, x.pointer, x.pointer + x.byteLength);
  return y;
}

/** xᵀ of a matrix. */
export function transpose(x: Operand): Value {
  return Value.apply<readonly [x: Value]>(
    { name: "transpose", forward: ([x]) => transposed(x), backward: (dy) => [transpose(dy)] },
    [x],
  );
}

/** y_i = x_(index_i) by rows of a matrix, whose gradient adds up where a row was picked more than once. */
export function gather(x: Operand, index: Tensor<"int32">): Value {
  return Value.apply<readonly [x: Value]>(
    {
      name: "gather",
      forward: ([x]) => gatherRows(x, index),
      backward: (dy, [x]) => [scattered(dy, index, x.shape)],
    },
    [x],
  );
}

/** Zeros of a shape with the rows of x added to those that `index` names: the gradient of gather. */
function scattered(x: Value, index: Tensor<"int32">, shape: readonly number[]): Value {
  return Value.apply<readonly [x: Value]>(
    {
      name: "gather's gradient",
      forward: ([x]) => scatterAddRows(x.runtime.zeros(shape), x, index),
      backward: (dy) => [gather(dy, index)],
    },
    [x],
  );
}

/** The part [begin, end) of x along a dimension, counted from −1 for the last. */
export function slice(x: Operand, axis: number, begin: number, end: number): Value {
  const size = sizeOf("slice", x, axis);
  check.integer("slice", "begin", begin, 0, size - 1);
  check.integer("slice", "end", end, begin + 1, size);
  return Value.apply<readonly [x: Value]>(
    {
      name: "slice",
      forward: ([x]) => {
        const y = x.runtime.empty("slice", withSize(x.shape, axis, end - begin), "float32");
        copySteps(y, 0, x, begin, end - begin, axis);
        return y;
      },
      backward: (dy) => [padded(dy, axis, begin, size)],
    },
    [x],
  );
}

/** x at [begin, …) along a dimension of `size`, with zeros around: the gradient of slice. */
function padded(x: Value, axis: number, begin: number, size: number): Value {
  const length = sizeOf("slice's gradient", x, axis);
  return Value.apply<readonly [x: Value]>(
    {
      name: "slice's gradient",
      forward: ([x]) => {
        const y = x.runtime.zeros(withSize(x.shape, axis, size));
        copySteps(y, begin, x, 0, length, axis);
        return y;
      },
      backward: (dy) => [slice(dy, axis, begin, begin + length)],
    },
    [x],
  );
}

/** Operands one after the other along a dimension; their other sizes must be equal. */
export function concat(parts: readonly Operand[], axis: number): Value {
  const sizes = parts.map((part) => sizeOf("concat", part, axis));
  const begins = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return Value.apply(
    {
      name: "concat",
      forward: (parts) => {
        const [first] = parts as [Tensor];
        const shape = withSize(first.shape, axis, total);
        parts.forEach((part, i) => {
          const fitting = withSize(shape, axis, sizes[i] as number);
          check.shape("concat", `part ${String(i)}`, part, fitting, "only sizes along the dimension may differ");
        });
        const y = first.runtime.empty("concat", shape, "float32");
        parts.forEach((part, i) => copySteps(y, begins[i] as number, part, 0, sizes[i] as number, axis));
        return y;
      },
      backward: (dy, _, __, needs) =>
        begins.map((begin, i) => (needs[i] ? slice(dy, axis, begin, begin + (sizes[i] as number)) : undefined)),
    },
    parts,
  );
}

/** The size of a dimension, counted from −1 for the last. */
function sizeOf(operation: string, x: Operand, axis: number): number {
  if (typeof x === "number") check.argument(operation, "x", x, "a value or a tensor");
  check.integer(operation, "axis", axis, -x.shape.length, x.shape.length - 1);
  return x.shape.at(axis) as number;
}

/** A shape whose dimension, counted from −1 for the last, has another size. */
function withSize(shape: readonly number[], axis: number, size: number): readonly number[] {
  const at = (axis + shape.length) % shape.length;
  return shape.map((length, i) => (i === at ? size : length));
}

/** Copies `length` steps of a dimension, from step `fromBegin` of one tensor to step `toBegin` of another: x · 1, with strides. */
function copySteps(to: Tensor, toBegin: number, from: Tensor, fromBegin: number, length: number, axis: number): void {
  const { runtime } = to;
  const at = (axis + from.shape.length) % from.shape.length;
  const product = (sizes: readonly number[]) => sizes.reduce((elements, size) => elements * size, 1);
  const outer = product(from.shape.slice(0, at));
  const inner = product(from.shape.slice(at + 1));
  const one = runtime.scratch("copy", 1);
  runtime.heapF32[one >>> 2] = 1;
  runtime.kernels.multiply(
    to.pointer + toBegin * inner * 4,
    from.pointer + fromBegin * inner * 4,
    one,
    outer,
    length * inner,
    (to.shape[at] as number) * inner,
    (from.shape[at] as number) * inner,
    1,
    0,
    0,
  );
}
