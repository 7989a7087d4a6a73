/** Batch norm. batchNorm.test.ts has stability, masks, bands and gradients. */
import {
  batchNormBackwardCall,
  batchNormData,
  batchNormForwardCall,
  batchNormInferenceCall,
  columnStatisticsCall,
  type BatchNormBackwardShape,
  type BatchNormShape,
  type RunningOptions,
} from "../calls.js";
import { add } from "./table.js";

/** 0 and 1 in turns. */
const flag = (i: number) => (i & 1) as 0 | 1;

const batches: BatchNormBackwardShape[] = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 131].map((cols) => ({ rows: 5, cols })),
  ...[0, 1, 2, 3, 31, 32, 33, 65, 200].map((rows) => ({ rows, cols: 21 })),
  // Backward goes by lower tiles from 256 columns on.
  ...[255, 256, 261].map((cols) => ({ rows: 19, cols })),
].flatMap((shape, i) => [
  { ...shape, relu: flag(i) },
  { ...shape, gapX: 3, gapY: 3, gapDx: 3, gapDy: 3, relu: flag(~i) },
]);
const gaps: BatchNormBackwardShape = { rows: 40, cols: 37, gapX: 1, gapY: 2, gapDx: 4, gapDy: 3 };

add<BatchNormShape>("columnStatistics", {
  shapes: [
    ...batches.map(({ rows, cols, gapX = 0 }) => ({ rows, cols, gapX })),
    { rows: 40, cols: 37, gapX: 1, band: [3, 30] },
    { rows: 40, cols: 37, band: [5, 5] },
  ],
  call: (shape, random) => columnStatisticsCall(shape, batchNormData(shape, random)),
});

add<BatchNormShape & RunningOptions>("batchNormForward", {
  shapes: [
    ...batches.map((shape, i) => ({ ...shape, unbiased: flag(i >> 1), measured: flag(i >> 2) })),
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
