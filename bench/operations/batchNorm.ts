/** Batch norm. */
import * as normalization from "../../tests/reference/batchNorm.js";
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

const EPS = 1e-5;

/** Batch statistics, running statistics and the normalised batch. Reads x and writes y at least. */
export function batchNormForward(rows: number, columns: number, activation?: "relu"): BenchCase {
  const n = rows * columns;
  const relu = activation === "relu";
  return {
    name: `batchNorm forward ${rows}x${columns}${relu ? " relu" : ""}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 4] },
    prepare: (desk) => {
      const work = desk.output(Math.max(1, desk.kernels.batchNormWorkSize(rows, columns)));
      return twice(desk.kernels.batchNormForward, () => {
        const x = desk.uniform(n);
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const [runningMean, runningVar] = [desk.uniform(columns), desk.uniform(columns, 0.5, 1.5)];
        const saved = desk.output(3 * columns);
        const y = desk.output(n);
        const flags = [EPS, 0.1, 1, relu ? 1 : 0, 0, 0, columns, work];
        const args = [y, saved, runningMean, runningVar, x, gamma, beta, rows, columns, columns, columns, ...flags];
        const check = () => {
          const input = desk.floats(x, n);
          const [scales, shifts] = [desk.floats(gamma, columns), desk.floats(beta, columns)];
          const statistics = normalization.statistics(input, rows, columns);
          const expected = normalization.normalize(input, statistics, scales, shifts, rows, columns, EPS, relu);
          expectClose("batchNorm", "y", desk.floats(y, n), { ...expected, tolerance: { roundings: 32 } });
        };
        return { args, check };
      });
    },
  };
}

/** dx, dGamma and dBeta. Reads x and dy and writes dx at least. */
export function batchNormBackward(rows: number, columns: number, activation?: "relu"): BenchCase {
  const n = rows * columns;
  const relu = activation === "relu";
  return {
    name: `batchNorm backward ${rows}x${columns}${relu ? " relu" : ""}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [0, 3, 4] },
    prepare: (desk) => {
      const work = desk.output(Math.max(1, desk.kernels.batchNormWorkSize(rows, columns)));
      return twice(desk.kernels.batchNormBackward, () => {
        const [x, dy] = [desk.uniform(n), desk.uniform(n)];
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const [y, saved] = [desk.output(n), desk.output(3 * columns)];
        const [runningMean, runningVar] = [desk.uniform(columns), desk.uniform(columns, 0.5, 1.5)];
        const [dx, dGamma, dBeta] = [desk.output(n), desk.output(columns), desk.output(columns)];
        const shape = [rows, columns, columns, columns] as const;
        const forward = [y, saved, runningMean, runningVar, x, gamma, beta, ...shape, EPS, 0.1, 1] as const;
        desk.kernels.batchNormForward(...forward, relu ? 1 : 0, 0, 0, columns, work);
        const flags = [relu ? 1 : 0, 0, 0, columns, work];
        const args = [dx, dGamma, dBeta, dy, x, saved, gamma, beta, ...shape, columns, ...flags];
        const check = () => {
          const input = desk.floats(x, n);
          const output = desk.floats(y, n);
          const gradient = desk.floats(dy, n);
          const masked = relu ? gradient.map((value, i) => ((output[i] ?? NaN) > 0 ? value : 0)) : gradient;
          const statistics = normalization.statistics(input, rows, columns);
          const scales = desk.floats(gamma, columns);
          const expected = normalization.batchNormBackward(masked, input, statistics, scales, rows, columns, EPS);
          const tolerance = { roundings: 32 };
          expectClose("batchNorm", "dx", desk.floats(dx, n), { ...expected.dx, tolerance });
          expectClose("batchNorm", "dGamma", desk.floats(dGamma, columns), { ...expected.dGamma, tolerance });
          expectClose("batchNorm", "dBeta", desk.floats(dBeta, columns), { ...expected.dBeta, tolerance });
        };
        return { args, check };
      });
    },
  };
}

/** y = gamma·(x − mean)/√(variance + eps) + beta with running statistics. */
export function batchNormInference(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `batchNorm inference ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) => {
      const work = desk.output(Math.max(1, desk.kernels.batchNormWorkSize(rows, columns)));
      return twice(desk.kernels.batchNormInference, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const [mean, variance] = [desk.uniform(columns), desk.uniform(columns, 0.5, 1.5)];
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const args = [y, x, mean, variance, gamma, beta, rows, columns, columns, columns, EPS, 0, 0, rows, work];
        const check = () => {
          const statistics = {
            mean: Float64Array.from(desk.floats(mean, columns)),
            variance: Float64Array.from(desk.floats(variance, columns)),
            spread: new Float64Array(columns).fill(2),
          };
          const [scales, shifts] = [desk.floats(gamma, columns), desk.floats(beta, columns)];
          const input = desk.floats(x, n);
          const expected = normalization.normalize(input, statistics, scales, shifts, rows, columns, EPS, false);
          expectClose("batchNormInference", "y", desk.floats(y, n), { ...expected, tolerance: { roundings: 16 } });
        };
        return { args, check };
      });
    },
  };
}
