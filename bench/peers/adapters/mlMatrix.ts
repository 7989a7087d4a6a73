/** ml-matrix, float64 rows. */
import { load, versionOf } from "../packages.js";
import { gemms, operations, serve } from "../serve.js";

interface Matrix {
  mmul(other: Matrix): Matrix;
  transpose(): Matrix;
  to1DArray(): number[];
}

const Matrix = (await load("ml-matrix")) as {
  from1DArray(rows: number, columns: number, values: number[]): Matrix;
};

const products = gemms(({ a, b, shapeA, shapeB, transposeA, transposeB }) => {
  const [A, B] = [Matrix.from1DArray(...shapeA, [...a]), Matrix.from1DArray(...shapeB, [...b])];
  const product = () => (transposeA ? A.transpose() : A).mmul(transposeB ? B.transpose() : B);
  return { call: product, outputs: () => [product().to1DArray()] };
});

await serve({ version: versionOf("ml-matrix"), prepare: operations(products) });
