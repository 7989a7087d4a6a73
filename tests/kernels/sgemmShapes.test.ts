import { test } from "node:test";
import { attach, cannotRun } from "../support/kernels.js";
import { Random } from "../support/random.js";
import { transposed } from "./calls.js";

/** Every m, n and k up to here: several tiles and every remainder of them, in each direction. */
const SIZE = 40;
const GUARD = 32;

/** sums[k][i·SIZE + j] = Σ_p<k A(i, p)·B(p, j): the exact product of every shape at once. */
function prefixProducts(a: Float32Array, b: Float32Array): Float32Array[] {
  const sums = [new Float32Array(SIZE * SIZE)];
  for (let p = 0; p < SIZE; p++) {
    sums.push(sums[p]!.map((sum, at) => sum + a[Math.floor(at / SIZE) * SIZE + p]! * b[p * SIZE + (at % SIZE)]!));
  }
  return sums;
}

for (const variant of ["strict", "relaxed"] as const) {
  for (const transposes of ["NN", "TN", "NT", "TT"]) {
    const name = `sgemm ${variant} ${transposes}: exact integer products for every m, n, k from 1 to ${String(SIZE)}`;
    test(name, { skip: cannotRun(variant) }, () => {
      const memory = new WebAssembly.Memory({ initial: 2 });
      const { sgemm, sgemmWorkSize } = attach(variant, memory);
      const random = new Random(1);
      const [wholeA, wholeB] = [random.integers(SIZE * SIZE), random.integers(SIZE * SIZE)];
      const products = prefixProducts(wholeA, wholeB);
      // A, B and C lie at odd multiples of 4 bytes, C between guard zones.
      const floats = new Float32Array(memory.buffer);
      const [aAt, bAt, cAt, workAt] = [1, 2003, 4007 + GUARD, 8192];

      for (let m = 1; m <= SIZE; m++) {
        for (let n = 1; n <= SIZE; n++) {
          for (let k = 1; k <= SIZE; k++) {
            const { a, b } = transposed(transposes, m, n, k);
            for (let i = 0; i < m; i++) {
              for (let p = 0; p < k; p++) floats[aAt + i * a[0] + p * a[1]] = wholeA[i * SIZE + p]!;
            }
            for (let p = 0; p < k; p++) {
              for (let j = 0; j < n; j++) floats[bAt + p * b[0] + j * b[1]] = wholeB[p * SIZE + j]!;
            }
            floats.fill(NaN, cAt - GUARD, cAt + m * n + GUARD);
            floats.fill(NaN, workAt, workAt + sgemmWorkSize(m, n, k));
            sgemm(cAt * 4, aAt * 4, bAt * 4, 0, m, n, k, n, 1, ...a, ...b, 1, 0, 0, 0, 0, 0, m, workAt * 4);

            const expected = products[k]!;
            for (let i = 0; i < m; i++) {
              for (let j = 0; j < n; j++) {
                const value = floats[cAt + i * n + j]!;
                if (value === expected[i * SIZE + j]) continue;
                throw new Error(
                  `sgemm ${variant} ${transposes} ${[m, n, k].join("×")}: C[${String(i)}, ${String(j)}] is ` +
                    `${String(value)}, expected ${String(expected[i * SIZE + j])}.`,
                );
              }
            }
            for (let i = 1; i <= GUARD; i++) {
              if (Number.isNaN(floats[cAt - i]) && Number.isNaN(floats[cAt + m * n + i - 1])) continue;
              throw new Error(`sgemm ${variant} ${transposes} ${[m, n, k].join("×")}: wrote outside C.`);
            }
          }
        }
      }
    });
  }
}
