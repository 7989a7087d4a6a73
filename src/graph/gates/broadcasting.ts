/** Broadcasting and the sums that undo it, as gates: each is the gradient of the other. */
import * as check from "../../check.js";
import { ShapeError } from "../../errors.js";
import { broadcastShape } from "../../ops/broadcast.js";
import { multiply } from "../../ops/elementwise.js";
import type { Tensor } from "../../tensor.js";
import { Value, type Operand } from "../value.js";
import { reshaped } from "./shapes.js";

/** x summed over what broadcasting `shape` to x's repeats: the gradient of broadcastTo. */
export function sumTo(x: Operand, shape: readonly number[]): Value {
  if (x instanceof Value && check.sameShape(x.shape, shape)) return x;
  return Value.apply<readonly [x: Value]>(
    { name: "sumTo", forward: ([x]) => sums(x, shape), backward: (dy, [x]) => [broadcastTo(dy, x.shape)] },
    [x],
  );
}

/** x repeated along dimensions that it has not or has as 1, as numpy broadcasts; its gradient adds up what was repeated. */
export function broadcastTo(x: Operand, shape: readonly number[]): Value {
  if (x instanceof Value && check.sameShape(x.shape, shape)) return x;
  return Value.apply<readonly [x: Value]>(
    { name: "broadcastTo", forward: ([x]) => repeated(x, shape), backward: (dy, [x]) => [sumTo(dy, x.shape)] },
    [x],
  );
}

/** x · 1 for ones of that shape. */
function repeated(x: Tensor, shape: readonly number[]): Tensor {
  const { runtime } = x;
  if (!check.sameShape(broadcastShape("broadcastTo", ["x", "shape"], [x.shape, shape]), shape)) {
    throw new ShapeError(
      `broadcastTo: x is ${check.showShape(x.shape)} but shape is ${check.showShape(shape)}; ` +
        `counted from the last, x's sizes must be those of shape or 1.`,
    );
  }
  const ones = runtime.empty("broadcastTo", shape, "float32");
  const begin = ones.pointer >>> 2;
  runtime.heapF32.fill(1, begin, begin + ones.size);
  return multiply(x, ones, { out: ones });
}

/** Σ over the dimensions of x that `shape` has not or has as 1: sums of rows or columns, of neighbouring dimensions at once. */
function sums(x: Tensor, shape: readonly number[]): Tensor {
  const { runtime } = x;
  const steps = reductions(x.shape, shape);
  const widest = Math.max(0, ...steps.map(({ inner }) => inner));
  const work = runtime.scratch("sum", runtime.kernels.columnSumsWorkSize(widest));
  let from = x;
  steps.forEach(({ outer, size, inner }, step) => {
    const to = runtime.empty("sum", step === steps.length - 1 ? shape : [outer * inner], "float32");
    if (inner === 1) runtime.kernels.rowSums(to.pointer, from.pointer, outer, size, size, 0, outer);
    for (let i = 0; inner > 1 && i < outer; i++) {
      const [sum, matrix] = [to.pointer + i * inner * 4, from.pointer + i * size * inner * 4];
      runtime.kernels.columnSums(sum, matrix, size, inner, inner, 0, 0, inner, work);
    }
    if (from !== x) from.dispose();
    from = to;
  });
  return from === x ? reshaped("sum", x, shape) : from;
}

/** A reduction of outer × size × inner elements to outer × inner. */
interface Reduction {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/** The reductions that lead from one shape to another, the slowest dimensions first. */
function reductions(from: readonly number[], to: readonly number[]): readonly Reduction[] {
  const steps: Reduction[] = [];
  let outer = 1;
  let inner = from.reduce((product, size) => product * size, 1);
  let size = 1;
  from.forEach((length, axis) => {
    if (length === 1) return;
    if ((to[axis - from.length + to.length] ?? 1) === 1) {
      size *= length;
      inner /= length;
      return;
    }
    if (size > 1) steps.push({ outer, size, inner });
    size = 1;
    outer *= length;
    inner /= length;
  });
  if (size > 1) steps.push({ outer, size, inner });
  return steps;
}
