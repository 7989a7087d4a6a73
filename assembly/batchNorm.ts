/**
 * Batch normalisation over the columns of a row-major matrix (rows = batch, cols = features), Ioffe and Szegedy 2015.
 *
 * Every pass streams the matrix once, whole rows of the upper and the lower half of the matrix side by side, with what belongs
 * to a column (its sums, its mean, …) in `work`. Two streams a matrix keep more of the prefetchers busy than one (AMD EPYC, 1024 ×
 * 1024, the pass that writes dx: 0.42 to 0.27 ns an element); four would send twelve lines to a set of L1, which holds eight, where rows
 * are a multiple of 4 KiB apart (0.46). Columns go by the vector, the last one perhaps partial, through the same operations in the
 * same order. So a column's bits depend on its values and on `rows` alone, not on its place or the band.
 */
import { at, columnStatistics } from "./columnStatistics";
import { Vector0, Vector1, Vector2, Vector3, clear, load, store } from "./map";
import { madd, maddAtMostZero, thresholdOf } from "./simd";
import { loadPartial, storePartial } from "./partial";

/** Columns of a group: four vectors, one cache line. */
const GROUP = 16;

/** Rows of a tile. Their sum joins the total as a whole, so that the error grows with rows / 16 + 16, not with rows. */
const TILE = 16;

// A group in `work`: sixteen floats for each property of a column, at these bytes. The sums of a tile come first.
const TILE_SUM = 0;
const TILE_PRODUCT = 64;
const SUM = 128;
const PRODUCT = 192;
const MEAN = 256;
const SCALE = 320;
const OFFSET = 384;
const PROPERTIES: usize = 448;

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
  const first: usize = <usize>colBegin << 2;
  mapPairs<Normalize>(rows, end - colBegin, work, y + first, rsY, x + first, rsX, 0, 0, floor);
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
  mapPairs<Normalize>(end - rowBegin, cols, work, at(y, rowBegin, rsY, 0), rsY, at(x, rowBegin, rsX, 0), rsX, 0, 0, floor);
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
  scale<At>(property: usize): v128 {
    return v128.load(property, SCALE + offsetof<At>());
  }

  // @ts-ignore: decorator
  @inline
  threshold<At>(property: usize): v128 {
    return v128.load(property, OFFSET + offsetof<At>());
  }

  // @ts-ignore: decorator
  @inline
  apply(dy: v128, deviation: v128, scale: v128, threshold: v128): v128 {
    return v128.andnot(dy, maddAtMostZero(deviation, scale, threshold));
  }
}

/** Loads nothing: the compiler keeps loads that nobody needs, since they might trap. */
@final class NoMask {
  // @ts-ignore: decorator
  @inline
  scale<At>(_property: usize): v128 {
    return f32x4.splat(0);
  }

  // @ts-ignore: decorator
  @inline
  threshold<At>(_property: usize): v128 {
    return f32x4.splat(0);
  }

  // @ts-ignore: decorator
  @inline
  apply(dy: v128, _deviation: v128, _scale: v128, _threshold: v128): v128 {
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
  sumGradients<Mask>(work, dy, x, rows, rsDy, rsX, colBegin, end);
  finishGradients(work, dGamma, dBeta, saved, rows, cols, accumulate, colBegin, end);
  const first: usize = <usize>colBegin << 2;
  mapPairs<Gradient<Mask>>(rows, end - colBegin, work, dx + first, rsDx, dy + first, rsDy, x + first, rsX);
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

/**
 * Runs `Op.step` over `columns` columns of one row of each of up to three matrices, whose first elements a…c point at, a group at a
 * time. A step reaches other rows by the distances d0…d3, in bytes, and finds what belongs to its columns at `property`:
 *
 *     step<At>(lanes: i32, property: usize, a: usize, b: usize, c: usize, d0: usize, …, d3: usize, p: v128): void
 */
// @ts-ignore: decorator
@inline
function mapColumns<Op>(
  columns: i32, property: usize, a: usize, b: usize, c: usize, d0: usize, d1: usize, d2: usize, d3: usize,
  p: v128 = f32x4.splat(0),
): void {
  const op = changetype<Op>(0);
  let left = columns;
  for (; left >= GROUP; left -= GROUP) {
    op.step<Vector0>(4, property, a, b, c, d0, d1, d2, d3, p);
    op.step<Vector1>(4, property, a, b, c, d0, d1, d2, d3, p);
    op.step<Vector2>(4, property, a, b, c, d0, d1, d2, d3, p);
    op.step<Vector3>(4, property, a, b, c, d0, d1, d2, d3, p);
    property += PROPERTIES;
    a += 64;
    b += 64;
    c += 64;
  }
  for (; left > 0; left -= 4) {
    op.step<Vector0>(left, property, a, b, c, d0, d1, d2, d3, p);
    property += 16;
    a += 16;
    b += 16;
    c += 16;
  }
}

/** `mapColumns` over rows of both halves side by side, whose distances are d0…d2; a last odd row by itself, at the distance 0. */
// @ts-ignore: decorator
@inline
function mapPairs<Op>(
  rows: i32, columns: i32, work: usize, a: usize, rsA: i32, b: usize, rsB: i32, c: usize, rsC: i32, p: v128 = f32x4.splat(0),
): void {
  const half = rows >> 1;
  for (let k = 0; k < rows - half; ++k) {
    const paired = k < half;
    const i = paired ? k : rows - 1;
    const distance = paired ? half : 0;
    mapColumns<Op>(
      columns, work, a + bytes(i, rsA), b + bytes(i, rsB), c + bytes(i, rsC),
      bytes(distance, rsA), bytes(distance, rsB), bytes(distance, rsC), 0, p,
    );
  }
}

/** Bytes of `rows` rows. */
// @ts-ignore: decorator
@inline
function bytes(rows: i32, rs: i32): usize {
  return at(0, rows, rs, 0);
}

/** y = max((x − MEAN) · SCALE + OFFSET, floor) of two rows. */
@final class Normalize {
  // @ts-ignore: decorator
  @inline
  step<At>(
    lanes: i32, property: usize, y: usize, x: usize, _c: usize, farY: usize, farX: usize, _2: usize, _3: usize, floor: v128,
  ): void {
    const m = v128.load(property, MEAN + offsetof<At>());
    const g = v128.load(property, SCALE + offsetof<At>());
    const b = v128.load(property, OFFSET + offsetof<At>());
    const y0 = f32x4.pmax(madd(f32x4.sub(load<At>(x, 0, lanes), m), g, b), floor);
    const y1 = f32x4.pmax(madd(f32x4.sub(load<At>(x + farX, 0, lanes), m), g, b), floor);
    store<At>(y, 0, y0, lanes);
    store<At>(y + farY, 0, y1, lanes);
  }
}

/** Backward: MEAN and SCALE as forward had them, and of OFFSET what `maddAtMostZero` takes. */
function prepareBackward(
  work: usize, saved: usize, gamma: usize, beta: usize, cols: i32, colBegin: i32, colEnd: i32,
): void {
  for (let c = colBegin; c < colEnd; c += 4) {
    const p = propertyOf(work, c, colBegin);
    const lanes = colEnd - c;
    const invStd = loadPartial(at(saved, 2, cols, c), lanes);
    v128.store(p, loadPartial(at(saved, 0, cols, c), lanes), MEAN);
    storeScale(p, gamma, beta, loadPartial(at(saved, 1, cols, c), lanes), invStd, c, lanes);
    v128.store(p, thresholdOf(v128.load(p, OFFSET)), OFFSET);
  }
}

/**
 * Backward, first pass, g the masked dy: SUM ← Σ g, PRODUCT ← Σ g · (x − MEAN). Two rows of each half go together; the last one to three
 * rows join the last tile one by one.
 */
function sumGradients<Mask>(
  work: usize, dy: usize, x: usize, rows: i32, rsDy: i32, rsX: i32, colBegin: i32, colEnd: i32,
): void {
  const half = rows >> 2 << 1;
  for (let i = 0; i < half; i += 2) {
    mapColumns<SumFour<Mask>>(
      colEnd - colBegin, work, at(dy, i, rsDy, colBegin), at(x, i, rsX, colBegin), 0,
      bytes(1, rsDy), bytes(half, rsDy), bytes(1, rsX), bytes(half, rsX),
    );
    if ((i + 2) % (TILE / 2) == 0) joinTile(work, colBegin, colEnd);
  }
  for (let i = 2 * half; i < rows; ++i) {
    mapColumns<SumOne<Mask>>(colEnd - colBegin, work, at(dy, i, rsDy, colBegin), at(x, i, rsX, colBegin), 0, 0, 0, 0, 0);
  }
  joinTile(work, colBegin, colEnd);
}

/** TILE_SUM ← TILE_SUM + g and TILE_PRODUCT ← TILE_PRODUCT + g · (x − MEAN) of one row. */
@final class SumOne<Mask> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    lanes: i32, property: usize, dy: usize, x: usize, _c: usize, _0: usize, _1: usize, _2: usize, _3: usize, _p: v128,
  ): void {
    const mask = changetype<Mask>(0);
    const m = v128.load(property, MEAN + offsetof<At>());
    const d = f32x4.sub(load<At>(x, 0, lanes), m);
    const g = mask.apply(load<At>(dy, 0, lanes), d, mask.scale<At>(property), mask.threshold<At>(property));
    v128.store(property, f32x4.add(v128.load(property, TILE_SUM + offsetof<At>()), g), TILE_SUM + offsetof<At>());
    v128.store(property, madd(g, d, v128.load(property, TILE_PRODUCT + offsetof<At>())), TILE_PRODUCT + offsetof<At>());
  }
}

/** The same of four rows: this one, the next, and those as far below them as the halves lie apart. */
@final class SumFour<Mask> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    lanes: i32, property: usize, dy: usize, x: usize, _c: usize,
    stepDy: usize, farDy: usize, stepX: usize, farX: usize, _p: v128,
  ): void {
    const mask = changetype<Mask>(0);
    const m = v128.load(property, MEAN + offsetof<At>());
    const s = mask.scale<At>(property);
    const t = mask.threshold<At>(property);
    const d0 = f32x4.sub(load<At>(x, 0, lanes), m);
    const g0 = mask.apply(load<At>(dy, 0, lanes), d0, s, t);
    let sum = f32x4.add(v128.load(property, TILE_SUM + offsetof<At>()), g0);
    let product = madd(g0, d0, v128.load(property, TILE_PRODUCT + offsetof<At>()));
    const d1 = f32x4.sub(load<At>(x + stepX, 0, lanes), m);
    const g1 = mask.apply(load<At>(dy + stepDy, 0, lanes), d1, s, t);
    sum = f32x4.add(sum, g1);
    product = madd(g1, d1, product);
    const d2 = f32x4.sub(load<At>(x + farX, 0, lanes), m);
    const g2 = mask.apply(load<At>(dy + farDy, 0, lanes), d2, s, t);
    sum = f32x4.add(sum, g2);
    product = madd(g2, d2, product);
    const d3 = f32x4.sub(load<At>(x + farX + stepX, 0, lanes), m);
    const g3 = mask.apply(load<At>(dy + farDy + stepDy, 0, lanes), d3, s, t);
    sum = f32x4.add(sum, g3);
    product = madd(g3, d3, product);
    v128.store(property, sum, TILE_SUM + offsetof<At>());
    v128.store(property, product, TILE_PRODUCT + offsetof<At>());
  }
}

/** SUM ← SUM + TILE_SUM, PRODUCT ← PRODUCT + TILE_PRODUCT, and both of the tile's ← 0. */
function joinTile(work: usize, colBegin: i32, colEnd: i32): void {
  const zero = f32x4.splat(0);
  for (let c = colBegin; c < colEnd; c += 4) {
    const p = propertyOf(work, c, colBegin);
    v128.store(p, f32x4.add(v128.load(p, SUM), v128.load(p, TILE_SUM)), SUM);
    v128.store(p, f32x4.add(v128.load(p, PRODUCT), v128.load(p, TILE_PRODUCT)), PRODUCT);
    v128.store(p, zero, TILE_SUM);
    v128.store(p, zero, TILE_PRODUCT);
  }
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

/** dx = SCALE · (g − SUM + (x − MEAN) · PRODUCT) of two rows. */
@final class Gradient<Mask> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    lanes: i32, property: usize, dx: usize, dy: usize, x: usize, farDx: usize, farDy: usize, farX: usize, _3: usize, _p: v128,
  ): void {
    const mask = changetype<Mask>(0);
    const m = v128.load(property, MEAN + offsetof<At>());
    const s = v128.load(property, SCALE + offsetof<At>());
    const t = mask.threshold<At>(property);
    const sum = v128.load(property, SUM + offsetof<At>());
    const product = v128.load(property, PRODUCT + offsetof<At>());
    const d0 = f32x4.sub(load<At>(x, 0, lanes), m);
    const d1 = f32x4.sub(load<At>(x + farX, 0, lanes), m);
    const g0 = f32x4.sub(mask.apply(load<At>(dy, 0, lanes), d0, s, t), sum);
    const g1 = f32x4.sub(mask.apply(load<At>(dy + farDy, 0, lanes), d1, s, t), sum);
    store<At>(dx, 0, f32x4.mul(s, madd(d0, product, g0)), lanes);
    store<At>(dx + farDx, 0, f32x4.mul(s, madd(d1, product, g1)), lanes);
  }
}
