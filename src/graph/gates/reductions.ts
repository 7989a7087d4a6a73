/** Sums and means along dimensions, as gates. */
import * as check from "../../check.js";
import type { Value, Operand } from "../value.js";
import { scale } from "./arithmetic.js";
import { sumTo } from "./broadcasting.js";
import { reshape } from "./shapes.js";

export interface ReductionOptions {
  /** The dimension to reduce, from 0, or from −1 for the last; all of them unless given. */
  readonly axis?: number;
  /** Whether the reduced dimension stays, of size 1. */
  readonly keepDimension?: boolean;
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

/** What remains of a shape, with ones for what is reduced and without. */
function reducedShape(
  operation: string,
  x: Operand,
  options: ReductionOptions,
): { readonly kept: readonly number[]; readonly result: readonly number[]; readonly terms: number } {
  if (typeof x === "number") check.argument(operation, "x", x, "a value or a tensor");
  const { axis, keepDimension = false } = check.options(operation, options);
  check.boolean(operation, "keepDimension", keepDimension);
  const rank = x.shape.length;
  if (axis !== undefined) check.integer(operation, "axis", axis, -rank, rank - 1);
  const reduced = x.shape.map((_, i) => axis === undefined || i === (axis + rank) % rank);
  const kept = x.shape.map((size, i) => (reduced[i] ? 1 : size));
  const rest = kept.filter((_, i) => !reduced[i]);
  const terms = x.shape.reduce((product, size, i) => (reduced[i] ? product * size : product), 1);
  return { kept, result: keepDimension ? kept : rest.length > 0 ? rest : [1], terms };
}

/** The mean of each column of a matrix, 1 × columns. */
export function columnMeans(x: Operand): Value {
  return mean(x, { axis: 0, keepDimension: true });
}
