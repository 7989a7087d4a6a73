/** Builds calls of group norm: seeded operands, and what the reference says they must become. */
import * as reference from "../reference/groupNorm.js";
import type { Call } from "../support/harness.js";
import type { Kernels } from "../support/kernels.js";
import { Layout, type Range } from "../support/layout.js";
import type { Random } from "../support/random.js";
import { nans, printShape } from "./calls.js";

export interface GroupNormShape {
  rows: number;
  groups: number;
  /** Features of a group. */
  size: number;
  /** Row strides beyond the features. */
  gapX?: number;
  gapY?: number;
  gapDx?: number;
  gapDy?: number;
  eps?: number;
  /** Rows (forward) or parts of 32 rows (backward) to compute; all by default. */
  band?: Range;
}

export interface GroupNormData {
  x: Float32Array;
  gamma: Float32Array;
  beta: Float32Array;
}

/** Groups with means and deviations of many sizes, some constant. */
export function groupNormData({ rows, groups, size }: GroupNormShape, random: Random): GroupNormData {
  const cols = groups * size;
  const x = Array.from({ length: Math.max(rows, 0) * groups }, () => {
    const mean = random.pick([0, 1, -30, 1e4]);
    const deviation = random.pick([1, 1e-2, 1e-2, 20, 0]);
    return Array.from({ length: size }, () => mean + deviation * random.uniform(-1.7, 1.7));
  });
  return { x: Float32Array.from(x.flat()), gamma: random.floats(cols, -2, 2), beta: random.floats(cols) };
}

/** Roundings of group norm: four chains along a group, or a part's 32 rows, and some around them. */
const roundings = (size: number) => size / 16 + 56;

export function groupNormForwardCall(shape: GroupNormShape, { x, gamma, beta }: GroupNormData): Call {
  const { rows, groups, size, gapX = 0, gapY = 0, band = [0, Math.max(rows, 0)] } = shape;
  const cols = groups * size;
  const eps = Math.fround(shape.eps ?? 1e-5);
  const [layoutX, layoutY] = [new Layout(rows, cols, cols + gapX), new Layout(rows, cols, cols + gapY)];
  const { mean, variance, spread } = reference.groupStatistics(x, size);
  const tolerance = { roundings: roundings(size) };
  const inverse = variance.map((value) => 1 / Math.sqrt(value + eps));
  const count = mean.length;
  // The mean, what its rounding lost (about 0: at most half a spacing; NaN − NaN is NaN), 1/√(variance + eps).
  const saved = {
    values: [...mean, ...mean.map((value) => value - value), ...inverse],
    magnitude: [...mean.map((value, g) => Math.abs(value) + spread[g]!), ...mean.map(Math.abs), ...inverse],
    covers: (at: number) => at % count >= band[0] * groups && at % count < band[1] * groups,
  };
  const y = reference.groupNorm(x, gamma, beta, cols, groups, eps);
  return {
    kernel: "groupNormForward",
    shape: printShape(shape),
    operands: {
      y: { before: nans(layoutY.length), after: layoutY.expect(y, tolerance, band, [0, cols]) },
      saved: { before: nans(3 * count), after: { ...saved, tolerance } },
      x: { before: layoutX.place(x) },
      gamma: { before: gamma },
      beta: { before: beta },
    },
    arguments: (p) => [
      ...[p.y!, p.saved!, p.x!, p.gamma!, p.beta!],
      ...[rows, cols, groups, cols + gapY, cols + gapX, eps, ...band],
    ],
  };
}

/** Rows of a part. */
const PART = 32;

export function groupNormBackwardCall(
  shape: GroupNormShape,
  { x, gamma, dy }: GroupNormData & { dy: Float32Array },
  kernels: Kernels,
): Call {
  const { rows, groups, size, gapX = 0, gapDx = 0, gapDy = 0 } = shape;
  const parts = kernels.groupNormPartsSize(rows);
  const { band = [0, parts] } = shape;
  const cols = groups * size;
  const eps = Math.fround(shape.eps ?? 1e-5);
  const layout = (gap: number) => new Layout(rows, cols, cols + gap);
  const { mean, variance } = reference.groupStatistics(x, size);
  const roundedMean = mean.map(Math.fround);
  const saved = [...roundedMean, ...mean.map((value, g) => value - roundedMean[g]!)];
  saved.push(...variance.map((value) => 1 / Math.sqrt(value + eps)));
  const tolerance = { roundings: roundings(size) };
  const { dx } = reference.groupNormBackward(dy, x, gamma, cols, groups, eps);
  const sums = Array.from({ length: parts }, (_, part) => {
    const [begin, end] = [part * PART * cols, (part + 1) * PART * cols];
    const { dGamma, dBeta } = reference.groupNormBackward(
      dy.slice(begin, end),
      x.slice(begin, end),
      gamma,
      cols,
      groups,
      eps,
    );
    return [dGamma, dBeta];
  }).flat();
  const partsAfter = {
    values: Float64Array.from(sums.flatMap(({ values }) => [...values])),
    magnitude: Float64Array.from(sums.flatMap(({ magnitude }) => [...magnitude])),
  };
  const dxLayout = layout(gapDx);
  return {
    kernel: "groupNormBackward",
    shape: printShape(shape),
    operands: {
      dx: {
        before: nans(dxLayout.length),
        after: dxLayout.expect(dx, tolerance, [band[0] * PART, Math.min(band[1] * PART, rows)], [0, cols]),
      },
      parts: {
        before: nans(parts * 2 * cols),
        after: new Layout(parts, 2 * cols).expect(partsAfter, tolerance, band, [0, 2 * cols]),
      },
      dy: { before: layout(gapDy).place(dy) },
      x: { before: layout(gapX).place(x) },
      saved: { before: Float32Array.from(saved) },
      gamma: { before: gamma },
    },
    arguments: (p) => [
      ...[p.dx!, p.parts!, p.dy!, p.x!, p.saved!, p.gamma!],
      ...[rows, cols, groups, cols + gapDx, cols + gapDy, cols + gapX, ...band],
    ],
  };
}
