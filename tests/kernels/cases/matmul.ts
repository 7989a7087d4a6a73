/** Matrix products. sgemm.test.ts has every small shape, scalars, epilogues, bands, random shapes. */
import type { Call, Harness, Operand } from "../../support/harness.js";
import { Layout } from "../../support/layout.js";
import type { Random } from "../../support/random.js";
import {
  EQUAL,
  integerData,
  nans,
  printShape,
  sgemmCall,
  transposed,
  type SgemmShape,
  type Strides,
} from "../calls.js";
import { add } from "./table.js";

const products: SgemmShape[] = [];
for (const [m, n, k] of [
  [1, 1, 1],
  [1, 9, 5],
  [7, 1, 5],
  [3, 1, 40],
  [2, 8, 3],
  [5, 7, 17],
  [6, 16, 4],
  [13, 31, 9],
  [37, 5, 21],
  [40, 83, 33],
  [0, 3, 2],
  [3, 0, 2],
  [3, 2, 0],
] as const) {
  for (const transposes of ["NN", "TN", "NT", "TT"]) {
    products.push({ m, n, k, ...transposed(transposes, m, n, k), beta: 2, epilogue: 2 });
  }
  if (m === 0 || n === 0) continue;
  // Gaps between rows and between columns, in each matrix; then everything backwards; then broadcast inputs.
  products.push({ m, n, k, a: [2 * k + 1, 2], b: [3, 3 * k + 2], c: [2 * n + 3, 2], epilogue: 1 });
  products.push({ m, n, k, a: [-k - 1, 1], b: [n, -1], c: [-n - 5, -1], alpha: -2, beta: -1 });
  products.push({ m, n, k, a: [0, 1], b: [1, 0], c: [1, m + 2], beta: 1 });
  products.push({ m, n, k, a: [1, 0], b: [0, 1] }, { m, n, k, a: [k, 1], b: [0, 0] });
}

add("sgemm", {
  shapes: products,
  call: (shape, random, { kernels }) => sgemmCall(shape, integerData(shape, random), kernels),
});

/** Shapes with the layout of a B that is packed on its own. */
const packings = [
  [1, 1],
  [5, 3],
  [8, 16],
  [19, 7],
  [70, 33],
  [2320, 9], // more sums of two rows than are kept at once
  [9, 0],
].flatMap(([n, k]) => [
  { n: n!, k: k!, b: [n!, 1] as Strides },
  { n: n!, k: k!, b: [1, k! + 2] as Strides },
  { n: n!, k: k!, b: [2 * n! + 1, -2] as Strides },
]);

function packB({ n, k, b }: { n: number; k: number; b: Strides }, values: Float32Array, { kernels }: Harness): Call {
  const layout = new Layout(k, n, ...b);
  return {
    kernel: "sgemmPackB",
    shape: printShape({ n, k, b }),
    operands: {
      packed: { before: nans(kernels.sgemmPackedSize(n, k)), unchecked: true },
      b: { before: layout.place(values), origin: layout.origin },
    },
    arguments: (p) => [p.packed!, p.b!, n, k, ...b],
  };
}

add("sgemmPackB", {
  shapes: packings,
  // How B lies when packed is the kernels' own affair: sgemmPrepacked shows that it is all there.
  call: (shape, random, harness) => packB(shape, random.floats(shape.k * shape.n), harness),
});

add("sgemmPrepacked", {
  shapes: packings.flatMap((shape) => [1, 2, 4, 13].map((m) => ({ m, ...shape }))),
  call: (shape, random, harness) => {
    const { m, n, k } = shape;
    const product = { m, n, k, alpha: 2, beta: 1, epilogue: 2 } as const;
    const data = integerData(product, random);
    const { operands } = sgemmCall(product, data, harness.kernels);
    const packed = harness.run(packB(shape, data.b, harness)).packed!;
    return {
      operands: { ...operands, b: { before: packed } },
      arguments: (p) => [p.c!, p.a!, p.b!, p.bias!, m, n, k, n, 1, k, 1, 2, 1, 2, 0, 0, m, p.work!],
    };
  },
});

/** Three products of one shape behind each other, each as sgemmCall has it, with one bias. */
function batch({ m, n, k }: SgemmShape, random: Random, harness: Harness): Call["operands"] {
  const shape: SgemmShape = { m, n, k, beta: -1, epilogue: 1 };
  const bias = random.integers(n);
  const calls = [0, 1, 2].map(
    () => sgemmCall(shape, { ...integerData(shape, random), bias }, harness.kernels).operands,
  );
  const join = (name: string) => Float32Array.from(calls.flatMap((operands) => [...operands[name]!.before]));
  const values = calls.flatMap(({ c }) => Array.from(c!.after!.values));
  return {
    c: { before: join("c"), after: { values, tolerance: EQUAL } },
    a: { before: join("a") },
    b: { before: join("b") },
    bias: { before: bias },
    work: calls[0]!.work!,
  };
}

const threeProducts: SgemmShape[] = [
  { m: 1, n: 1, k: 1 },
  { m: 3, n: 9, k: 5 },
  { m: 9, n: 20, k: 13 },
  { m: 4, n: 5, k: 0 },
];

add("sgemmStridedBatched", {
  shapes: threeProducts,
  call: ({ m, n, k }, random, harness) => ({
    operands: batch({ m, n, k }, random, harness),
    arguments: (p) => [
      ...[p.c!, p.a!, p.b!, p.bias!, m, n, k, n, 1, k, 1, n, 1],
      ...[m * n, m * k, k * n, 1, -1, 1, 0, 0, 3, p.work!],
    ],
  }),
});

add("sgemmBatched", {
  shapes: threeProducts,
  call: ({ m, n, k }, random, harness) => {
    const list = (name: string, step: number): Operand => ({
      before: new Uint32Array(3),
      addresses: (p) => [0, 1, 2].map((i) => p[name]! + i * step * 4),
    });
    return {
      operands: {
        ...batch({ m, n, k }, random, harness),
        cs: list("c", m * n),
        as: list("a", m * k),
        bs: list("b", k * n),
      },
      arguments: (p) => [...[p.cs!, p.as!, p.bs!, p.bias!, m, n, k, n, 1, k, 1, n, 1], ...[1, -1, 1, 0, 0, 3, p.work!]],
    };
  },
});
