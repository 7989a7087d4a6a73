/** Functions of two or three matrices that may be broadcast. */
import { add, BINARY, select, type BinaryKernel } from "../../tests/reference/elementwise.js";
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

/** How y takes part: as it is, one row for all, one column, or one element. */
type Repeated = "row" | "column" | "element";

/** z = f(x, y) with rows × columns elements: reads x and y, writes z. */
export function binary(
  name: "add" | keyof typeof BINARY,
  rows: number,
  columns: number,
  repeated?: Repeated,
): BenchCase {
  const n = rows * columns;
  const kernel: BinaryKernel = name === "add" ? add(1) : BINARY[name];
  const [rsY, csY] = [repeated === "column" ? 1 : repeated ? 0 : columns, repeated && repeated !== "row" ? 0 : 1];
  return {
    name: `${name} ${rows}x${columns}${repeated ? ` y ${repeated}` : ""}`,
    unit: "ns/element",
    amount: n,
    limit: repeated
      ? { stream: "copy", length: 4 * n, arrays: [0, 1] }
      : { stream: "scaleAdd", length: 4 * n, arrays: [0, 1, 2] },
    prepare: (desk) => {
      const run: (...args: number[]) => void = desk.kernels[name];
      return twice(run, () => {
        const [z, x, y] = [desk.output(n), desk.uniform(n), desk.uniform(n, 0.5, 2)];
        const check = () => {
          const values = desk.floats(y, n);
          const expected = desk.floats(x, n).map((value, i) => {
            return kernel.reference(value, values[Math.floor(i / columns) * rsY + (i % columns) * csY] ?? NaN);
          });
          expectClose(name, "z", desk.floats(z, n), { values: expected, tolerance: "exact" });
        };
        return { args: [z, x, y, rows, columns, columns, columns, 1, rsY, csY, ...kernel.scalars], check };
      });
    },
  };
}

/** z = x or y of n elements: reads both and the condition, writes z. */
export function selection(n: number): BenchCase {
  return {
    name: `select ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [0, 2, 3] },
    prepare: (desk) =>
      twice(desk.kernels.select, () => {
        const [condition, z, x, y] = [desk.integers(n, 2), desk.output(n), desk.uniform(n), desk.uniform(n)];
        const check = () => {
          const [chosen, first, second] = [condition, x, y].map((pointer) => desk.floats(pointer, n)) as [
            Float32Array,
            Float32Array,
            Float32Array,
          ];
          const values = chosen.map((value, i) => select(value, first[i] ?? NaN, second[i] ?? NaN));
          expectClose("select", "z", desk.floats(z, n), { values, tolerance: "exact" });
        };
        return { args: [z, condition, x, y, 1, n, n, n, 1, n, 1, n, 1], check };
      }),
  };
}
