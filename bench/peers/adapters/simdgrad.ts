/** simdgrad itself: VARIANT is strict or relaxed, HOW is kernels (their raw exports) or functions (the public ones). */
import { readFileSync } from "node:fs";
import { initSync, matmul } from "../../../src/index.js";
import { gemms, operations, serve } from "../serve.js";

const [variant = "strict", how = "kernels"] = process.argv.slice(2);
const runtime = initSync({ variant: variant === "relaxed" ? "relaxed" : "strict" });
const { kernels } = runtime;
const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const products = gemms(({ m, n, k, transposeA, transposeB, a, b, shapeA, shapeB }) => {
  const [A, B, C] = [runtime.tensor(a, shapeA), runtime.tensor(b, shapeB), runtime.zeros([m, n])];
  const options = { transposeA, transposeB, out: C };
  const [pointerA, pointerB, pointerC] = [A.pointer, B.pointer, C.pointer];
  const work = runtime.allocate(4 * Math.max(1, kernels.sgemmWorkSize(m, n, k)));
  const [rsA, csA] = transposeA ? [1, m] : [k, 1];
  const [rsB, csB] = transposeB ? [1, k] : [n, 1];
  const kernel = () => {
    kernels.sgemm(pointerC, pointerA, pointerB, 0, m, n, k, n, 1, rsA, csA, rsB, csB, 1, 0, 0, 0, m, work);
  };
  const call = how === "functions" ? () => matmul(A, B, options) : kernel;
  return {
    call,
    outputs: () => {
      call();
      return [C.toArray()];
    },
    dispose: () => {
      for (const tensor of [A, B, C]) tensor.dispose();
      runtime.free(work);
    },
  };
});

await serve({ version: `simdgrad ${version}`, prepare: operations(products) });
