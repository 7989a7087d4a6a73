import fc from "fast-check";
import type { Accumulated, Epilogue } from "../reference/matmul.js";
import { expectSameBits } from "../support/compare.js";
import { testVariants, type Harness } from "../support/harness.js";
import { checkProperty } from "../support/property.js";
import { Random } from "../support/random.js";
import {
  EQUAL,
  integerData,
  matmulRoundings,
  nans,
  realData,
  sgemmCall,
  sgemmReference,
  TANH_ULP,
  transposed,
  type SgemmData,
  type SgemmShape,
} from "./calls.js";

const TRANSPOSES = ["NN", "TN", "NT", "TT"];
const EPILOGUES: Epilogue[] = [0, 1, 2, 3, 4];
/** Those that keep small integers exact: all but tanh. */
const EXACT_EPILOGUES: Epilogue[] = [0, 1, 2, 4];

/** Runs one exact product at an odd offset. */
function runExact(harness: Harness, shape: SgemmShape, seed: number): void {
  harness.run(sgemmCall(shape, integerData(shape, new Random(seed)), harness.kernels), { at: "low", offset: seed });
}

testVariants("sgemm", "alpha, beta and epilogue in every combination are exact", (harness) => {
  let seed = 0;
  for (const [m, n, k] of [
    [1, 1, 1],
    [1, 8, 3],
    [3, 9, 7],
    [5, 16, 4],
    [7, 12, 0],
    [3, 200, 0],
    [200, 1, 0],
    [13, 73, 33],
    [26, 24, 17],
    [31, 90, 9],
  ] as const) {
    for (const alpha of [1, -2, 0.5, 0]) {
      for (const beta of [0, 1, -1, 0.25]) {
        for (const epilogue of EXACT_EPILOGUES) {
          const transposes = TRANSPOSES[seed % 4]!;
          runExact(harness, { m, n, k, ...transposed(transposes, m, n, k), alpha, beta, epilogue }, ++seed);
          runExact(harness, { m, n, k, c: [2 * n + 1, 2], alpha, beta, epilogue }, seed);
        }
      }
    }
  }
});

testVariants(
  "sgemm",
  "work never shrinks as m, n or k grow, so it can be sized once for the largest batch",
  (harness) => {
    const { sgemmWorkSize } = harness.kernels;
    const sizes = [0, 1, 2, 3, 4, 5, 36, 37, 40, 41, 512, 513, 2400, 2401, 5000];
    for (const m of sizes) {
      for (const n of sizes) {
        for (const k of sizes) {
          const floats = sgemmWorkSize(m, n, k);
          for (const [more, ...size] of [
            ["m", m + 1, n, k],
            ["n", m, n + 1, k],
            ["k", m, n, k + 1],
          ] as const) {
            if (sgemmWorkSize(...size) >= floats) continue;
            throw new Error(
              `sgemmWorkSize ${[m, n, k].join("×")} is ${String(floats)}, less with one more of ${more}.`,
            );
          }
        }
      }
    }
  },
);

testVariants("sgemm", "the tanh epilogue is within its bound of tanh of the exact sum", (harness) => {
  for (const [m, n, k] of [
    [1, 1, 1],
    [3, 9, 7],
    [13, 73, 33],
    [26, 90, 500],
  ] as const) {
    for (const beta of [0, 1]) {
      const shape: SgemmShape = { m, n, k, alpha: 2 ** -9, beta, epilogue: 3 };
      harness.run(sgemmCall(shape, integerData(shape, new Random(m)), harness.kernels, { ulp: TANH_ULP }));
    }
  }
});

testVariants("sgemm", "sizes beyond a block in each direction are exact", (harness) => {
  for (const [m, n, k] of [
    [1, 4700, 9],
    [2, 2400, 7],
    [3, 1600, 13],
    [4700, 1, 9],
    [3, 5, 1500],
    [30, 75, 700],
    [401, 83, 9],
    [7, 1300, 11],
    [30, 2500, 3],
    [75, 2411, 515],
  ] as const) {
    const shape: SgemmShape = { m, n, k, beta: 3, epilogue: 1 };
    const data = integerData(shape, new Random(m));
    const expected = sgemmReference(shape, data);
    for (const transposes of TRANSPOSES) {
      const stored = { ...shape, ...transposed(transposes, m, n, k) };
      harness.run(sgemmCall(stored, data, harness.kernels, EQUAL, expected));
    }
  }
});

/** What docs/NUMERICS.md says of few rows: one chain for each element, over rows of B that are a share of k apart. */
function fewRowsProduct({ m, n, k }: SgemmShape, { a, b }: SgemmData, rowStride: number): Accumulated {
  const small = 4 * rowStride * k <= 48 * 1024 || n === 4 || n === 8;
  const streams = small ? k : (4 * rowStride * Math.floor(k / 12)) % 4096 === 0 ? 5 : 12;
  const share = Math.floor(k / streams);
  const inShares = Array.from(
    { length: share * streams },
    (_, at) => (at % streams) * share + Math.floor(at / streams),
  );
  const order = [...inShares, ...Array.from({ length: k % streams }, (_, at) => share * streams + at)];
  const values = Float64Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return order.reduce((sum, p) => Math.fround(sum + Math.fround(a[i * k + p]! * b[p * n + j]!)), 0);
  });
  return { values, magnitude: new Float64Array(m * n) };
}

testVariants(
  "sgemm",
  "few rows add up in the stated order, for every remainder of streams, strips and vectors",
  (harness) => {
    const random = new Random(3);
    const run = (m: number, n: number, k: number, rowStride: number) => {
      const shape: SgemmShape = { m, n, k, b: [rowStride, 1] };
      const data = realData(shape, random);
      harness.run(sgemmCall(shape, data, harness.kernels, EQUAL, fewRowsProduct(shape, data, rowStride)));
    };
    for (let n = 1; n <= 40; n++) {
      for (const m of [1, 2, 3]) {
        if (n > 1) run(m, n, 5 + n, n);
        run(m, n, 36 + (n % 13), 400);
        run(m, n, 15 + (n % 7), 1024);
      }
    }
    for (const m of [1, 2, 3]) run(m, 5000, 13, 5000);
    for (const m of [1, 2, 3]) run(m, 700, 25, 700);
  },
  ["strict"],
);

testVariants("sgemm", "dot products are exact for every remainder of their tiles, blocks and vectors", (harness) => {
  let seed = 0;
  const run = (m: number, n: number, k: number) => {
    const [alpha, beta] = [seed % 3 === 0 ? 1 : -2, seed % 5 === 0 ? 0 : 0.5];
    const epilogue = EXACT_EPILOGUES[seed % 4]!;
    runExact(harness, { m, n, k, ...transposed("NT", m, n, k), alpha, beta, epilogue }, ++seed);
  };
  for (let n = 1; n <= 12; n++) for (const m of [4, 7, 127, 128, 129, 130]) run(m, n, 64 + (seed % 8));
  for (let n = 29; n <= 36; n++) for (const m of [4, 5, 11]) run(m, n, 288 + (seed % 8));
});

testVariants("sgemm", "a B of one row repeated by a stride of 0 is exact", (harness) => {
  for (const [m, n, k] of [
    [2, 40, 9],
    [5, 8, 9],
    [9, 90, 33],
    [50, 7, 12],
  ] as const) {
    runExact(harness, { m, n, k, b: [0, 1] }, m);
  }
});

testVariants("sgemm", "alpha = 0 and k = 0 read neither A nor B", (harness) => {
  const outside = 2 ** 32 - 4;
  for (const { k, alpha } of [
    { k: 9, alpha: 0 },
    { k: 0, alpha: 1 },
  ]) {
    for (const beta of [0, -2]) {
      for (const epilogue of EXACT_EPILOGUES) {
        for (const n of [5, 100]) {
          const shape: SgemmShape = { m: 30, n, k, alpha, beta, epilogue };
          const call = sgemmCall(shape, integerData(shape, new Random(1)), harness.kernels);
          const place = call.arguments;
          harness.run({ ...call, arguments: (p) => place({ ...p, a: outside, b: outside }) });
        }
      }
    }
  }
});

testVariants("sgemm", "counts and ranges of nothing touch nothing", (harness) => {
  for (const [m, n, k, rowBegin, rowEnd] of [
    [0, 0, 0, 0, 0],
    [-1, 5, 5, 0, -1],
    [5, -1, 5, 0, 5],
    [5, 5, 5, 3, 3],
    [5, 5, 5, 4, 2],
  ] as const) {
    const outside = 2 ** 32 - 4;
    const pointers = [outside, outside, outside, outside];
    harness.kernels.sgemm(
      ...(pointers as [number, number, number, number]),
      ...([m, n, k, n, 1, k, 1, n, 1, 1, 1, 2, 0, 0, rowBegin, rowEnd, outside] as const),
    );
  }
});

testVariants("sgemm", "a band of rows has the bits of the whole, and leaves the other rows alone", (harness) => {
  for (const [m, n, k] of [
    [3, 90, 450],
    [11, 1, 450],
    [1000, 1, 37],
    [11, 7, 13],
    [23, 70, 31],
    [29, 81, 450],
    [200, 90, 37],
    [13, 40, 450],
    [141, 7, 70],
  ] as const) {
    for (const transposes of TRANSPOSES) {
      for (const epilogue of EPILOGUES) {
        const shape: SgemmShape = { m, n, k, ...transposed(transposes, m, n, k), beta: 0.7, epilogue };
        const data = realData(shape, new Random(m));
        const tolerance = { roundings: matmulRoundings(k) };
        const whole = harness.run(sgemmCall(shape, data, harness.kernels, tolerance)).c!;
        for (const [from, to] of [
          [0, 1],
          [1, Math.min(6, m)],
          [Math.min(5, m - 1), m - 1],
          [m - 1, m],
        ] as const) {
          const band = sgemmCall({ ...shape, rows: [from, to] }, data, harness.kernels, tolerance);
          const part = harness.run(band, { at: "low", offset: from }).c!;
          const context = `sgemm ${harness.variant} [${band.shape}]`;
          expectSameBits(context, "c", part.slice(from * n, to * n), whole.slice(from * n, to * n));
        }
      }
    }
  }
});

testVariants("sgemm", "its statistics have the bits of columnStatistics of C, which they leave as it is", (harness) => {
  const output = (length: number) => ({ before: nans(length), unchecked: true });
  const shapes: [m: number, n: number, k: number, rows?: [number, number]][] = [
    [3, 90, 450],
    [11, 1, 450],
    [5, 8, 31],
    [29, 81, 450],
    [13, 40, 450],
    // Blocks of 36 rows, two of k, two of columns.
    [100, 90, 37],
    [133, 130, 1030],
    [40, 2450, 20],
    [141, 130, 70, [5, 130]],
  ];
  for (const [m, n, k, rows = [0, m] as const] of shapes) {
    for (const transposes of TRANSPOSES) {
      const shape: SgemmShape = { m, n, k, ...transposed(transposes, m, n, k), beta: 0.7, epilogue: 2, rows };
      const call = sgemmCall(shape, realData(shape, new Random(m)), harness.kernels, { roundings: matmulRoundings(k) });
      const context = `sgemm ${harness.variant} [${call.shape}]`;
      const plain = harness.run(call);
      const measured = harness.run({ ...call, operands: { ...call.operands, statistics: output(3 * n) } });
      expectSameBits(context, "c", measured.c!, plain.c!);
      const [begin, end] = rows;
      const { statistics } = harness.run({
        kernel: "columnStatistics",
        shape: call.shape,
        operands: { statistics: output(3 * n), x: { before: plain.c!.slice(begin * n, end * n) } },
        arguments: (p) => [p.statistics!, p.x!, end - begin, n, n, 0, n],
      });
      expectSameBits(context, "statistics", measured.statistics!, statistics!);
    }
  }
});

testVariants("sgemm", "the same bits at every alignment and after any other product", (harness) => {
  const shape: SgemmShape = { m: 27, n: 77, k: 100 };
  const data = realData(shape, new Random(3));
  const call = sgemmCall(shape, data, harness.kernels, { roundings: matmulRoundings(100) });
  const first = harness.run(call).c!;
  for (let offset = 1; offset < 16; offset++) {
    expectSameBits(`sgemm ${harness.variant}`, "c", harness.run(call, { at: "low", offset }).c!, first);
  }
});

testVariants(
  "sgemm",
  "NaN and infinity in a row of A or a column of B reach that row or column of C alone",
  (harness) => {
    for (const [m, n, k] of [
      [7, 9, 5],
      [29, 81, 13],
      [13, 100, 410],
    ] as const) {
      for (const transposes of TRANSPOSES) {
        for (const value of [NaN, Infinity, -Infinity]) {
          const shape: SgemmShape = { m, n, k, ...transposed(transposes, m, n, k) };
          const data = integerData(shape, new Random(k));
          // The reference follows IEEE, so it says which elements become NaN or infinite.
          const a = data.a.slice();
          a[(m - 2) * k + (k >> 1)] = value;
          harness.run(sgemmCall(shape, { ...data, a }, harness.kernels));
          const b = data.b.slice();
          b[(k - 1) * n + (n - 2)] = value;
          harness.run(sgemmCall(shape, { ...data, b }, harness.kernels));
          for (const epilogue of EPILOGUES) {
            const withBias = { ...shape, epilogue };
            const bias = data.bias.slice();
            bias[n - 1] = value;
            const tolerance = epilogue === 3 ? { ulp: TANH_ULP } : EQUAL;
            harness.run(sgemmCall(withBias, { ...data, bias }, harness.kernels, tolerance));
          }
        }
      }
    }
  },
);

testVariants("sgemm", "NaN in C passes through beta, and not at all when beta is 0", (harness) => {
  for (const [m, n, k] of [
    [7, 9, 5],
    [29, 80, 13],
  ] as const) {
    for (const beta of [0, 1]) {
      const shape: SgemmShape = { m, n, k, beta };
      const data = { ...integerData(shape, new Random(1)), c: nans(m * n) };
      harness.run(sgemmCall(shape, data, harness.kernels));
    }
  }
});

testVariants("sgemm", "random shapes, strides and scalars are exact on integers", (harness, t) => {
  const size = fc.integer({ min: 1, max: 70 });
  const strides = fc.record({
    flip: fc.boolean(),
    gap: fc.integer({ min: 0, max: 3 }),
    step: fc.constantFrom(1, 1, 2, 3),
    rowSign: fc.constantFrom(1, 1, -1),
    columnSign: fc.constantFrom(1, 1, -1),
  });
  const property = fc.property(
    fc.record({ m: size, n: size, k: size, epilogue: fc.constantFrom(...EXACT_EPILOGUES) }),
    fc.tuple(strides, strides, strides),
    fc.tuple(fc.constantFrom(1, -1, 2, 0.5), fc.constantFrom(0, 1, -2)),
    fc.nat(),
    ({ m, n, k, epilogue }, [sa, sb, sc], [alpha, beta], seed) => {
      const stride = (s: typeof sa, rows: number, columns: number): [number, number] => {
        const inner = s.step;
        const outer = (s.flip ? rows : columns) * s.step + s.gap;
        return s.flip ? [inner * s.rowSign, outer * s.columnSign] : [outer * s.rowSign, inner * s.columnSign];
      };
      runExact(
        harness,
        { m, n, k, a: stride(sa, m, k), b: stride(sb, k, n), c: stride(sc, m, n), alpha, beta, epilogue },
        seed,
      );
    },
  );
  checkProperty(t, property, 300);
});

testVariants("sgemm", "random large shapes are within (k + 12)·2⁻²⁴ of the summed magnitudes", (harness, t) => {
  const odd = (max: number) => fc.integer({ min: 0, max: max >> 1 }).map((half) => 2 * half + 1);
  const property = fc.property(
    fc.oneof(
      fc.record({ m: odd(150), n: odd(250), k: odd(250) }),
      fc.record({ m: odd(9), n: odd(9), k: odd(3000) }),
      fc.record({ m: odd(400), n: odd(30), k: odd(100) }),
      fc.record({ m: odd(20), n: odd(1500), k: odd(60) }),
    ),
    fc.constantFrom(...TRANSPOSES),
    fc.tuple(fc.double({ min: -2, max: 2, noNaN: true }), fc.constantFrom(0, 0.3), fc.constantFrom(...EPILOGUES)),
    fc.nat(),
    ({ m, n, k }, transposes, [alpha, beta, epilogue], seed) => {
      const scalars = { alpha: Math.fround(alpha), beta: Math.fround(beta), epilogue };
      const shape: SgemmShape = { m, n, k, ...transposed(transposes, m, n, k), ...scalars };
      const tolerance = { roundings: matmulRoundings(k) };
      harness.run(sgemmCall(shape, realData(shape, new Random(seed)), harness.kernels, tolerance), {
        at: "low",
        offset: seed % 16,
      });
    },
  );
  checkProperty(t, property, 40);
});
