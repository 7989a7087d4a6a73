/** ReLU with its mask in bits, maxout. */
import * as activations from "../../tests/reference/activations.js";
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

/** max(x, 0) and a bit for each element. */
export function reluWithMask(n: number): BenchCase {
  return {
    name: `reluWithMask ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 2] },
    prepare: (desk) =>
      twice(desk.kernels.reluWithMask, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const mask = desk.output(Math.ceil(n / 32));
        const check = () => {
          const input = desk.floats(x, n);
          expectClose("reluWithMask", "y", desk.floats(y, n), {
            values: input.map(activations.relu),
            tolerance: "exact",
          });
          const bits = desk.runtime.heapU8.slice(mask, mask + Math.ceil(n / 8));
          expectClose("reluWithMask", "mask", bits, { values: activations.reluMask(input), tolerance: "exact" });
        };
        return { args: [y, mask, x, n], check };
      }),
  };
}

/** dy where its bit is set, else 0. */
export function reluMaskBackward(n: number): BenchCase {
  return {
    name: `reluMaskBackward ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 2] },
    prepare: (desk) =>
      twice(desk.kernels.reluMaskBackward, () => {
        const [dx, mask, dy] = [desk.output(n), desk.bytes(Math.ceil(n / 8)), desk.uniform(n)];
        const check = () => {
          const bits = desk.runtime.heapU8.slice(mask, mask + Math.ceil(n / 8));
          const values = activations.reluMaskBackward(bits, desk.floats(dy, n));
          expectClose("reluMaskBackward", "dx", desk.floats(dx, n), { values, tolerance: "exact" });
        };
        return { args: [dx, mask, dy, n], check };
      }),
  };
}

/** The greatest of `pieces` columns for each feature. */
export function maxout(rows: number, features: number, pieces: number): BenchCase {
  const n = rows * features * pieces;
  return {
    name: `maxout ${rows}x${features} of ${pieces}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: (4 * n) / pieces, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels.maxout, () => {
        const [x, y] = [desk.uniform(n), desk.output(rows * features)];
        const check = () => {
          const values = activations.maxout(desk.floats(x, n), rows, features, pieces);
          expectClose("maxout", "y", desk.floats(y, rows * features), { values, tolerance: "exact" });
        };
        return { args: [y, x, rows, features, pieces, features, features * pieces, 0, rows], check };
      }),
  };
}
