/**
 * Batch normalisation over the columns of a row-major matrix (rows = batch, cols = features), Ioffe and Szegedy 2015.
 *
 * Every pass streams the matrix once: a tile of rows at a time, in the tile sixteen columns (a group) at a time, with
 * what belongs to a column (its sums, its mean, …) in `work`. The columns behind the last whole group go by the vector,
 * the last one perhaps partial, through the same operations in the same order. So a column's bits depend on its values
 * and on `rows` alone, not on its place or the band.
 */
import { at, columnStatistics } from "./columnStatistics";
import { clear } from "./map";
import { madd } from "./simd";
import { loadPartial, storePartial } from "./partial";

/** Columns of a group: four vectors, one cache line. */
const GROUP = 16;

/** Rows of a tile. Their sum joins the total as a whole, so that the error grows with rows / 16 + 16, not with rows. */
const TILE = 16;

/**
 * Columns from which rows lie 1 KiB apart or more. Then lines of neighbouring rows share few sets of L1 (one, from 4 KiB), each of
 * which holds eight. So backward's sums, which read each line in two halves, go by lower tiles: of sixteen rows of x and dy the first
 * would be gone before the second half (128 × 256: 0.68 to 0.48 ns an element). So do the passes that write (forward at 1024 × 1024:
 * 0.70 to 0.52 ns).
 */
const WIDE = 256;
const WIDE_SUM_TILE = 8;
const WIDE_WRITE_TILE = 4;

// A group in `work`: sixteen floats for each property of a column, at these bytes.
const SUM = 0;
const PRODUCT = 64;
const MEAN = 128;
const SCALE = 192;
const OFFSET = 256;
const PROPERTIES: usize = 320;

/** Floats of `work` that each of the kernels below needs, for any band. */
export function batchNormWorkSize(rows: i32, cols: i32): i32 {
  return rows > 0 && cols > 0 ? ((cols - 1) / GROUP + 1) * <i32>(PROPERTIES >> 2) : 0;
}

/**
 * y ← gamma · (x − mean) / √(var + eps) + beta with the mean and the (biased) variance of each column, and ReLU on top
 * where `relu` is set, for the columns [colBegin, colEnd). y may be x.
 *
 * `saved` (3 × cols) receives what backward needs: the mean in float32, what that rounding lost, and 1 / √(var + eps).
 * running ← (1 − momentum) · running + momentum · batch, as in PyTorch; with `unbiased` the running variance takes the
 * sum of squares over rows − 1 (one row: over 1). momentum = 0 neither reads nor writes the running statistics.
 *
 * Where `measured` is set, `saved` holds `columnStatistics` of x already, as `sgemm` leaves them; else x is read once for them.
 */
export function batchNormForward(
  y: usize, saved: usize, runningMean: usize, runningVar: usize,
  x: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, rsY: i32, rsX: i32,
  eps: f32, momentum: f32, unbiased: i32, relu: i32, measured: i32, colBegin: i32, colEnd: i32, work: usize,
): void {
  if (rows <= 0) return;
  const end = min(colEnd, cols);
  const floor = reluFloor(relu);
  if (!measured) columnStatistics(saved, x, rows, cols, rsX, colBegin, end);
  clearGroups(work, colBegin, end);
  finishVariance(work, saved, runningMean, runningVar, gamma, beta, rows, cols, eps, momentum, unbiased, colBegin, end);
  const tile = cols < WIDE ? TILE : WIDE_WRITE_TILE;
  for (let i = 0; i < rows; i += tile) {
    normalizeRows(y, work, x, min(rows - i, tile), rsY, rsX, floor, i, colBegin, end);
  }
}

/**
 * y ← gamma · (x − mean) / √(var + eps) + beta with the running statistics, and ReLU on top where `relu` is set, for
 * the rows [rowBegin, rowEnd). y may be x.
 */
export function batchNormInference(
  y: usize, x: usize, runningMean: usize, runningVar: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, rsY: i32, rsX: i32, eps: f32, relu: i32, rowBegin: i32, rowEnd: i32, work: usize,
): void {
  const end = min(rowEnd, rows);
  if (rowBegin >= end) return;
  const floor = reluFloor(relu);
  clearGroups(work, 0, cols);
  prepareInference(work, runningMean, runningVar, gamma, beta, eps, cols);
  for (let i = rowBegin; i < end; i += TILE) {
    normalizeRows(y, work, x, min(end - i, TILE), rsY, rsX, floor, i, 0, cols);
  }
}

/**
 * With d = x − mean and x̂ = d / √(var + eps), as forward computed them, and dy replaced by 0 where `relu` is set and
 * gamma · x̂ + beta ≤ 0, for the columns [colBegin, colEnd):
 * dBeta ← Σ dy, dGamma ← Σ dy · x̂ (added to what is there where `accumulate` is set),
 * dx ← gamma / √(var + eps) · (dy − Σ dy / rows − x̂ · Σ (dy · x̂) / rows). dx may be dy or x.
 */
export function batchNormBackward(
  dx: usize, dGamma: usize, dBeta: usize,
  dy: usize, x: usize, saved: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, rsDx: i32, rsDy: i32, rsX: i32,
  relu: i32, accumulate: i32, colBegin: i32, colEnd: i32, work: usize,
): void {
  if (rows <= 0) return;
  if (relu) {
    backward<ReluMask>(
      dx, dGamma, dBeta, dy, x, saved, gamma, beta, rows, cols, rsDx, rsDy, rsX, accumulate, colBegin, colEnd, work,
    );
  } else {
    backward<NoMask>(
      dx, dGamma, dBeta, dy, x, saved, gamma, beta, rows, cols, rsDx, rsDy, rsX, accumulate, colBegin, colEnd, work,
    );
  }
}

/** What ReLU makes of dy: 0 where forward's normalised value was ≤ 0 (NaN lets dy pass). */
@final class ReluMask {
  // @ts-ignore: decorator
  @inline
  apply(dy: v128, deviation: v128, scale: v128, offset: v128): v128 {
    return v128.andnot(dy, f32x4.le(normalized(deviation, scale, offset), f32x4.splat(0)));
  }
}

@final class NoMask {
  // @ts-ignore: decorator
  @inline
  apply(dy: v128, _deviation: v128, _scale: v128, _offset: v128): v128 {
    return dy;
  }
}

function backward<Mask>(
  dx: usize, dGamma: usize, dBeta: usize,
  dy: usize, x: usize, saved: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, rsDx: i32, rsDy: i32, rsX: i32,
  accumulate: i32, colBegin: i32, colEnd: i32, work: usize,
): void {
  const end = min(colEnd, cols);
  clearGroups(work, colBegin, end);
  prepareBackward(work, saved, gamma, beta, cols, colBegin, end);
  const sumTile = cols < WIDE ? TILE : WIDE_SUM_TILE;
  for (let i = 0; i < rows; i += sumTile) {
    sumGradientRows<Mask>(work, dy, x, min(rows - i, sumTile), rsDy, rsX, i, colBegin, end);
  }
  finishGradients(work, dGamma, dBeta, saved, rows, cols, accumulate, colBegin, end);
  const tile = cols < WIDE ? TILE : WIDE_WRITE_TILE;
  for (let i = 0; i < rows; i += tile) {
    gradientRows<Mask>(dx, work, dy, x, min(rows - i, tile), rsDx, rsDy, rsX, i, colBegin, end);
  }
}

/** The property of column c, where the group of column `colBegin` stands first in `work`. */
// @ts-ignore: decorator
@inline
function propertyOf(work: usize, c: i32, colBegin: i32): usize {
  const column = c - colBegin;
  return work + <usize>(column / GROUP) * PROPERTIES + (<usize>(column % GROUP) << 2);
}

/** The number that ReLU compares with: 0, or NaN where there is no ReLU, which no comparison meets. */
// @ts-ignore: decorator
@inline
function reluFloor(relu: i32): v128 {
  return f32x4.splat(relu ? <f32>0 : <f32>NaN);
}

/** 1 / √(var + eps) */
// @ts-ignore: decorator
@inline
export function inverseDeviation(variance: v128, eps: f32): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(eps))));
}

/** gamma · x̂ + beta, the same bits in forward and backward; OFFSET holds what rounding MEAN to float32 lost. */
// @ts-ignore: decorator
@inline
function normalized(deviation: v128, scale: v128, offset: v128): v128 {
  return madd(deviation, scale, offset);
}

/** SCALE ← gamma / √(var + eps), OFFSET ← beta − residual · SCALE for the columns at c. */
// @ts-ignore: decorator
@inline
function storeScale(
  property: usize, gamma: usize, beta: usize, residual: v128, invStd: v128, c: i32, lanes: i32,
): void {
  const scale = f32x4.mul(loadPartial(at(gamma, 0, 0, c), lanes), invStd);
  v128.store(property, scale, SCALE);
  v128.store(property, f32x4.sub(loadPartial(at(beta, 0, 0, c), lanes), f32x4.mul(residual, scale)), OFFSET);
}

/** Zeroes the properties, also of lanes without a column: they are computed along, and denormals would be slow. */
function clearGroups(work: usize, colBegin: i32, colEnd: i32): void {
  clear(work, batchNormWorkSize(1, colEnd - colBegin));
}

// @ts-ignore: decorator
@inline
function addTo(p: usize, v: v128): void {
  v128.store(p, f32x4.add(v128.load(p), v));
}

/** SCALE and OFFSET from the variance, and what outlives the call: 1 / √(…) and the running statistics. */
function finishVariance(
  work: usize, saved: usize, runningMean: usize, runningVar: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, eps: f32, momentum: f32, unbiased: i32, colBegin: i32, colEnd: i32,
): void {
  const m = f32x4.splat(<f32>rows);
  const divisor = f32x4.splat(<f32>(unbiased ? max(rows - 1, 1) : rows));
  for (let c = colBegin; c < colEnd; c += 4) {
    const p = propertyOf(work, c, colBegin);
    const lanes = colEnd - c;
    const mean = loadPartial(at(saved, 0, cols, c), lanes);
    const squares = loadPartial(at(saved, 2, cols, c), lanes);
    const invStd = inverseDeviation(f32x4.div(squares, m), eps);
    v128.store(p, mean, MEAN);
    storeScale(p, gamma, beta, loadPartial(at(saved, 1, cols, c), lanes), invStd, c, lanes);
    storePartial(at(saved, 2, cols, c), invStd, lanes);
    if (momentum != 0) {
      updateRunning(at(runningMean, 0, 0, c), mean, momentum, lanes);
      updateRunning(at(runningVar, 0, 0, c), f32x4.div(squares, divisor), momentum, lanes);
    }
  }
}

/** running ← (1 − momentum) · running + momentum · batch */
// @ts-ignore: decorator
@inline
function updateRunning(running: usize, batch: v128, momentum: f32, lanes: i32): void {
  const kept = f32x4.mul(loadPartial(running, lanes), f32x4.splat(1 - momentum));
  storePartial(running, madd(batch, f32x4.splat(momentum), kept), lanes);
}

/** Inference: the properties from the running statistics, which have no residual. */
function prepareInference(
  work: usize, runningMean: usize, runningVar: usize, gamma: usize, beta: usize, eps: f32, cols: i32,
): void {
  for (let c = 0; c < cols; c += 4) {
    const p = propertyOf(work, c, 0);
    const lanes = cols - c;
    const invStd = inverseDeviation(loadPartial(at(runningVar, 0, 0, c), lanes), eps);
    v128.store(p, loadPartial(at(runningMean, 0, 0, c), lanes), MEAN);
    storeScale(p, gamma, beta, f32x4.splat(0), invStd, c, lanes);
  }
}

/** Rows [i, i + count): y ← max((x − MEAN) · SCALE + OFFSET, floor). */
function normalizeRows(
  y: usize, group: usize, x: usize, count: i32, rsY: i32, rsX: i32, floor: v128,
  i: i32, colBegin: i32, colEnd: i32,
): void {
  const stepX = <usize>rsX << 2;
  const stepY = <usize>rsY << 2;
  let c = colBegin;
  for (; colEnd - c >= GROUP; c += GROUP) {
    normalizeGroup(group, at(y, i, rsY, c), stepY, at(x, i, rsX, c), stepX, count, floor);
    group += PROPERTIES;
  }
  for (; c < colEnd; c += 4) {
    normalizeVector(group, at(y, i, rsY, c), stepY, at(x, i, rsX, c), stepX, count, floor, colEnd - c);
    group += 16;
  }
}

// @ts-ignore: decorator
@inline
function normalizeGroup(
  group: usize, y: usize, stepY: usize, x: usize, stepX: usize, count: i32, floor: v128,
): void {
  const m0 = v128.load(group, MEAN);
  const m1 = v128.load(group, MEAN + 16);
  const m2 = v128.load(group, MEAN + 32);
  const m3 = v128.load(group, MEAN + 48);
  const g0 = v128.load(group, SCALE);
  const g1 = v128.load(group, SCALE + 16);
  const g2 = v128.load(group, SCALE + 32);
  const g3 = v128.load(group, SCALE + 48);
  const b0 = v128.load(group, OFFSET);
  const b1 = v128.load(group, OFFSET + 16);
  const b2 = v128.load(group, OFFSET + 32);
  const b3 = v128.load(group, OFFSET + 48);
  for (let i = 0; i < count; ++i) {
    const y0 = normalized(f32x4.sub(v128.load(x), m0), g0, b0);
    const y1 = normalized(f32x4.sub(v128.load(x, 16), m1), g1, b1);
    const y2 = normalized(f32x4.sub(v128.load(x, 32), m2), g2, b2);
    const y3 = normalized(f32x4.sub(v128.load(x, 48), m3), g3, b3);
    v128.store(y, f32x4.pmax(y0, floor));
    v128.store(y, f32x4.pmax(y1, floor), 16);
    v128.store(y, f32x4.pmax(y2, floor), 32);
    v128.store(y, f32x4.pmax(y3, floor), 48);
    x += stepX;
    y += stepY;
  }
}

// @ts-ignore: decorator
@inline
function normalizeVector(
  property: usize, y: usize, stepY: usize, x: usize, stepX: usize, count: i32, floor: v128, lanes: i32,
): void {
  const m = v128.load(property, MEAN);
  const g = v128.load(property, SCALE);
  const b = v128.load(property, OFFSET);
  for (let i = 0; i < count; ++i) {
    storePartial(y, f32x4.pmax(normalized(f32x4.sub(loadPartial(x, lanes), m), g, b), floor), lanes);
    x += stepX;
    y += stepY;
  }
}

/** Backward: MEAN, SCALE and OFFSET as forward had them. */
function prepareBackward(
  work: usize, saved: usize, gamma: usize, beta: usize, cols: i32, colBegin: i32, colEnd: i32,
): void {
  for (let c = colBegin; c < colEnd; c += 4) {
    const p = propertyOf(work, c, colBegin);
    const lanes = colEnd - c;
    const invStd = loadPartial(at(saved, 2, cols, c), lanes);
    v128.store(p, loadPartial(at(saved, 0, cols, c), lanes), MEAN);
    storeScale(p, gamma, beta, loadPartial(at(saved, 1, cols, c), lanes), invStd, c, lanes);
  }
}

/** Backward, first pass, rows [i, i + count), g the masked dy: SUM ← SUM + Σ g, PRODUCT ← PRODUCT + Σ g · (x − MEAN). */
function sumGradientRows<Mask>(
  group: usize, dy: usize, x: usize, count: i32, rsDy: i32, rsX: i32,
  i: i32, colBegin: i32, colEnd: i32,
): void {
  const stepX = <usize>rsX << 2;
  const stepDy = <usize>rsDy << 2;
  let c = colBegin;
  for (; colEnd - c >= GROUP; c += GROUP) {
    const fromX = at(x, i, rsX, c);
    const fromDy = at(dy, i, rsDy, c);
    sumGradientHalf<Mask>(group, fromDy, stepDy, fromX, stepX, count);
    sumGradientHalf<Mask>(group + 32, fromDy + 32, stepDy, fromX + 32, stepX, count);
    group += PROPERTIES;
  }
  for (; c < colEnd; c += 4) {
    sumGradientVector<Mask>(group, at(dy, i, rsDy, c), stepDy, at(x, i, rsX, c), stepX, count, colEnd - c);
    group += 16;
  }
}

/** Eight columns, which leave room in the registers for five properties. */
// @ts-ignore: decorator
@inline
function sumGradientHalf<Mask>(
  group: usize, dy: usize, stepDy: usize, x: usize, stepX: usize, count: i32,
): void {
  const m0 = v128.load(group, MEAN);
  const m1 = v128.load(group, MEAN + 16);
  const g0 = v128.load(group, SCALE);
  const g1 = v128.load(group, SCALE + 16);
  const b0 = v128.load(group, OFFSET);
  const b1 = v128.load(group, OFFSET + 16);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let p0 = s0;
  let p1 = s0;
  for (let i = 0; i < count; ++i) {
    const d0 = f32x4.sub(v128.load(x), m0);
    const d1 = f32x4.sub(v128.load(x, 16), m1);
    const dy0 = changetype<Mask>(0).apply(v128.load(dy), d0, g0, b0);
    const dy1 = changetype<Mask>(0).apply(v128.load(dy, 16), d1, g1, b1);
    s0 = f32x4.add(s0, dy0);
    s1 = f32x4.add(s1, dy1);
    p0 = madd(dy0, d0, p0);
    p1 = madd(dy1, d1, p1);
    x += stepX;
    dy += stepDy;
  }
  addTo(group + SUM, s0);
  addTo(group + SUM + 16, s1);
  addTo(group + PRODUCT, p0);
  addTo(group + PRODUCT + 16, p1);
}

// @ts-ignore: decorator
@inline
function sumGradientVector<Mask>(
  property: usize, dy: usize, stepDy: usize, x: usize, stepX: usize, count: i32, lanes: i32,
): void {
  const m = v128.load(property, MEAN);
  const g = v128.load(property, SCALE);
  const b = v128.load(property, OFFSET);
  let s = f32x4.splat(0);
  let p = s;
  for (let i = 0; i < count; ++i) {
    const d = f32x4.sub(loadPartial(x, lanes), m);
    const gradient = changetype<Mask>(0).apply(loadPartial(dy, lanes), d, g, b);
    s = f32x4.add(s, gradient);
    p = madd(gradient, d, p);
    x += stepX;
    dy += stepDy;
  }
  addTo(property + SUM, s);
  addTo(property + PRODUCT, p);
}

/**
 * dBeta ← Σ g = SUM, dGamma ← Σ g · x̂ = (PRODUCT − residual · SUM) / √(var + eps). Then
 * PRODUCT ← −Σ g · x̂ / (rows · √(var + eps)) and SUM ← Σ g / rows + residual · PRODUCT, so that
 * dx = SCALE · (g − SUM + (x − MEAN) · PRODUCT).
 */
function finishGradients(
  work: usize, dGamma: usize, dBeta: usize, saved: usize,
  rows: i32, cols: i32, accumulate: i32, colBegin: i32, colEnd: i32,
): void {
  const m = f32x4.splat(<f32>rows);
  for (let c = colBegin; c < colEnd; c += 4) {
    const p = propertyOf(work, c, colBegin);
    const lanes = colEnd - c;
    const invStd = loadPartial(at(saved, 2, cols, c), lanes);
    const sum = v128.load(p, SUM);
    const residual = loadPartial(at(saved, 1, cols, c), lanes);
    const product = f32x4.mul(f32x4.sub(v128.load(p, PRODUCT), f32x4.mul(residual, sum)), invStd);
    const slope = f32x4.neg(f32x4.mul(f32x4.div(product, m), invStd));
    v128.store(p, f32x4.add(f32x4.div(sum, m), f32x4.mul(residual, slope)), SUM);
    v128.store(p, slope, PRODUCT);
    const toBeta = at(dBeta, 0, 0, c);
    const toGamma = at(dGamma, 0, 0, c);
    storePartial(toBeta, accumulate ? f32x4.add(loadPartial(toBeta, lanes), sum) : sum, lanes);
    storePartial(toGamma, accumulate ? f32x4.add(loadPartial(toGamma, lanes), product) : product, lanes);
  }
}

/** Backward, second pass, rows [i, i + count): dx ← SCALE · (g − SUM + (x − MEAN) · PRODUCT). */
function gradientRows<Mask>(
  dx: usize, group: usize, dy: usize, x: usize, count: i32, rsDx: i32, rsDy: i32, rsX: i32,
  i: i32, colBegin: i32, colEnd: i32,
): void {
  const stepX = <usize>rsX << 2;
  const stepDy = <usize>rsDy << 2;
  const stepDx = <usize>rsDx << 2;
  let c = colBegin;
  for (; colEnd - c >= GROUP; c += GROUP) {
    const fromX = at(x, i, rsX, c);
    const fromDy = at(dy, i, rsDy, c);
    const to = at(dx, i, rsDx, c);
    gradientHalf<Mask>(group, to, stepDx, fromDy, stepDy, fromX, stepX, count);
    gradientHalf<Mask>(group + 32, to + 32, stepDx, fromDy + 32, stepDy, fromX + 32, stepX, count);
    group += PROPERTIES;
  }
  for (; c < colEnd; c += 4) {
    gradientVector<Mask>(
      group, at(dx, i, rsDx, c), stepDx, at(dy, i, rsDy, c), stepDy, at(x, i, rsX, c), stepX, count, colEnd - c,
    );
    group += 16;
  }
}

// @ts-ignore: decorator
@inline
function gradientHalf<Mask>(
  group: usize, dx: usize, stepDx: usize, dy: usize, stepDy: usize, x: usize, stepX: usize, count: i32,
): void {
  const m0 = v128.load(group, MEAN);
  const m1 = v128.load(group, MEAN + 16);
  const g0 = v128.load(group, SCALE);
  const g1 = v128.load(group, SCALE + 16);
  const b0 = v128.load(group, OFFSET);
  const b1 = v128.load(group, OFFSET + 16);
  const s0 = v128.load(group, SUM);
  const s1 = v128.load(group, SUM + 16);
  const p0 = v128.load(group, PRODUCT);
  const p1 = v128.load(group, PRODUCT + 16);
  for (let i = 0; i < count; ++i) {
    const d0 = f32x4.sub(v128.load(x), m0);
    const d1 = f32x4.sub(v128.load(x, 16), m1);
    const dy0 = f32x4.sub(changetype<Mask>(0).apply(v128.load(dy), d0, g0, b0), s0);
    const dy1 = f32x4.sub(changetype<Mask>(0).apply(v128.load(dy, 16), d1, g1, b1), s1);
    v128.store(dx, f32x4.mul(g0, madd(d0, p0, dy0)));
    v128.store(dx, f32x4.mul(g1, madd(d1, p1, dy1)), 16);
    x += stepX;
    dy += stepDy;
    dx += stepDx;
  }
}

// @ts-ignore: decorator
@inline
function gradientVector<Mask>(
  property: usize, dx: usize, stepDx: usize, dy: usize, stepDy: usize, x: usize, stepX: usize, count: i32, lanes: i32,
): void {
  const m = v128.load(property, MEAN);
  const g = v128.load(property, SCALE);
  const b = v128.load(property, OFFSET);
  const s = v128.load(property, SUM);
  const p = v128.load(property, PRODUCT);
  for (let i = 0; i < count; ++i) {
    const d = f32x4.sub(loadPartial(x, lanes), m);
    const gradient = f32x4.sub(changetype<Mask>(0).apply(loadPartial(dy, lanes), d, g, b), s);
    storePartial(dx, f32x4.mul(g, madd(d, p, gradient)), lanes);
    x += stepX;
    dy += stepDy;
    dx += stepDx;
  }
}
