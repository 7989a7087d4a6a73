import { testVariants, type Call, type Harness, type Operand } from "../support/harness.js";
import { Random } from "../support/random.js";
import { realData, sgemmCall, transposed, work, type SgemmData } from "./calls.js";

const outputOf = (length: number): Operand => ({ before: new Float32Array(length).fill(NaN), unchecked: true });

/** What sgemm makes of the same problem: sgemm.test.ts holds it against the reference. */
function plain(harness: Harness, shape: Parameters<typeof sgemmCall>[0], data: SgemmData): Float32Array {
  return harness.run(sgemmCall(shape, data, harness.kernels, { roundings: 2 * shape.k + 8 })).c as Float32Array;
}

testVariants(
  "sgemmPrepacked",
  "the bits of sgemm with contiguous rows of B, whatever B's layout, for whole products and bands",
  (harness) => {
    const random = new Random(1);
    const { sgemmPackedSize, sgemmWorkSize } = harness.kernels;
    for (const [m, n, k] of [
      [4, 1, 1],
      [4, 43, 813],
      [7, 9, 5],
      [40, 33, 70],
      [13, 1303, 3],
      [70, 90, 813],
      [64, 64, 0],
    ] as const) {
      const data = realData({ m, n, k }, random);
      for (const transposes of ["NN", "NT"]) {
        const { b } = transposed(transposes, m, n, k);
        // One column alone takes the road for few rows, which sums in another order.
        if (n === 1 && k > 1) continue;
        const expected = plain(harness, { m, n, k, epilogue: 2 }, data);
        const stored = Float32Array.from({ length: k * n }, (_, at) =>
          transposes === "NN" ? data.b[at]! : data.b[(at % k) * n + Math.floor(at / k)]!,
        );
        const packing: Call = {
          kernel: "sgemmPackB",
          shape: `${transposes} ${String(n)}×${String(k)}`,
          operands: { packed: outputOf(sgemmPackedSize(n, k)), b: { before: stored } },
          arguments: (p) => [p.packed!, p.b!, n, k, ...b],
        };
        const packed = harness.run(packing).packed!;
        for (const [begin, end] of [
          [0, m],
          [1, m - 1],
          [m - 1, m],
        ] as const) {
          const product: Call = {
            kernel: "sgemmPrepacked",
            shape: `${transposes} ${[m, n, k].join("×")}, rows ${String(begin)} to ${String(end)}`,
            operands: {
              c: {
                before: new Float32Array(m * n).fill(NaN),
                after: {
                  values: expected,
                  tolerance: "exact",
                  covers: (at) => at >= begin * n && at < end * n,
                },
              },
              a: { before: data.a },
              packed: { before: packed },
              bias: { before: data.bias },
              work: work(sgemmWorkSize(m, n, k)),
            },
            arguments: (p) => [p.c!, p.a!, p.packed!, p.bias!, m, n, k, n, 1, k, 1, 1, 0, 2, 0, begin, end, p.work!],
          };
          harness.run(product);
        }
      }
    }
  },
);

for (const kernel of ["sgemmStridedBatched", "sgemmBatched"] as const) {
  testVariants(
    kernel,
    "each problem as sgemm computes it, only those asked for, with gaps and a shared B",
    (harness) => {
      const [batch, m, n, k] = [5, 6, 11, 19];
      const [strideA, strideC] = [m * k + 3, m * n + 2];
      const random = new Random(2);
      const [first, ...others] = Array.from({ length: batch }, () => realData({ m, n, k }, random));
      const problems = [first!, ...others].map((problem) => ({ ...problem, b: first!.b, bias: first!.bias }));
      const a = new Float32Array(batch * strideA).fill(NaN);
      const expected = new Float32Array(batch * strideC);
      problems.forEach((problem, i) => {
        a.set(problem.a, i * strideA);
        expected.set(plain(harness, { m, n, k, epilogue: 1 }, problem), i * strideC);
      });
      const inBatch = (at: number) => at >= strideC && at < 4 * strideC && at % strideC < m * n;
      const common = [m, n, k, n, 1, k, 1, n, 1];
      const batched: Call = {
        kernel,
        shape: `${String(batch)} of ${[m, n, k].join("×")}, 1 to 4`,
        operands: {
          c: {
            before: new Float32Array(batch * strideC).fill(NaN),
            after: {
              values: expected,
              tolerance: "exact",
              covers: inBatch,
            },
          },
          a: { before: a },
          b: { before: first!.b },
          bias: { before: first!.bias },
          pointers: {
            before: new Uint32Array(3 * batch),
            addresses: (p) => [
              ...problems.map((_, i) => p.c! + i * strideC * 4),
              ...problems.map((_, i) => p.a! + i * strideA * 4),
              ...problems.map(() => p.b!),
            ],
          },
          work: work(harness.kernels.sgemmWorkSize(m, n, k)),
        },
        arguments: (p) => {
          const tail = [1, 0, 1, 0, 1, 4, p.work!];
          if (kernel === "sgemmStridedBatched") {
            return [p.c!, p.a!, p.b!, p.bias!, ...common, strideC, strideA, 0, ...tail];
          }
          const [c, aPointers, b] = [0, batch, 2 * batch].map((at) => p.pointers! + at * 4);
          return [c!, aPointers!, b!, p.bias!, ...common, ...tail];
        },
      };
      harness.run(batched);
    },
  );
}
