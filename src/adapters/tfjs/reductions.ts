/** Sums, means and extremes along axes. */
import { backend_util, util, type TensorInfo } from "@tensorflow/tfjs-core";
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
  readonly axis?: number | number[];
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
    const axes = util.parseAxisParam((axis ?? reductionIndices) as number[], x.shape).sort((a, b) => a - b);
    const [outShape, reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const result = reduceAxes(backend, x, axes, reduce);
    if (isMean) {
      const y = backend.pointer(result);
      backend.kernels.scale(y, y, util.sizeFromShape(outShape), 1 / util.sizeFromShape(reduced));
    }
    return { ...result, shape: keepDims ? backend_util.expandShapeToKeepDim(outShape, axes) : outShape };
  };
}

/** Reduces one run of neighbouring axes after another, from the last: as rows if nothing follows it, else as columns. */
function reduceAxes(backend: SimdgradBackend, x: TensorInfo, axes: readonly number[], reduce: Reduction): TensorInfo {
  const end = axes.at(-1);
  if (end === undefined) return backend.alias(x, x.shape);
  let first = axes.length - 1;
  while (first > 0 && axes[first - 1] === (axes[first] as number) - 1) first--;
  const begin = axes[first] as number;
  const outer = util.sizeFromShape(x.shape.slice(0, begin));
  const length = util.sizeFromShape(x.shape.slice(begin, end + 1));
  const inner = util.sizeFromShape(x.shape.slice(end + 1));

  const { kernels, runtime } = backend;
  const work = inner === 1 ? 0 : runtime.scratch("tfjs sum", kernels.columnSumsWorkSize(inner));
  const from = backend.pointer(x);
  const result = backend.allocate([...x.shape.slice(0, begin), ...x.shape.slice(end + 1)], "float32");
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
