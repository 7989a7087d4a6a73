/** Layer norm (one group) and group norm. */
import * as reference from "../../tests/reference/groupNorm.js";
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

const EPS = 1e-5;

const title = (groups: number) => (groups === 1 ? "layerNorm" : `groupNorm of ${groups}`);

/** Each row normalised by groups. Reads x and writes y at least. */
export function groupNormForward(rows: number, columns: number, groups: number): BenchCase {
  const n = rows * columns;
  return {
    name: `${title(groups)} forward ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 2] },
    prepare: (desk) =>
      twice(desk.kernels.groupNormForward, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const saved = desk.output(3 * rows * groups);
        const args = [y, saved, x, gamma, beta, rows, columns, groups, columns, columns, EPS, 0, rows];
        const check = () => {
          const [scales, shifts] = [desk.floats(gamma, columns), desk.floats(beta, columns)];
          const expected = reference.groupNorm(desk.floats(x, n), scales, shifts, columns, groups, EPS);
          const tolerance = { roundings: columns / groups / 16 + 32 };
          expectClose("groupNorm", "y", desk.floats(y, n), { ...expected, tolerance });
        };
        return { args, check };
      }),
  };
}

/** dx and the parts of dGamma and dBeta. Reads x and dy and writes dx at least. */
export function groupNormBackward(rows: number, columns: number, groups: number): BenchCase {
  const n = rows * columns;
  return {
    name: `${title(groups)} backward ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [0, 2, 3] },
    prepare: (desk) =>
      twice(desk.kernels.groupNormBackward, () => {
        const { groupNormForward: forward, groupNormPartsSize } = desk.kernels;
        const [x, dy, y, dx] = [desk.uniform(n), desk.uniform(n), desk.output(n), desk.output(n)];
        const [gamma, beta] = [desk.uniform(columns, 0.5, 1.5), desk.uniform(columns)];
        const count = groupNormPartsSize(rows);
        const [saved, parts] = [desk.output(3 * rows * groups), desk.output(count * 2 * columns)];
        forward(y, saved, x, gamma, beta, rows, columns, groups, columns, columns, EPS, 0, rows);
        const shape = [rows, columns, groups, columns, columns, columns];
        const args = [dx, parts, dy, x, saved, gamma, ...shape, 0, count];
        const check = () => {
          const [input, gradient, scales] = [desk.floats(x, n), desk.floats(dy, n), desk.floats(gamma, columns)];
          const expected = reference.groupNormBackward(gradient, input, scales, columns, groups, EPS);
          const tolerance = { roundings: columns / groups / 16 + 48 };
          expectClose("groupNorm", "dx", desk.floats(dx, n), { ...expected.dx, tolerance });
          const sums = new Float64Array(2 * columns);
          desk.floats(parts, count * 2 * columns).forEach((value, at) => (sums[at % sums.length]! += value));
          expectClose("groupNorm", "dGamma", sums.slice(0, columns), { ...expected.dGamma, tolerance });
          expectClose("groupNorm", "dBeta", sums.slice(columns), { ...expected.dBeta, tolerance });
        };
        return { args, check };
      }),
  };
}
