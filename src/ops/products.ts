/** Products of matrices as the kernels take them: what the factors are, how many products there are, and the call. */
import type { Kernels } from "../runtime/kernels.js";

/** A factor: matrices of one shape, rows × columns as they take part. */
export interface Factor {
  /** The address of the first. */
  readonly pointer: number;
  readonly rows: number;
  readonly columns: number;
  /** Strides are in elements. */
  readonly rowStride: number;
  readonly columnStride: number;
  readonly count: number;
  /** From one matrix to the next; 0 where all products share one. */
  readonly batchStride: number;
}

/** C = A·B, m×k times k×n, `batches` times. */
export interface Products {
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Factor;
  readonly b: Factor;
}

/** What a product's last write makes of it: the arguments of sgemm by these names; bias is an address. */
export interface LastWrite {
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
  readonly epilogue: number;
  readonly slope: number;
}

/** sgemm's `epilogue` argument: what follows the bias. */
export const EPILOGUE = { none: 1, relu: 2, tanh: 3, leakyRelu: 4 } as const;

/** The matrices in a row-major array of this shape: its last two dimensions, as often as those before them say. */
export function factorOf(pointer: number, shape: readonly number[], transposed: boolean): Factor {
  const last = shape.length - 1;
  const height = shape[last - 1] as number;
  const width = shape[last] as number;
  let count = 1;
  for (let axis = 0; axis < last - 1; axis++) count *= shape[axis] as number;
  const batchStride = count === 1 ? 0 : height * width;
  return transposed
    ? { pointer, rows: width, columns: height, rowStride: 1, columnStride: width, count, batchStride }
    : { pointer, rows: height, columns: width, rowStride: width, columnStride: 1, count, batchStride };
}

/** `batches` products in as few as they can be: the rows of all that meet the same B are the rows of one. */
export function productsOf(batches: number, a: Factor, b: Factor): Products {
  const { rows: m, columns: k } = a;
  const n = b.columns;
  const runsOn = a.rowStride === k && a.columnStride === 1;
  if (b.count === 1 && runsOn) return { batches: 1, m: m * batches, n, k, a, b };
  return { batches, m, n, k, a, b };
}

/** Writes the products one behind the other, from address c. `work` is `sgemmWorkSize(m, n, k)` floats. */
export function multiply(kernels: Kernels, c: number, products: Products, lastWrite: LastWrite, work: number): void {
  const { batches, m, n, k, a, b } = products;
  const { alpha, beta, bias, epilogue, slope } = lastWrite;
  kernels.sgemmStridedBatched(
    c,
    a.pointer,
    b.pointer,
    bias,
    m,
    n,
    k,
    n,
    1,
    a.rowStride,
    a.columnStride,
    b.rowStride,
    b.columnStride,
    m * n,
    a.batchStride,
    b.batchStride,
    alpha,
    beta,
    epilogue,
    slope,
    0,
    batches,
    work,
  );
}

/** As `multiply`, by one B that `sgemmPackB` packed. */
export function multiplyPacked(
  kernels: Kernels,
  c: number,
  products: Products,
  lastWrite: LastWrite,
  work: number,
): void {
  const { batches, m, n, k, a, b } = products;
  const { alpha, beta, bias, epilogue, slope } = lastWrite;
  for (let i = 0; i < batches; i++) {
    kernels.sgemmPrepacked(
      c + 4 * m * n * i,
      a.pointer + 4 * a.batchStride * i,
      b.pointer,
      bias,
      m,
      n,
      k,
      n,
      1,
      a.rowStride,
      a.columnStride,
      alpha,
      beta,
      epilogue,
      slope,
      0,
      m,
      work,
    );
  }
}
