/** Sums and means along dimensions, as gates. */
import * as check from "../../check.js";
import { equal } from "../../ops/elementwise.js";
import { max as maximum } from "../../ops/reductions.js";
import { Value, type Operand } from "../value.js";
import { divide, multiply, scale } from "./arithmetic.js";
import { sumTo } from "./broadcasting.js";
import { reshape } from "./shapes.js";

export interface ReductionOptions {
  /** The dimension to reduce, from 0, or from −1 for the last; all of them unless given. */
  readonly axis?: number;
  /** Whether the reduced dimension stays, of size 1. */
  readonly keepDims?: boolean;
}

/** The sum over one dimension, or of all elements: distributes its gradient to each of them. */
export function sum(x: Operand, options: ReductionOptions = {}): Value {
  const shape = reducedShape("sum", x, options);
  return reshape(sumTo(x, shape.kept), shape.result);
}

/** The mean over one dimension, or of all elements: distributes its gradient in equal parts. */
export function mean(x: Operand, options: ReductionOptions = {}): Value {
  const shape = reducedShape("mean", x, options);
  return scale(reshape(sumTo(x, shape.kept), shape.result), 1 / shape.terms);
}

/** The greatest along one dimension, or of all elements: routes its gradient there, in equal parts where several are. */
export function max(x: Operand, options: ReductionOptions = {}): Value {
  const { kept, result } = reducedShape("max", x, options);
  const { axis } = options;
  const greatest = Value.apply<readonly [x: Value]>(
    {
      name: "max",
      forward: ([x]) => maximum(x, { ...(axis !== undefined && { axis }), keepDims: true }),
      backward: (dy, [x], y) => {
        const places = equal(x.tensor, y.tensor);
        const shares = divide(Value.constant(places), sumTo(places, kept));
        return [multiply(dy, shares)];
      },
    },
    [x],
  );
  return reshape(greatest, result);
}

/** What remains of a shape, with ones for what is reduced and without. */
function reducedShape(
  operation: string,
  x: Operand,
  options: ReductionOptions,
): { readonly kept: readonly number[]; readonly result: readonly number[]; readonly terms: number } {
  if (typeof x === "number") check.argument(operation, "x", x, "a value or a tensor");
  const { axis, keepDims = false } = check.options(operation, options);
  check.boolean(operation, "keepDims", keepDims);
  const rank = x.shape.length;
  if (axis !== undefined) check.integer(operation, "axis", axis, -rank, rank - 1);
  const reduced = x.shape.map((_, i) => axis === undefined || i === (axis + rank) % rank);
  const kept = x.shape.map((size, i) => (reduced[i] ? 1 : size));
  const rest = kept.filter((_, i) => !reduced[i]);
  const terms = x.shape.reduce((product, size, i) => (reduced[i] ? product * size : product), 1);
  return { kept, result: keepDims ? kept : rest.length > 0 ? rest : [1], terms };
}

/** The mean of each column of a matrix, 1 × columns. */
export function columnMeans(x: Operand): Value {
  return mean(x, { axis: 0, keepDims: true });
}
