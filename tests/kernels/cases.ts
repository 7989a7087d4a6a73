/**
 * The table of cases: every kernel, the shapes it runs in, its reference and its tolerance. table.test.ts runs each row in
 * each variant, at every placement and in place where a row allows it. A new kernel adds a row here; one without a row
 * fails.
 */
import * as activations from "../reference/activations.js";
import * as data from "../reference/data.js";
import * as losses from "../reference/losses.js";
import * as optimizers from "../reference/optimizers.js";
import * as philox from "../reference/random.js";
import { argmaxRows, columnSums, sumOfSquares } from "../reference/reductions.js";
import { expectUnary, UNARY, type UnaryKernel } from "../reference/unary.js";
import type { Accumulated } from "../reference/matmul.js";
import * as softmaxes from "../reference/softmax.js";
import type { Tolerance } from "../support/compare.js";
import type { Call, Data, Harness, Operand } from "../support/harness.js";
import type { KernelName } from "../support/kernels.js";
import { Layout } from "../support/layout.js";
import { SPECIALS, type Random } from "../support/random.js";
import {
  EQUAL,
  batchNormBackwardCall,
  batchNormData,
  batchNormForwardCall,
  batchNormInferenceCall,
  dropoutCall,
  integerData,
  nans,
  philoxArguments,
  printShape,
  sgemmCall,
  transposed,
  type BatchNormBackwardShape,
  type BatchNormShape,
  type RunningOptions,
  softmaxCall,
  softmaxRoundings,
  weightedSoftmaxCall,
  type SgemmShape,
  type SoftmaxShape,
  type Strides,
} from "./calls.js";

export interface Case {
  kernel: KernelName;
  /** One call per shape. */
  calls: ((random: Random, harness: Harness) => Call)[];
  /** Outputs that may share the memory of an input. */
  inPlace: Record<string, string>[];
}

interface Row<Shape> {
  shapes: readonly Shape[];
  call: (shape: Shape, random: Random, harness: Harness) => Pick<Call, "operands" | "arguments">;
  inPlace?: Record<string, string>[];
}

const cases: Case[] = [];

function add<Shape extends object>(kernel: KernelName, { shapes, call, inPlace = [] }: Row<Shape>): void {
  cases.push({
    kernel,
    calls: shapes.map((shape) => (random, harness) => ({
      kernel,
      shape: printShape(shape),
      ...call(shape, random, harness),
    })),
    inPlace,
  });
}

/** Every count around a vector (4), an iteration of the loops (16, 32) and a few of both; none and less than none. */
const COUNTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 129, 1027, -1];
const counts = COUNTS.map((n) => ({ n }));

/** Half special values, half ordinary ones, in every lane. */
function mixed(random: Random, n: number, low = -4, high = 4): Float32Array {
  return Float32Array.from({ length: Math.max(n, 0) }, () =>
    random.bits() & 1 ? random.pick(SPECIALS) : random.uniform(low, high),
  );
}

/** Values spread over the whole range of float32, specials among them. */
function anyFloats(random: Random, n: number): Float32Array {
  const bits = Uint32Array.from({ length: Math.max(n, 0) }, () => random.bits());
  return new Float32Array(bits.buffer).map((value) => (random.bits() % 4 === 0 ? random.pick(SPECIALS) : value));
}

// Elementwise, one input: y ← f(x), with special values among those in a range, and among floats of any bits.

for (const [kernel, unary] of Object.entries<UnaryKernel>(UNARY)) {
  add(kernel as KernelName, {
    shapes: counts.flatMap(({ n }) => [
      { n, inputs: "in range" },
      { n, inputs: "any" },
    ]),
    call: ({ n, inputs }, random) => {
      const x = inputs === "any" ? anyFloats(random, n) : mixed(random, n, ...unary.range);
      return {
        operands: { y: { before: nans(x.length), after: expectUnary(unary, x) }, x: { before: x } },
        arguments: (p) => [p.y!, p.x!, n, ...unary.scalars],
      };
    },
    inPlace: [{ y: "x" }],
  });
}

// Elementwise, dx from dy and from x or y = f(x).

interface Backward {
  /** The operand beside dy. Where it is y, the values are those that f takes. */
  from: "x" | "y";
  values?: (random: Random, n: number) => Float32Array;
  /** The derivative times dy, and what was accumulated beside dy; exact without it. */
  reference: (x: number, dy: number) => number;
  magnitude?: (x: number) => number;
  roundings?: number;
  scalars?: number[];
}

function backward(kernel: KernelName, { from, values, reference, magnitude, roundings, scalars = [] }: Backward): void {
  add(kernel, {
    shapes: counts,
    call: ({ n }, random) => {
      const x = values?.(random, n) ?? mixed(random, n);
      const dy = magnitude ? mixed(random, n) : anyFloats(random, n);
      const expected = Array.from(x, (value, i) => reference(value, dy[i]!));
      const after = magnitude
        ? {
            values: expected,
            magnitude: Array.from(x, (value, i) => Math.abs(dy[i]!) * magnitude(value)),
            tolerance: { roundings: roundings! },
          }
        : { values: expected, tolerance: "exact" as const };
      return {
        operands: { dx: { before: nans(x.length), after }, [from]: { before: x }, dy: { before: dy } },
        arguments: (p) => [p.dx!, p[from]!, p.dy!, n, ...scalars],
      };
    },
    inPlace: [{ dx: from }, { dx: "dy" }],
  });
}

/** NaN or a value from low to high, special ones among them. */
const between = (low: number, high: number) => (random: Random, n: number) =>
  mixed(random, n, low, high).map((value) => (value < low ? low : value > high ? high : value));

backward("reluBackward", { from: "x", reference: activations.reluBackward });
for (const slope of [1 / 4, -2]) {
  backward("leakyReluBackward", {
    from: "x",
    reference: (x, dy) => activations.leakyReluBackward(x, dy, slope),
    scalars: [slope],
  });
}
backward("tanhBackward", {
  from: "y",
  values: between(-1, 1),
  reference: activations.tanhBackward,
  magnitude: (y) => 1 + y * y,
  roundings: 3,
});
backward("sigmoidBackward", {
  from: "y",
  values: between(0, 1),
  reference: activations.sigmoidBackward,
  magnitude: (y) => y,
  roundings: 3,
});
backward("eluBackward", {
  from: "y",
  values: between(-1.5, 20),
  reference: (y, dy) => activations.eluBackward(y, dy, 1.5),
  magnitude: (y) => (y > 0 ? 1 : 3),
  roundings: 2,
  scalars: [1.5],
});
backward("softplusBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -30, 30),
  reference: activations.softplusBackward,
  magnitude: activations.sigmoid,
  roundings: 6,
});
backward("siluBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -30, 30),
  reference: activations.siluBackward,
  magnitude: (x) => activations.sigmoid(x) * (1 + Math.abs(x)),
  roundings: 8,
});
backward("geluBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -5, 5),
  reference: activations.geluBackward,
  magnitude: (x) => activations.normal(x) + Math.abs(x) * Math.exp((-x * x) / 2),
  roundings: 8,
});
backward("geluTanhBackward", {
  from: "x",
  values: (random, n) => mixed(random, n, -6, 6),
  reference: activations.geluTanhBackward,
  magnitude: (x) => {
    const s = activations.sigmoid(activations.geluTanhArgument(x));
    return s * (1 + Math.min(Math.abs(x), 1e4) * (1.6 + 0.22 * Math.min(x * x, 1e8)));
  },
  roundings: 12,
});

// ReLU with its mask in bits: every count around a byte, and around two.

add("reluWithMask", {
  shapes: counts,
  call: ({ n }, random) => {
    const x = mixed(random, n);
    const mask = { values: activations.reluMask(x), tolerance: EQUAL };
    return {
      operands: {
        y: { before: nans(x.length), after: { values: Array.from(x, activations.relu), tolerance: "exact" } },
        mask: { before: new Uint8Array(mask.values.length).fill(0x5a), after: mask },
        x: { before: x },
      },
      arguments: (p) => [p.y!, p.mask!, p.x!, n],
    };
  },
  inPlace: [{ y: "x" }],
});

add("reluMaskBackward", {
  shapes: counts,
  call: ({ n }, random) => {
    const dy = anyFloats(random, n);
    const mask = Uint8Array.from({ length: Math.ceil(dy.length / 8) }, () => random.bits());
    const values = activations.reluMaskBackward(mask, dy);
    return {
      operands: {
        dx: { before: nans(dy.length), after: { values, tolerance: "exact" } },
        mask: { before: mask },
        dy: { before: dy },
      },
      arguments: (p) => [p.dx!, p.mask!, p.dy!, n],
    };
  },
  inPlace: [{ dx: "dy" }],
});

// Matrix product. sgemm.test.ts has every small shape, scalars, epilogues, bands, random shapes.

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
  shapes: packings.map((shape, i) => ({ m: [1, 4, 13][i % 3]!, ...shape })),
  call: (shape, random, harness) => {
    const { m, n, k } = shape;
    const product = { m, n, k, alpha: 2, beta: 1, epilogue: 2 } as const;
    const data = integerData(product, random);
    const { operands } = sgemmCall(product, data, harness.kernels);
    const packed = harness.run(packB(shape, data.b, harness)).packed!;
    return {
      operands: { ...operands, b: { before: packed } },
      arguments: (p) => [p.c!, p.a!, p.b!, p.bias!, m, n, k, n, 1, k, 1, 2, 1, 2, 0, m, p.work!],
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
      ...[m * n, m * k, k * n, 1, -1, 1, 0, 3, p.work!],
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
      arguments: (p) => [...[p.cs!, p.as!, p.bs!, p.bias!, m, n, k, n, 1, k, 1, n, 1], ...[1, -1, 1, 0, 3, p.work!]],
    };
  },
});

// Data.

/** Scales that are powers of two make x·scale + shift exact, fused or not. */
const pixels = { scale: 1 / 256, shift: -0.5 };

add("uint8ToFloat32", {
  shapes: counts,
  call: ({ n }, random) => {
    const x = Uint8Array.from({ length: Math.max(n, 0) }, (_, i) => (n > 256 ? i : random.bits()));
    const values = Array.from(x, (value) => data.uint8ToFloat32(value, pixels.scale, pixels.shift));
    return {
      operands: { y: { before: nans(x.length), after: { values, tolerance: "exact" } }, x: { before: x } },
      arguments: (p) => [p.y!, p.x!, n, pixels.scale, pixels.shift],
    };
  },
});

const gathers = [
  ...COUNTS.map((cols) => ({ rows: 3, cols, from: 5 })),
  ...[0, 1, 2, 9, -1].map((rows) => ({ rows, cols: 7, from: 4 })),
];

function rowIndex(random: Random, rows: number, from: number): Int32Array {
  return Int32Array.from({ length: Math.max(rows, 0) }, () => random.integer(0, from - 1));
}

add("gatherRows", {
  shapes: gathers,
  call: ({ rows, cols, from }, random) => {
    const width = Math.max(cols, 0);
    // Any bits at all, compared as integers: a copy keeps the payload of a NaN.
    const x = Uint32Array.from({ length: from * width }, () => random.bits() | (random.bits() & 1 ? 0x7f800001 : 0));
    const index = rowIndex(random, rows, from);
    const values = data.gatherRows(x, index, index.length, width);
    return {
      operands: {
        y: { before: new Uint32Array(values.length).fill(0x7fc00000), after: { values, tolerance: EQUAL } },
        x: { before: x },
        index: { before: index },
      },
      arguments: (p) => [p.y!, p.x!, p.index!, rows, cols],
    };
  },
});

add("gatherRowsUint8", {
  shapes: gathers,
  call: ({ rows, cols, from }, random) => {
    const width = Math.max(cols, 0);
    const x = Uint8Array.from({ length: from * width }, () => random.bits());
    const index = rowIndex(random, rows, from);
    const values = data
      .gatherRows(x, index, index.length, width)
      .map((value) => data.uint8ToFloat32(value, pixels.scale, pixels.shift));
    return {
      operands: {
        y: { before: nans(values.length), after: { values, tolerance: "exact" } },
        x: { before: x },
        index: { before: index },
      },
      arguments: (p) => [p.y!, p.x!, p.index!, rows, cols, pixels.scale, pixels.shift],
    };
  },
});

// Reductions.

/** Widths and heights around every unrolling, rows with gaps, and a band. */
const matrices = [
  ...COUNTS.map((cols) => ({ rows: 5, cols, gap: 0 })),
  ...[0, 1, 2, 3, 31, 32, 33, 65, 200, -1].map((rows) => ({ rows, cols: 37, gap: 3 })),
];
const columnBands = [
  ...matrices.map((shape) => ({ ...shape, colBegin: 0, colEnd: Math.max(shape.cols, 0) })),
  { rows: 40, cols: 70, gap: 1, colBegin: 3, colEnd: 66 },
  { rows: 40, cols: 70, gap: 1, colBegin: 9, colEnd: 9 },
];
const rowBands = [
  ...matrices.map((shape) => ({ ...shape, rowBegin: 0, rowEnd: Math.max(shape.rows, 0) })),
  { rows: 9, cols: 21, gap: 2, rowBegin: 2, rowEnd: 7 },
  { rows: 9, cols: 21, gap: 2, rowBegin: 4, rowEnd: 4 },
];

add("columnSums", {
  shapes: [0, 1].flatMap((accumulate) => columnBands.map((shape) => ({ ...shape, accumulate }))),
  call: ({ rows, cols, gap, colBegin, colEnd, accumulate }, random) => {
    const layout = new Layout(Math.max(rows, 0), Math.max(cols, 0), cols + gap);
    const x = random.integers(layout.rows * layout.columns, -1000, 1000);
    const out = accumulate ? random.integers(layout.columns) : nans(layout.columns);
    const sums = columnSums(x, layout.rows, layout.columns, accumulate ? out : null);
    const after = { ...sums, tolerance: "exact" as const, covers: (j: number) => j >= colBegin && j < colEnd };
    return {
      operands: { out: { before: out, after }, x: { before: layout.place(x) } },
      arguments: (p) => [p.out!, p.x!, rows, cols, cols + gap, accumulate, colBegin, colEnd],
    };
  },
});

/** Elements of a part of sumOfSquares. */
const PART = 4096;

add<{ n: number; values: string; partBegin?: number; partEnd?: number }>("sumOfSquares", {
  shapes: [
    ...[...COUNTS, PART - 1, PART, PART + 1, 3 * PART + 21].flatMap((n) => [
      { n, values: "integers" },
      { n, values: "any size" },
    ]),
    { n: 5 * PART - 7, values: "any size", partBegin: 1, partEnd: 3 },
    { n: 5 * PART - 7, values: "any size", partBegin: 4, partEnd: 9 },
    { n: 2 * PART, values: "integers", partBegin: 1, partEnd: 1 },
  ],
  call: ({ n, values: kind, partBegin = 0, partEnd }, random, { kernels }) => {
    const length = Math.max(n, 0);
    const x =
      kind === "integers"
        ? random.integers(length, -4096, 4096)
        : Float32Array.from({ length }, () => random.uniform() * random.pick([1e-30, 1e-3, 1, 1e30]));
    const parts = kernels.sumOfSquaresSize(n);
    const values = sumOfSquares(x, PART);
    // Sums of at most 260 float64; of integers they are exact.
    const tolerance: Tolerance = kind === "integers" ? EQUAL : { roundings: 260 * 2 ** -29 };
    const end = partEnd ?? parts;
    const covers = (p: number) => p >= partBegin && p < end;
    return {
      operands: {
        parts: { before: new Float64Array(parts).fill(NaN), after: { values, magnitude: values, tolerance, covers } },
        x: { before: x },
      },
      arguments: (p) => [p.parts!, p.x!, n, partBegin, end],
    };
  },
});

add("argmaxRows", {
  shapes: rowBands.filter(({ cols }) => cols > 0),
  call: ({ rows, cols, gap, rowBegin, rowEnd }, random) => {
    const layout = new Layout(Math.max(rows, 0), cols, cols + gap);
    // Few different values, so that the first of several equal maxima counts; every third row holds NaNs.
    const x = Float32Array.from({ length: layout.rows * cols }, (_, at) =>
      Math.floor(at / cols) % 3 === 2 && random.bits() % 4 === 0 ? NaN : random.pick([-Infinity, -2, -0, 0, 3, 3]),
    );
    const values = argmaxRows(x, layout.rows, cols);
    const after = { values, tolerance: EQUAL, covers: (i: number) => i >= rowBegin && i < rowEnd };
    return {
      operands: {
        index: { before: new Int32Array(layout.rows).fill(-7), after },
        x: { before: layout.place(x) },
      },
      arguments: (p) => [p.index!, p.x!, rows, cols, cols + gap, rowBegin, rowEnd],
    };
  },
});

// Batch norm. batchNorm.test.ts has stability, masks, bands and gradients.

/** 0 and 1 in turns. */
const flag = (i: number) => (i & 1) as 0 | 1;

const batches: BatchNormBackwardShape[] = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 131].map((cols) => ({ rows: 5, cols })),
  ...[0, 1, 2, 3, 31, 32, 33, 65, 200].map((rows) => ({ rows, cols: 21 })),
].flatMap((shape, i) => [
  { ...shape, relu: flag(i) },
  { ...shape, gapX: 3, gapY: 3, gapDx: 3, gapDy: 3, relu: flag(~i) },
]);
const gaps: BatchNormBackwardShape = { rows: 40, cols: 37, gapX: 1, gapY: 2, gapDx: 4, gapDy: 3 };

add<BatchNormShape & RunningOptions>("batchNormForward", {
  shapes: [
    ...batches.map((shape, i) => ({ ...shape, unbiased: flag(i >> 1) })),
    { ...gaps, relu: 1, band: [3, 30], momentum: 0.9 },
    { ...gaps, band: [5, 5] },
  ],
  call: (shape, random, { kernels }) => batchNormForwardCall(shape, batchNormData(shape, random), kernels),
  inPlace: [{ y: "x" }],
});

add<BatchNormShape>("batchNormInference", {
  shapes: [...batches, { ...gaps, relu: 1, band: [3, 30] }, { ...gaps, band: [5, 5] }],
  call: (shape, random, { kernels }) => batchNormInferenceCall(shape, batchNormData(shape, random), kernels),
  inPlace: [{ y: "x" }],
});

add<BatchNormBackwardShape>("batchNormBackward", {
  shapes: [
    ...batches.map((shape, i) => ({ ...shape, accumulate: flag(i >> 1) })),
    { ...gaps, relu: 1, band: [3, 30], accumulate: 1 },
    { ...gaps, band: [5, 5] },
  ],
  call: (shape, random, { kernels }) => {
    const dy = random.floats(shape.rows * shape.cols);
    return batchNormBackwardCall(shape, { ...batchNormData(shape, random), dy }, kernels);
  },
  inPlace: [{ dx: "dy" }, { dx: "x" }],
});

// Losses.

const classes: SoftmaxShape[] = [
  ...COUNTS.filter((cols) => cols > 0).map((cols) => ({ rows: 3, cols, scale: 1 / 3 })),
  ...[0, 1, 2, 4, 5, 8, 9].flatMap((rows) => [
    { rows, cols: 10, scale: 0.5 },
    { rows, cols: 21, gapX: 3, gapDx: 3 },
  ]),
  { rows: 11, cols: 10, gapX: 1, gapDx: 2, band: [2, 9] },
  { rows: 11, cols: 10, band: [4, 4] },
];

add("softmaxCrossEntropy", {
  shapes: classes,
  call: (shape, random) => {
    const { rows, cols } = shape;
    return softmaxCall(
      shape,
      rowsOfManyScales(random, rows, cols),
      Int32Array.from({ length: rows }, () => random.integer(0, cols - 1)),
    );
  },
  inPlace: [{ dLogits: "logits" }],
});

// Softmax. losses.test.ts has stability and special values.

/** Row i of `scale` 1, 30, 1e4 and 0 in turns. */
function rowsOfManyScales(random: Random, rows: number, cols: number): Float32Array {
  return Float32Array.from({ length: rows * cols }, (_, at) => {
    const scale = [1, 30, 1e4, 0][Math.floor(at / cols) % 4]!;
    return scale * random.uniform();
  });
}

type RowsReference = (
  rows: number,
  cols: number,
  random: Random,
) => { inputs: Record<string, Float32Array>; expected: Accumulated };

/** A kernel over rows: `output` ← f(inputs), each operand with another gap between its rows. */
function byRows(
  kernel: KernelName,
  output: string,
  roundings: (cols: number) => number,
  reference: RowsReference,
): void {
  add(kernel, {
    shapes: rowBands,
    call: ({ rows, cols, gap, rowBegin, rowEnd }, random) => {
      const [height, width] = [Math.max(rows, 0), Math.max(cols, 0)];
      const { inputs, expected } = reference(height, width, random);
      const names = [output, ...Object.keys(inputs)];
      const layouts = names.map((_, i) => new Layout(height, width, width + gap * (i + 1)));
      const tolerance = { roundings: roundings(width) };
      const after = layouts[0]!.expect(expected, tolerance, [rowBegin, rowEnd], [0, width]);
      const operands: Record<string, Operand> = { [output]: { before: nans(layouts[0]!.length), after } };
      Object.entries(inputs).forEach(([name, values], i) => {
        operands[name] = { before: layouts[i + 1]!.place(values) };
      });
      const strides = layouts.map(({ rowStride }) => rowStride);
      return {
        operands,
        arguments: (p) => [...names.map((name) => p[name]!), rows, cols, ...strides, rowBegin, rowEnd],
      };
    },
    inPlace: kernel.endsWith("Backward") ? [{ [output]: "y" }, { [output]: "dy" }] : [{ [output]: "x" }],
  });
}

byRows("softmax", "y", softmaxRoundings, (rows, cols, random) => {
  const x = rowsOfManyScales(random, rows, cols);
  return { inputs: { x }, expected: softmaxes.softmax(x, rows, cols) };
});
byRows("logSoftmax", "y", softmaxRoundings, (rows, cols, random) => {
  const x = rowsOfManyScales(random, rows, cols);
  return { inputs: { x }, expected: softmaxes.logSoftmax(x, rows, cols) };
});
byRows("softmaxBackward", "dx", softmaxRoundings, (rows, cols, random) => {
  const [y, dy] = [random.floats(rows * cols, 0, 1), random.floats(rows * cols)];
  return { inputs: { y, dy }, expected: softmaxes.softmaxBackward(y, dy, rows, cols) };
});
byRows("logSoftmaxBackward", "dx", softmaxRoundings, (rows, cols, random) => {
  const [y, dy] = [random.floats(rows * cols, -110, 0), random.floats(rows * cols)];
  return { inputs: { y, dy }, expected: softmaxes.logSoftmaxBackward(y, dy, rows, cols) };
});

// Maxout: few different values, so that the first of several equal maxima counts, and NaNs.

const maxouts = rowBands.flatMap((shape, i) => [
  { ...shape, pieces: 1 + (i % 4) },
  ...(i === 3 ? [{ ...shape, pieces: 0 }] : []),
]);

function maxoutData(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => random.pick([-Infinity, -2, 0, 3, 3, 5, NaN]));
}

add("maxout", {
  shapes: maxouts,
  call: ({ rows, cols, gap, pieces, rowBegin, rowEnd }, random) => {
    const [height, features] = [Math.max(rows, 0), Math.max(cols, 0)];
    const x = maxoutData(random, height * features * pieces);
    const layoutX = new Layout(height, features * pieces, features * pieces + gap);
    const layoutY = new Layout(height, features, features + 2 * gap);
    const values = pieces === 0 ? new Float64Array(height * features) : activations.maxout(x, height, features, pieces);
    const band = pieces === 0 ? ([0, 0] as const) : ([rowBegin, rowEnd] as const);
    const after = layoutY.expect({ values, magnitude: values }, EQUAL, band, [0, features]);
    return {
      operands: { y: { before: nans(layoutY.length), after }, x: { before: layoutX.place(x) } },
      arguments: (p) => [p.y!, p.x!, rows, cols, pieces, layoutY.rowStride, layoutX.rowStride, rowBegin, rowEnd],
    };
  },
});

add("maxoutBackward", {
  shapes: maxouts,
  call: ({ rows, cols, gap, pieces, rowBegin, rowEnd }, random) => {
    const [height, features] = [Math.max(rows, 0), Math.max(cols, 0)];
    const x = maxoutData(random, height * features * pieces);
    const dy = mixed(random, height * features);
    const layout = new Layout(height, features * pieces, features * pieces + gap);
    const layoutDy = new Layout(height, features, features + 2 * gap);
    const values = activations.maxoutBackward(x, dy, height, features, pieces);
    const after = layout.expect({ values, magnitude: values }, "exact", [rowBegin, rowEnd], [0, layout.columns]);
    const strides = [layout.rowStride, layout.rowStride, layoutDy.rowStride];
    return {
      operands: {
        dx: { before: nans(layout.length), after },
        x: { before: layout.place(x) },
        dy: { before: layoutDy.place(dy) },
      },
      arguments: (p) => [p.dx!, p.x!, p.dy!, rows, cols, pieces, ...strides, rowBegin, rowEnd],
    };
  },
  inPlace: [{ dx: "x" }],
});

add("meanSquaredError", {
  shapes: rowBands,
  call: ({ rows, cols, rowBegin, rowEnd }, random) => {
    const layout = new Layout(Math.max(rows, 0), Math.max(cols, 0));
    const y = random.integers(layout.length, -50, 50);
    const target = random.integers(layout.length, -50, 50);
    const scale = 0.25;
    const { loss, dy } = losses.meanSquaredError(y, target, layout.rows, layout.columns, scale);
    const covers = (i: number) => i >= rowBegin && i < rowEnd;
    const all = { values: dy, magnitude: dy };
    return {
      operands: {
        loss: { before: nans(layout.rows), after: { values: loss, tolerance: "exact", covers } },
        dy: { before: nans(dy.length), after: layout.expect(all, "exact", [rowBegin, rowEnd], [0, layout.columns]) },
        y: { before: y },
        target: { before: target },
      },
      arguments: (p) => [p.loss!, p.dy!, p.y!, p.target!, rows, cols, scale, rowBegin, rowEnd],
    };
  },
});

for (const [kernel, term, parameters] of [
  ["meanAbsoluteError", losses.absolute, []],
  ["huber", losses.huber(0.75), [0.75]],
  ["sigmoidBinaryCrossEntropy", losses.logistic, []],
] as const) {
  add(kernel, {
    shapes: rowBands.flatMap((band) => [
      { ...band, size: 1 },
      { ...band, size: 30 },
    ]),
    call: ({ rows, cols, rowBegin, rowEnd, size }, random) => {
      const layout = new Layout(Math.max(rows, 0), Math.max(cols, 0));
      const y = random.floats(layout.length, -size, size).map((value, i) => (i % 11 === 5 ? 0 : value));
      // Targets from 0 to 1, both among them, and some that y meets.
      const target = y.map((value, i) =>
        i % 5 === 2 ? Math.max(0, Math.min(value, 1)) : random.pick([0, 1, random.uniform(0, 1)]),
      );
      const scale = 0.25;
      const { loss, dy } = losses.elementwise(term, y, target, layout.rows, layout.columns, scale);
      const covers = (i: number) => i >= rowBegin && i < rowEnd;
      // A sum of at most ⌈cols / 16⌉ + 3 terms in each lane, of a few roundings each.
      const tolerance = { roundings: Math.max(cols, 0) / 16 + 16 };
      return {
        operands: {
          loss: { before: nans(layout.rows), after: { ...loss, tolerance, covers } },
          dy: {
            before: nans(layout.length),
            after: layout.expect(dy, { roundings: 6 }, [rowBegin, rowEnd], [0, layout.columns]),
          },
          y: { before: y },
          target: { before: target },
        },
        arguments: (p) => [p.loss!, p.dy!, p.y!, p.target!, rows, cols, ...parameters, scale, rowBegin, rowEnd],
      };
    },
    inPlace: [{ dy: "y" }, { dy: "target" }],
  });
}

add("softmaxCrossEntropyWeighted", {
  shapes: classes.flatMap((shape) =>
    [
      { kind: "probabilities", smoothing: 0, weighted: 0 },
      { kind: "probabilities", smoothing: 0.125, weighted: 1 },
      { kind: "labels", smoothing: 0, weighted: 1 },
      { kind: "labels", smoothing: 0.25, weighted: 0 },
    ].map((targets) => ({ ...shape, ...targets })),
  ),
  call: (shape, random) => weightedSoftmaxCall(shape, random),
  inPlace: [{ dLogits: "logits" }],
});

// Optimizers: a step from an arbitrary state. optimizers.test.ts runs many steps.

const float = Math.fround;

type Updated = optimizers.Step & Partial<Record<"velocity" | "m" | "v" | "s", number>>;

/** Penalties: none, L2, L1, both. */
const penalties = [
  { weightDecay: 0, l1: 0 },
  { weightDecay: 0.125, l1: 0 },
  { weightDecay: 0, l1: 0.25 },
  { weightDecay: 0.125, l1: 0.25 },
];

/**
 * An optimizer's kernel: w, its slabs of state in order (those named in `positive` hold sums of squares), dw, n, scalars.
 * `roundings` bounds each array's error. Weights of 0 and −0 are among them.
 */
function optimizer<Name extends "w" | "velocity" | "m" | "v" | "s">(
  kernel: KernelName & keyof typeof optimizers,
  roundings: Record<Name, number>,
  scalars: readonly number[],
  decays = penalties,
): void {
  const names = Object.keys(roundings) as Name[];
  const rounded = scalars.map(float);
  const step: (...values: number[]) => Updated = optimizers[kernel];
  add(kernel, {
    shapes: decays.flatMap((penalty) => counts.map(({ n }) => ({ n, ...penalty }))),
    call: ({ n, weightDecay, l1 }, random) => {
      const length = Math.max(n, 0);
      const before = names.map((name) => random.floats(length, name === "s" || name === "v" ? 0 : -1));
      before[0]!.forEach((_, i, w) => (w[i] = i % 7 === 3 ? random.pick([0, -0]) : w[i]!));
      const dw = random.floats(length);
      const last = [...rounded, float(weightDecay), float(l1)];
      const steps = Array.from(dw, (slope, i) => step(...before.map((values) => values[i]!), slope, ...last));
      const operands: Record<string, Operand> = { dw: { before: dw } };
      names.forEach((name, i) => {
        const values = steps.map((next) => next[name] as number);
        const magnitude = steps.map((next) => next[`${name}Magnitude` as keyof Updated] as number);
        operands[name] = {
          before: before[i]!,
          after: { values, magnitude, tolerance: { roundings: roundings[name] } },
        };
      });
      return { operands, arguments: (p) => [...names.map((name) => p[name]!), p.dw!, n, ...last] };
    },
  });
}

optimizer("sgd", { w: 5 }, [0.1]);
optimizer("sgdMomentum", { w: 7, velocity: 5 }, [0.1, 0.9]);
optimizer("sgdNesterov", { w: 8, velocity: 5 }, [0.1, 0.9]);
optimizer("adam", { w: 14, m: 6, v: 9 }, [0.01, 0.9, 0.999, 1e-3, 1.5]);
const kept = penalties.map(({ weightDecay, l1 }) => ({ weightDecay: 1 - 0.01 * weightDecay, l1 }));
optimizer("adamW", { w: 14, m: 6, v: 9 }, [0.01, 0.9, 0.999, 1e-3, 1.5], kept);
optimizer("rmsprop", { w: 14, s: 9 }, [0.01, 0.99, 1e-3]);
optimizer("rmspropMomentum", { w: 15, s: 9, velocity: 14 }, [0.01, 0.99, 1e-3, 0.9]);
optimizer("adagrad", { w: 14, s: 8 }, [0.01, 1e-3]);

// Random numbers. random.test.ts has known answers, ranges, moments and counters.

function source(random: Random): philox.Source {
  const word = () => (BigInt(random.bits()) << 32n) | BigInt(random.bits());
  return { seed: word(), stream: word(), counter: word() };
}

/** A kernel that fills an array from a source; `values` makes the elements from the words. */
function drawn(
  kernel: KernelName,
  scalars: readonly number[],
  tolerance: Tolerance,
  values: (words: Uint32Array) => { values: ArrayLike<number>; magnitude?: ArrayLike<number> },
  before: (length: number) => Data = nans,
): void {
  add(kernel, {
    shapes: counts,
    call: ({ n }, random) => {
      const from = source(random);
      const length = Math.max(n, 0);
      // Whole blocks, so that pairs are whole; the array takes the first n.
      const { values: all, magnitude } = values(philox.philoxBits(from, Math.ceil(length / 4) * 4));
      const first = (array: ArrayLike<number>) => Array.from(array).slice(0, length);
      const after = { values: first(all), tolerance, ...(magnitude && { magnitude: first(magnitude) }) };
      return {
        operands: { out: { before: before(length), after } },
        arguments: (p) => [p.out!, n, ...philoxArguments(from), ...scalars],
      };
    },
  });
}

drawn(
  "philoxBits",
  [],
  EQUAL,
  (words) => ({ values: words }),
  (n) => new Uint32Array(n),
);

const [low, high] = [float(-0.3), float(1.7)];
drawn("philoxUniform", [low, high], "exact", (words) => ({
  values: Array.from(words, (word) => philox.uniformOf(word, low, high)),
}));

const [mean, deviation] = [0.5, 3];
drawn("philoxNormal", [mean, deviation], { roundings: 10 }, (words) => {
  const z = Array.from(words, (_, i) => philox.normalsOf(words[i & ~1]!, words[i | 1]!)[i & 1]!);
  return {
    values: z.map((value) => mean + deviation * value),
    magnitude: z.map((value) => mean + Math.abs(deviation * value)),
  };
});

for (const probability of [0, float(0.3), 1]) {
  drawn("philoxBernoulli", [probability], "exact", (words) => ({
    values: Array.from(words, (word) => (philox.happens(word, probability) ? 1 : 0)),
  }));
}

add("dropout", {
  shapes: [0, 0.25, 0.9]
    .flatMap((rate) => counts.map(({ n }) => ({ n, rate, begin: 0, end: n })))
    .concat(
      [0, 1, 2, 3, 4, 21].flatMap((begin) =>
        [0, 1, 2, 3, 4, 6, 30].map((more) => ({ n: 51, rate: 0.5, begin, end: begin + more })),
      ),
      [{ n: 20, rate: 0.5, begin: 14, end: 40 }],
    ),
  call: ({ n, rate, begin, end }, random) => dropoutCall(n, rate, [begin, end], source(random), anyFloats(random, n)),
  inPlace: [{ y: "x" }],
});

add("philoxPermutation", {
  shapes: counts,
  call: ({ n }, random) => {
    const from = source(random);
    const { order } = philox.permutation(from, Math.max(n, 0));
    return {
      operands: { out: { before: new Int32Array(order.length).fill(-1), after: { values: order, tolerance: EQUAL } } },
      arguments: (p) => [p.out!, n, ...philoxArguments(from).slice(0, 4)],
    };
  },
});

export const CASES: readonly Case[] = cases;
