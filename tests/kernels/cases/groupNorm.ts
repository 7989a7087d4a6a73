/** Layer norm (one group) and group norm. groupNorm.test.ts has stability, special values, bands and gradients. */
import { groupNormBackwardCall, groupNormData, groupNormForwardCall, type GroupNormShape } from "../groupNormCalls.js";
import { COUNTS } from "./shapes.js";
import { add } from "./table.js";

const shapes: GroupNormShape[] = [
  ...COUNTS.filter((size) => size >= 0).map((size) => ({ rows: 3, groups: 1, size })),
  ...[1, 2, 3, 4, 5, 8, 9, 17, 21].map((size, i) => ({ rows: 5, groups: 2 + i, size })),
  ...[-1, 0, 1, 2, 31, 32, 33, 70].map((rows) => ({ rows, groups: 3, size: 7 })),
].flatMap((shape, i) => (i % 2 === 0 ? [shape] : [shape, { ...shape, gapX: 3, gapY: 1, gapDx: 4, gapDy: 2 }]));

const banded: GroupNormShape[] = [
  { rows: 100, groups: 2, size: 5, gapX: 1, gapY: 2, band: [1, 3] },
  { rows: 100, groups: 2, size: 5, band: [2, 2] },
];

add<GroupNormShape>("groupNormForward", {
  shapes: [...shapes, ...banded],
  call: (shape, random) => groupNormForwardCall(shape, groupNormData(shape, random)),
  inPlace: [{ y: "x" }],
});

add<GroupNormShape>("groupNormBackward", {
  shapes: [...shapes, ...banded],
  call: (shape, random, { kernels }) => {
    const data = groupNormData(shape, random);
    return groupNormBackwardCall(shape, { ...data, dy: random.floats(data.x.length) }, kernels);
  },
  inPlace: [{ dx: "dy" }, { dx: "x" }],
});
