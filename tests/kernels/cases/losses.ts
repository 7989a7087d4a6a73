/** Losses with their gradients. losses.test.ts has stability and special values. */
import * as losses from "../../reference/losses.js";
import { Layout } from "../../support/layout.js";
import { nans, rowsOfManyScales, softmaxCall, weightedSoftmaxCall, type SoftmaxShape } from "../calls.js";
import { COUNTS, rowBands } from "./shapes.js";
import { add } from "./table.js";

const classes: SoftmaxShape[] = [
  ...COUNTS.filter((cols) => cols > 0).map((cols) => ({ rows: 3, cols, scale: 1 / 3 })),
  ...[0, 1, 2, 4, 5, 8, 9].flatMap((rows) => [
    { rows, cols: 10, scale: 0.5 },
    { rows, cols: 21, gapX: 3, gapDx: 3 },
  ]),
  ...[15, 16, 17, 50].map((rows) => ({ rows, cols: 10 })),
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
