/** Sums, means and extremes along axes. */
import { util, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Kernels } from "../../index.js";
import type { SimdgradBackend } from "./backend.js";
import { areFloats, inputsOf, type Kernel } from "./kernel.js";

/** A reduction of matrices, of each row or of each column. */
interface Reduction {
  readonly rows: (kernels: Kernels, out: number, x: number, rows: number, columns: number) => void;
  readonly columns: (kernels: Kernels, out: number, x: number, rows: number, columns: number, work: number) => void;
}

export const SUM: Reduction = {
  rows: ({ rowSums }, out, x, rows, columns) => {
    rowSums(out, x, rows, columns, columns, 0, rows);
  },
  columns: ({ columnSums }, out, x, rows, columns, work) => {
    columnSums(out, x, rows, columns, columns, 0, 0, columns, work);
  },
};

export const MAX: Reduction = {
  rows: ({ rowMaxima }, out, x, rows, columns) => {
    rowMaxima(out, x, rows, columns, columns, 0, rows);
  },
  columns: ({ columnMaxima }, out, x, rows, columns) => {
    columnMaxima(out, x, rows, columns, columns, 0, columns);
  },
};

export const MIN: Reduction = {
  rows: ({ rowMinima }, out, x, rows, columns) => {
    rowMinima(out, x, rows, columns, columns, 0, rows);
  },
  columns: ({ columnMinima }, out, x, rows, columns) => {
    columnMinima(out, x, rows, columns, columns, 0, columns);
  },
};

interface Axes {
  readonly axis?: number | number[] | null;
  /** The name that Max has for `axis`. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

/** The elements of x along some axes reduced to one; their mean if the reduction is a sum and `isMean`. */
export function reduction(reduce: Reduction, isMean = false): Kernel {
  return (call) => {
    const { x } = inputsOf(call) as { x: TensorInfo };
    const { axis, reductionIndices, keepDims } = call.attrs as Axes;
    const { backend } = call;
    if (!areFloats([x], backend)) return undefined;
    const { shape } = x;
    const axes = axesOf(axis ?? reductionIndices, shape);
    const result = reduceAxes(backend, x, axes, reduce);
    if (isMean) {
      const y = backend.pointer(result);
      const size = util.sizeFromShape(result.shape);
      backend.kernels.scale(y, y, size, size / util.sizeFromShape(shape));
    }
    return keepDims ? { ...result, shape: shape.map((size, at) => (axes.includes(at) ? 1 : size)) } : result;
  };
}

/** The axes that an operation's argument means, in order; all if there is none. */
function axesOf(axis: number | number[] | null | undefined, shape: number[]): readonly number[] {
  if (axis === undefined || axis === null) return shape.map((_, at) => at);
  const axes = util.parseAxisParam(axis, shape);
  return axes.length < 2 ? axes : axes.sort((a, b) => a - b);
}

/** The number of elements of the dimensions from `begin` to `end`. */
function sizeBetween(shape: readonly number[], begin: number, end: number): number {
  let size = 1;
  for (let axis = begin; axis < end; axis++) size *= shape[axis] as number;
  return size;
}

/** Reduces one run of neighbouring axes after another, from the last: as rows if nothing follows it, else as columns. */
function reduceAxes(backend: SimdgradBackend, x: TensorInfo, axes: readonly number[], reduce: Reduction): TensorInfo {
  const { shape } = x;
  const last = axes.at(-1);
  if (last === undefined) return backend.alias(x, shape);
  let first = axes.length - 1;
  while (first > 0 && axes[first - 1] === (axes[first] as number) - 1) first--;
  const begin = axes[first] as number;
  const outer = sizeBetween(shape, 0, begin);
  const length = sizeBetween(shape, begin, last + 1);
  const inner = sizeBetween(shape, last + 1, shape.length);

  const { kernels, runtime } = backend;
  const work = inner === 1 ? 0 : runtime.scratch("tfjs sum", kernels.columnSumsWorkSize(inner));
  const from = backend.pointer(x);
  const result = backend.allocate(
    shape.filter((_, axis) => axis < begin || axis > last),
    "float32",
  );
  const to = result.pointer;
  if (inner === 1) reduce.rows(kernels, to, from, outer, length);
  for (let i = 0; i < outer && inner !== 1; i++) {
    reduce.columns(kernels, to + 4 * i * inner, from + 4 * i * length * inner, length, inner, work);
  }
  if (first === 0) return result;
  try {
    return reduceAxes(backend, result, axes.slice(0, first), reduce);
  } finally {
    backend.disposeIntermediateTensorInfo(result);
  }
}
