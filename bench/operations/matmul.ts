/** Matrix products. */
import { matmul, type Epilogue } from "../../tests/reference/matmul.js";
import { columnStatistics } from "../../tests/reference/batchNorm.js";
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

/** The rows × columns matrix at `origin` with these strides, row after row. */
export function rowMajor(
  values: ArrayLike<number>,
  origin: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): Float64Array {
  const copy = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) copy[i * columns + j] = values[origin + i * rowStride + j * columnStride] ?? NaN;
  }
  return copy;
}

/** C = op(A)·op(B) with C m×n, all row-major as stored. */
export interface Product {
  /** Of A and of B: N is row-major as it takes part, T is transposed. */
  readonly transposes: "NN" | "NT" | "TN" | "TT";
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The row and column strides of op(A) and op(B). */
export function productStrides({ transposes, m, n, k }: Product): Record<"rsA" | "csA" | "rsB" | "csB", number> {
  const [rsA, csA] = transposes[0] === "N" ? [k, 1] : [1, m];
  const [rsB, csB] = transposes[1] === "N" ? [n, 1] : [1, k];
  return { rsA, csA, rsB, csB };
}

/**
 * Throws where C is not the product: all of a small one is compared, of a large one 16 blocks of 4×4, the corners among
 * them, wherever panels may end.
 */
export function expectProduct(
  product: Product,
  A: ArrayLike<number>,
  B: ArrayLike<number>,
  C: ArrayLike<number>,
  epilogue: { readonly mode: Epilogue; readonly bias: Float32Array } = { mode: 0, bias: new Float32Array(0) },
): void {
  const { m, n, k } = product;
  const { rsA, csA, rsB, csB } = productStrides(product);
  const { mode, bias } = epilogue;
  if (C.length !== m * n) throw new Error(`c has ${C.length} elements, expected ${m * n}.`);
  const block = (i: number, j: number, rows: number, columns: number) => {
    const left = rowMajor(A, i * rsA, rows, k, rsA, csA);
    const right = rowMajor(B, j * csB, k, columns, rsB, csB);
    const expected = matmul(rows, columns, k, left, right, [], bias.subarray(j, j + columns), 1, 0, mode, SLOPE);
    const actual = rowMajor(C, i * n + j, rows, columns, n, 1);
    expectClose(`block at (${i}, ${j})`, "c", actual, { ...expected, tolerance: { roundings: k + 8 } });
  };
  if (2 * m * n * k < 1e7) return block(0, 0, m, n);
  const at = (size: number, part: number) => Math.floor((Math.max(0, size - 4) * part) / 3);
  for (const i of [0, 1, 2, 3]) {
    for (const j of [0, 1, 2, 3]) block(at(m, i), at(n, j), Math.min(4, m), Math.min(4, n));
  }
}

/** The epilogues of sgemm by name, as its argument has them; "statistics" is an argument of its own. */
const EPILOGUES = { "": 0, bias: 1, "bias relu": 2, "bias tanh": 3, "bias leakyRelu": 4, statistics: 0 } as const;
const SLOPE = 0.25;

/** C = op(A)·op(B), with what `epilogue` names in its last write. Counts 2mnk operations; one row is bound by reading B. */
export function sgemm(
  transposes: "NN" | "NT" | "TN" | "TT",
  m: number,
  n: number,
  k: number,
  epilogue: keyof typeof EPILOGUES = "",
): BenchCase {
  const { rsA, csA, rsB, csB } = productStrides({ transposes, m, n, k });
  const flops = 2 * m * n * k;
  return {
    name: `sgemm ${transposes} ${m}x${n}x${k} ${epilogue}`.trim(),
    unit: "GFLOP/s",
    amount: flops,
    limit: m === 1 ? { stream: "read", length: 4 * n * k, arrays: [2] } : { flops },
    prepare: (desk) => {
      const { sgemm: run, sgemmWorkSize } = desk.kernels;
      const work = desk.output(Math.max(1, sgemmWorkSize(m, n, k)));
      return twice(run, () => {
        const a = desk.uniform(m * k);
        const b = desk.uniform(k * n);
        const bias = desk.uniform(n);
        const c = desk.output(m * n);
        const mode = EPILOGUES[epilogue];
        const statistics = epilogue === "statistics" ? desk.output(3 * n) : 0;
        const args = [c, a, b, bias, m, n, k, n, 1, rsA, csA, rsB, csB, 1, 0, mode, SLOPE, statistics, 0, m, work];
        const check = () => {
          const [A, B, C] = [desk.floats(a, m * k), desk.floats(b, k * n), desk.floats(c, m * n)];
          expectProduct(
            { transposes, m, n, k },
            A,
            B,
            C,
            mode === 0 ? undefined : { mode, bias: desk.floats(bias, n) },
          );
          if (statistics === 0) return;
          const expected = { ...columnStatistics(C, m, n), tolerance: { roundings: m / 32 + 48 } };
          expectClose("sgemm", "statistics", desk.floats(statistics, 3 * n), expected);
        };
        return { args, check };
      });
    },
  };
}

/** C = A·B with a B that was packed beforehand: the product alone. Counts 2mnk operations. */
export function sgemmPrepacked(m: number, n: number, k: number): BenchCase {
  const flops = 2 * m * n * k;
  return {
    name: `sgemm prepacked ${m}x${n}x${k}`,
    unit: "GFLOP/s",
    amount: flops,
    limit: { flops },
    prepare: (desk) => {
      const { sgemmPrepacked: run, sgemmPackB, sgemmPackedSize, sgemmWorkSize } = desk.kernels;
      const work = desk.output(sgemmWorkSize(m, n, k));
      return twice(run, () => {
        const [a, b, c] = [desk.uniform(m * k), desk.uniform(k * n), desk.output(m * n)];
        const packed = desk.output(sgemmPackedSize(n, k));
        sgemmPackB(packed, b, n, k, n, 1);
        const check = () => {
          const rows = Math.min(m, 4);
          const expected = matmul(rows, n, k, desk.floats(a, rows * k), desk.floats(b, k * n), [], [], 1, 0, 0);
          expectClose("sgemmPrepacked", "c", desk.floats(c, rows * n), {
            ...expected,
            tolerance: { roundings: k + 8 },
          });
        };
        return { args: [c, a, packed, 0, m, n, k, n, 1, k, 1, 1, 0, 0, 0, 0, m, work], check };
      });
    },
  };
}

/** `batch` products of one shape, one behind the other. */
export function sgemmStridedBatched(batch: number, m: number, n: number, k: number): BenchCase {
  const flops = 2 * batch * m * n * k;
  return {
    name: `sgemm batched ${batch} of ${m}x${n}x${k}`,
    unit: "GFLOP/s",
    amount: flops,
    limit: { flops },
    prepare: (desk) => {
      const work = desk.output(desk.kernels.sgemmWorkSize(m, n, k));
      return twice(desk.kernels.sgemmStridedBatched, () => {
        const [a, b, c] = [desk.uniform(batch * m * k), desk.uniform(batch * k * n), desk.output(batch * m * n)];
        const strides = [n, 1, k, 1, n, 1, m * n, m * k, k * n];
        const check = () => {
          const [A, B, C] = [
            desk.floats(a, batch * m * k),
            desk.floats(b, batch * k * n),
            desk.floats(c, batch * m * n),
          ];
          for (const i of [0, batch - 1]) {
            const [left, right] = [A.subarray(i * m * k, (i + 1) * m * k), B.subarray(i * k * n, (i + 1) * k * n)];
            const expected = matmul(m, n, k, left, right, [], [], 1, 0, 0);
            const actual = C.subarray(i * m * n, (i + 1) * m * n);
            expectClose(`product ${i}`, "c", actual, { ...expected, tolerance: { roundings: k + 8 } });
          }
        };
        return { args: [c, a, b, 0, m, n, k, ...strides, 1, 0, 0, 0, 0, batch, work], check };
      });
    },
  };
}
