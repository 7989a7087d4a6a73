/** Random numbers. */
import { expectClose } from "../../tests/support/compare.js";
import { twice, type BenchCase } from "./setup.js";

/** n standard normal numbers; checked by their first four moments, which no other generator's bits could be compared with. */
export function philoxNormal(n: number): BenchCase {
  return {
    name: `philoxNormal ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "write", length: 4 * n, arrays: [0] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.philoxNormal, () => {
        const out = desk.output(n);
        const check = () => {
          const values = desk.floats(out, n);
          // E[zᵖ] is 0, 1, 0, 3, and the variance of a mean of zᵖ is (E[z²ᵖ] − E[zᵖ]²) / n.
          for (const [power, moment, variance] of [
            [1, 0, 1],
            [2, 1, 2],
            [3, 0, 15],
            [4, 3, 96],
          ] as const) {
            const mean = values.reduce((sum, value) => sum + value ** power, 0) / n;
            if (!(Math.abs(mean - moment) < 5 * Math.sqrt(variance / n))) {
              throw new Error(`the mean of z^${power} is ${mean}, expected ${moment}.`);
            }
          }
        };
        return { args: [out, n, 1, 0, stream++, 0, 0, 0, 0, 1], check };
      });
    },
  };
}

/** n uniform numbers in [0, 1), checked by their mean and range. */
export function philoxUniform(n: number): BenchCase {
  return {
    name: `philoxUniform ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "write", length: 4 * n, arrays: [0] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.philoxUniform, () => {
        const out = desk.output(n);
        const check = () => {
          const values = desk.floats(out, n);
          const mean = values.reduce((sum, value) => sum + value, 0) / n;
          if (!(Math.abs(mean - 0.5) < 5 / Math.sqrt(12 * n)) || values.some((value) => !(value >= 0 && value < 1))) {
            throw new Error(`uniform numbers in [0, 1) have the mean ${mean}, or some lie outside.`);
          }
        };
        return { args: [out, n, 1, 0, stream++, 0, 0, 0, 0, 1], check };
      });
    },
  };
}

/** A shuffle of 0 … n − 1: reads and writes a place for each element. */
export function philoxPermutation(n: number): BenchCase {
  return {
    name: `philoxPermutation ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "inPlace", length: 4 * n, arrays: [0] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.philoxPermutation, () => {
        const out = desk.output(n);
        const check = () => {
          const values = Int32Array.from({ length: n }, (_, i) => i);
          expectClose("philoxPermutation", "sorted", desk.ints(out, n).slice().sort(), { values, tolerance: "exact" });
        };
        return { args: [out, n, 1, 0, stream++, 0], check };
      });
    },
  };
}

/** y ← x · 0 or 2 x, each half of the time: checked by which elements are 0 and what the others are. */
export function dropout(n: number): BenchCase {
  return {
    name: `dropout ${n}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [0, 1] },
    prepare: (desk) => {
      let stream = 0;
      return twice(desk.kernels.dropout, () => {
        const [x, y] = [desk.uniform(n), desk.output(n)];
        const check = () => {
          const [inputs, outputs] = [desk.floats(x, n), desk.floats(y, n)];
          const kept = outputs.filter((value) => value !== 0).length;
          if (Math.abs(kept - n / 2) > 3 * Math.sqrt(n)) throw new Error(`dropout: ${kept} of ${n} are kept.`);
          const values = inputs.map((value, i) => (outputs[i] === 0 ? value * 0 : value * 2));
          expectClose("dropout", "y", outputs, { values, tolerance: "exact" });
        };
        return { args: [y, x, n, 1, 0, stream++, 0, 0, 0, 0.5, 0, n], check };
      });
    },
  };
}
