/** Rows that are picked, bytes that become floats. */
import * as data from "../../reference/data.js";
import { Layout } from "../../support/layout.js";
import type { Random } from "../../support/random.js";
import { EQUAL, nans } from "../calls.js";
import { COUNTS, counts } from "./shapes.js";
import { add } from "./table.js";

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

add("scatterAddRows", {
  shapes: gathers,
  call: ({ rows, cols, from }, random) => {
    const width = Math.max(cols, 0);
    // Numbers whose sums round: the order of the additions shows.
    const y = random.floats(from * width);
    const index = rowIndex(random, rows, from);
    const x = random.floats(index.length * width, -10, 10);
    const values = data.scatterAddRows(y, x, index, width);
    return {
      operands: { y: { before: y, after: { values, tolerance: "exact" } }, x: { before: x }, index: { before: index } },
      arguments: (p) => [p.y!, p.x!, p.index!, rows, cols],
    };
  },
});

/** Edges of a register's 4 × 4, of a strip of 16 rows, and gaps between rows. */
const transposes = [0, 1, 3, 4, 5, 15, 16, 17, 20, 33, -1].flatMap((rows) =>
  [0, 1, 3, 4, 5, 9, -1].flatMap((cols) => [
    { rows, cols, gapX: 0, gapY: 0 },
    { rows, cols, gapX: 3, gapY: 1 },
  ]),
);

add("transpose", {
  shapes: transposes,
  call: ({ rows, cols, gapX, gapY }, random) => {
    const [height, width] = [Math.max(rows, 0), Math.max(cols, 0)];
    const from = new Layout(height, width, width + gapX);
    const to = new Layout(width, height, height + gapY);
    // Any bits at all, compared as integers.
    const bits = Float64Array.from({ length: height * width }, () => random.bits());
    const values = data.transpose(bits, height, width);
    const after = to.expect({ values, magnitude: values }, EQUAL, [0, width], [0, height]);
    return {
      operands: {
        y: { before: new Uint32Array(to.length).fill(0x7fc00000), after },
        x: { before: Uint32Array.from(from.spread(bits, 0)) },
      },
      arguments: (p) => [p.y!, p.x!, rows, cols, to.rowStride, from.rowStride],
    };
  },
});

/** Rows around the vector width with gaps between them, in either matrix or none; one element or one row for all. */
const copies = [0, 1, 2, 3, -1].flatMap((rows) =>
  COUNTS.flatMap((cols) => [
    { rows, cols, gapY: 0, rsX: cols, csX: 1 },
    { rows, cols, gapY: 2, rsX: cols + 3, csX: 1 },
    { rows, cols, gapY: 1, rsX: 0, csX: 1 },
    { rows, cols, gapY: 1, rsX: 2, csX: 0 },
  ]),
);

add("copyMatrix", {
  shapes: copies,
  call: ({ rows, cols, gapY, rsX, csX }, random) => {
    const [height, width] = [Math.max(rows, 0), Math.max(cols, 0)];
    const from = new Layout(height, width, rsX, csX);
    const to = new Layout(height, width, width + gapY);
    // Any bits at all, compared as integers.
    const x = Uint32Array.from({ length: from.length }, () => random.bits() | (random.bits() & 1 ? 0x7f800001 : 0));
    const values = Float64Array.from({ length: height * width }, (_, i) => {
      return x[from.index(Math.floor(i / width), i % width)]!;
    });
    const after = to.expect({ values, magnitude: values }, EQUAL, [0, height], [0, width]);
    return {
      operands: { y: { before: new Uint32Array(to.length).fill(0x7fc00000), after }, x: { before: x } },
      arguments: (p) => [p.y!, p.x!, rows, cols, to.rowStride, rsX, csX],
    };
  },
});
