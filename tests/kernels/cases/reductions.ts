/** Sums and maxima. */
import {
  argmaxColumns,
  argmaxRows,
  columnSums,
  reduce,
  type REDUCTIONS,
  sumOfSquares,
} from "../../reference/reductions.js";
import type { Tolerance } from "../../support/compare.js";
import type { KernelName } from "../../support/kernels.js";
import { Layout } from "../../support/layout.js";
import type { Random } from "../../support/random.js";
import { EQUAL, nans, work } from "../calls.js";
import { COUNTS, columnBands, rowBands } from "./shapes.js";
import { add } from "./table.js";

add("columnSums", {
  shapes: [0, 1].flatMap((accumulate) => columnBands.map((shape) => ({ ...shape, accumulate }))),
  call: ({ rows, cols, gap, colBegin, colEnd, accumulate }, random, { kernels }) => {
    const layout = new Layout(Math.max(rows, 0), Math.max(cols, 0), cols + gap);
    const x = random.integers(layout.rows * layout.columns, -1000, 1000);
    const out = accumulate ? random.integers(layout.columns) : nans(layout.columns);
    const sums = columnSums(x, layout.rows, layout.columns, accumulate ? out : null);
    const after = { ...sums, tolerance: "exact" as const, covers: (j: number) => j >= colBegin && j < colEnd };
    return {
      operands: {
        out: { before: out, after },
        x: { before: layout.place(x) },
        work: work(kernels.columnSumsWorkSize(cols)),
      },
      arguments: (p) => [p.out!, p.x!, rows, cols, cols + gap, accumulate, colBegin, colEnd, p.work!],
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

add("argmaxColumns", {
  shapes: columnBands.filter(({ rows }) => rows > 0),
  call: ({ rows, cols, gap, colBegin, colEnd }, random) => {
    const layout = new Layout(rows, Math.max(cols, 0), cols + gap);
    const x = maximaData(random, layout.rows * layout.columns);
    const values = argmaxColumns(x, rows, layout.columns);
    const after = { values, tolerance: EQUAL, covers: (j: number) => j >= colBegin && j < colEnd };
    return {
      operands: {
        index: { before: new Int32Array(layout.columns).fill(-7), after },
        x: { before: layout.place(x) },
      },
      arguments: (p) => [p.index!, p.x!, rows, cols, cols + gap, colBegin, colEnd],
    };
  },
});

/** Few different values, so that the first of several equal maxima counts, and sometimes NaN. */
function maximaData(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => (random.bits() % 64 === 0 ? NaN : random.pick([-Infinity, -2, -1, 3, 3])));
}

/** Every row or column of x, with the elements of a kind and what their reduction may be off by. */
function reduction(kernel: KernelName, kind: keyof typeof REDUCTIONS, along: "rows" | "columns", roundings = 0): void {
  const sums = kind === "sum" || kind === "sumOfSquares";
  const bands = along === "rows" ? rowBands : columnBands;
  const long = { rows: 3, cols: 5000, gap: 0 };
  const tall = { rows: 3000, cols: 5, gap: 1 };
  const shapes = [
    ...bands,
    along === "rows" ? { ...long, rowBegin: 0, rowEnd: 3 } : { ...tall, colBegin: 0, colEnd: 5 },
  ];
  add(kernel, {
    shapes: (sums ? ["integers", "any size"] : ["extremes"]).flatMap((values) =>
      shapes.map((shape) => ({ ...shape, values })),
    ),
    call: (shape, random, { kernels }) => {
      const { rows, cols, gap, values: elements } = shape;
      const layout = new Layout(Math.max(rows, 0), Math.max(cols, 0), cols + gap);
      const length = layout.rows * layout.columns;
      const x =
        elements === "integers"
          ? random.integers(length, -30, 30)
          : elements === "any size"
            ? Float32Array.from({ length }, () => random.uniform() * random.pick([1e-3, 1, 1e3]))
            : maximaData(random, length);
      const { values, magnitude } = reduce(kind, along, x, layout.rows, layout.columns);
      const tolerance = elements === "any size" ? { roundings } : EQUAL;
      const [begin, end] = "rowBegin" in shape ? [shape.rowBegin, shape.rowEnd] : [shape.colBegin, shape.colEnd];
      const covers = (i: number) => i >= begin && i < end;
      const takesWork = along === "columns" && sums;
      return {
        operands: {
          out: { before: nans(values.length), after: { values, magnitude, tolerance, covers } },
          x: { before: layout.place(x) },
          ...(takesWork && { work: work(kernels.columnSumsWorkSize(cols)) }),
        },
        arguments: (p) =>
          takesWork
            ? [p.out!, p.x!, rows, cols, cols + gap, 0, begin, end, p.work!]
            : [p.out!, p.x!, rows, cols, cols + gap, begin, end],
      };
    },
  });
}

// However many elements there are: their blocks add up in float64.
reduction("rowSums", "sum", "rows", 48);
reduction("rowSumsOfSquares", "sumOfSquares", "rows", 48);
reduction("columnSums", "sum", "columns", 34);
reduction("columnSumsOfSquares", "sumOfSquares", "columns", 34);
reduction("rowMaxima", "max", "rows");
reduction("rowMinima", "min", "rows");
reduction("columnMaxima", "max", "columns");
reduction("columnMinima", "min", "columns");
