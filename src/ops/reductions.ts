/** Sums and maxima along an axis. */
import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { floatResult, result, type OutOption } from "../out.js";
import type { AnyTensor, DType, Tensor } from "../tensor.js";

export interface ColumnSumsOptions extends OutOption {
  /** Adds to what `out` (then required) holds. */
  readonly accumulate?: boolean;
}

/** The sum of each column of x, rows × columns; its error is at most 34 · 2⁻²⁴ Σ|x| of the column. */
export function columnSums(x: Tensor, options: ColumnSumsOptions = {}): Tensor {
  const operation = "columnSums";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  const { out, accumulate = false } = check.options(operation, options);
  check.boolean(operation, "accumulate", accumulate);
  if (accumulate && !out) throw new ArgumentError(`${operation}: accumulate is true but no out came; it adds to out.`);
  const [rows, cols] = x.shape as [number, number];
  const { kernels } = runtime;
  const work = runtime.scratch(operation, kernels.columnSumsWorkSize(cols));
  const sums = floatResult(operation, runtime, out, [cols]);
  check.apart(operation, "out", sums, "x", x);
  kernels.columnSums(sums.pointer, x.pointer, rows, cols, cols, accumulate ? 1 : 0, 0, cols, work);
  return sums;
}

export interface ReductionOptions<D extends DType = "float32"> extends OutOption<D> {
  /** Which dimension to reduce, from 0, or from −1 for the last. */
  readonly axis?: number;
  /** Whether what is reduced stays, with size 1; a result without a dimension has the shape 1. */
  readonly keepDims?: boolean;
}

/** A reduction as matrices: `outer` of them, `length` × `inner`, whose columns are reduced. */
interface Lines {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  /** The shape of the result. */
  readonly shape: readonly number[];
}

/** x along `axis`, or as one line without. */
function linesOf(
  operation: string,
  x: AnyTensor,
  { axis, keepDims = false }: Pick<ReductionOptions, "axis" | "keepDims">,
): Lines {
  check.boolean(operation, "keepDims", keepDims);
  const { shape, size } = x;
  if (axis === undefined) return { outer: 1, length: size, inner: 1, shape: keepDims ? shape.map(() => 1) : [1] };
  const rank = shape.length;
  check.integer(operation, "axis", axis, -rank, rank - 1);
  const at = axis < 0 ? axis + rank : axis;
  const product = (sizes: readonly number[]) => sizes.reduce((all, length) => all * length, 1);
  const [before, after] = [shape.slice(0, at), shape.slice(at + 1)];
  const kept = [...before, ...(keepDims ? [1] : []), ...after];
  return {
    outer: product(before),
    length: shape[at] as number,
    inner: product(after),
    shape: kept.length > 0 ? kept : [1],
  };
}

const KERNELS = {
  sum: ["rowSums", "columnSums"],
  sumOfSquares: ["rowSumsOfSquares", "columnSumsOfSquares"],
  max: ["rowMaxima", "columnMaxima"],
  min: ["rowMinima", "columnMinima"],
} as const;

function reduce(operation: string, kind: keyof typeof KERNELS, x: Tensor, options: ReductionOptions): [Tensor, Lines] {
  const runtime = check.runtimeOf(operation, "x", x);
  check.floats(operation, "x", x, runtime);
  const lines = linesOf(operation, x, check.options(operation, options));
  const y = floatResult(operation, runtime, options.out, lines.shape);
  check.apart(operation, "out", y, "x", x);
  const { outer, length, inner } = lines;
  const [byRows, byColumns] = KERNELS[kind];
  if (inner === 1) {
    runtime.kernels[byRows](y.pointer, x.pointer, outer, length, length, 0, outer);
    return [y, lines];
  }
  const { kernels } = runtime;
  const work = runtime.scratch(operation, kernels.columnSumsWorkSize(inner));
  for (let i = 0; i < outer; i++) {
    const [to, from] = [y.pointer + 4 * i * inner, x.pointer + 4 * i * length * inner];
    if (byColumns === "columnSums" || byColumns === "columnSumsOfSquares") {
      kernels[byColumns](to, from, length, inner, inner, 0, 0, inner, work);
    } else kernels[byColumns](to, from, length, inner, inner, 0, inner);
  }
  return [y, lines];
}

/**
 * Σ x along `axis`, or of all elements. Its error is at most 48 · 2⁻²⁴ Σ|x| for all elements and for the last axis, 34 · 2⁻²⁴ Σ|x|
 * along another, however many elements there are.
 */
export function sum(x: Tensor, options: ReductionOptions = {}): Tensor {
  return reduce("sum", "sum", x, options)[0];
}

/** The mean along `axis`, or of all elements: the sum times 1 / n, two roundings more. */
export function mean(x: Tensor, options: ReductionOptions = {}): Tensor {
  const [y, { length }] = reduce("mean", "sum", x, options);
  x.runtime.kernels.scale(y.pointer, y.pointer, y.size, 1 / length);
  return y;
}

/** Σ x² along `axis`, or of all elements, with as many roundings as `sum` has. */
export function sumOfSquares(x: Tensor, options: ReductionOptions = {}): Tensor {
  return reduce("sumOfSquares", "sumOfSquares", x, options)[0];
}

/** The greatest along `axis`, or of all elements; NaN where there is one. */
export function max(x: Tensor, options: ReductionOptions = {}): Tensor {
  return reduce("max", "max", x, options)[0];
}

/** The least along `axis`, or of all elements; NaN where there is one. */
export function min(x: Tensor, options: ReductionOptions = {}): Tensor {
  return reduce("min", "min", x, options)[0];
}

/**
 * The place of the first maximum along `axis`, the last by default (so the column of each row's), as int32; NaN counts as the
 * maximum, as in PyTorch.
 */
export function argmax(x: Tensor, options: ReductionOptions<"int32"> = {}): Tensor<"int32"> {
  const operation = "argmax";
  const runtime = check.runtimeOf(operation, "x", x);
  check.floats(operation, "x", x, runtime);
  const { axis = -1, keepDims, out } = check.options(operation, options);
  const { outer, length, inner, shape } = linesOf(operation, x, { axis, ...(keepDims !== undefined && { keepDims }) });
  const index = result(operation, runtime, out, shape, "int32");
  check.apart(operation, "out", index, "x", x);
  const { kernels } = runtime;
  if (inner === 1) {
    kernels.argmaxRows(index.pointer, x.pointer, outer, length, length, 0, outer);
    return index;
  }
  for (let i = 0; i < outer; i++) {
    const from = x.pointer + 4 * i * length * inner;
    kernels.argmaxColumns(index.pointer + 4 * i * inner, from, length, inner, inner, 0, inner);
  }
  return index;
}
