/** Rows that are picked, bytes that become floats. */
import * as data from "../../reference/data.js";
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
