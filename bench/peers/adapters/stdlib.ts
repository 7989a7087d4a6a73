/** @stdlib's sgemm, without its native add-on. */
import { load, versionOf } from "../packages.js";
import { gemms, operations, serve } from "../serve.js";

type Sgemm = (
  order: "row-major",
  transA: "transpose" | "no-transpose",
  transB: "transpose" | "no-transpose",
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: Float32Array,
  lda: number,
  b: Float32Array,
  ldb: number,
  beta: number,
  c: Float32Array,
  ldc: number,
) => Float32Array;

const sgemm = (await load("@stdlib/blas-base-sgemm")) as Sgemm;

const products = gemms(({ m, n, k, a, b, shapeA, shapeB, transposeA, transposeB }) => {
  const c = new Float32Array(m * n);
  const [transA, transB] = [transposeA, transposeB].map((is) => (is ? "transpose" : "no-transpose"));
  const [lda, ldb] = [shapeA[1], shapeB[1]];
  const call = () => sgemm("row-major", transA!, transB!, m, n, k, 1, a, lda, b, ldb, 0, c, n);
  return { call, outputs: () => [call()] };
});

await serve({ version: versionOf("@stdlib/blas-base-sgemm"), prepare: operations(products) });
