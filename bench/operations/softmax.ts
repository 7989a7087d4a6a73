/** Softmax and log-softmax. */
import * as softmaxes from "../../tests/reference/softmax.js";
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

/** y = f(x) by rows. */
export function rowwise(name: "softmax" | "logSoftmax", rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `${name} ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) =>
      twice(desk.kernels[name], () => {
        const [x, y] = [desk.uniform(n, -5, 5), desk.output(n)];
        const check = () => {
          const expected = softmaxes[name](desk.floats(x, n), rows, columns);
          expectClose(name, "y", desk.floats(y, n), { ...expected, tolerance: { roundings: columns + 16 } });
        };
        return { args: [y, x, rows, columns, columns, columns, 0, rows], check };
      }),
  };
}
