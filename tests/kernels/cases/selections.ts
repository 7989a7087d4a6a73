/** ReLU with its mask in bits, maxout. */
import * as activations from "../../reference/activations.js";
import { Layout } from "../../support/layout.js";
import { anyFloats, mixed, type Random } from "../../support/random.js";
import { EQUAL, nans } from "../calls.js";
import { counts, rowBands } from "./shapes.js";
import { add } from "./table.js";

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
