/**
 * Normalisation of each row by groups of neighbouring features: group norm (Wu and He 2018), with one group layer norm
 * (Ba, Kiros and Hinton 2016). A row stays in the cache while its groups are summed, squared and normalised, so memory is
 * passed over once in each direction. Groups have cols / groups features, which must be a whole number.
 */
import { inverseDeviation } from "./batchNorm";
import { residualOf } from "./columnStatistics";
import { at, clear, firstLanes, load as loadLanes, map, mapSum, store as storeLanes } from "./map";
import { sumLanes } from "./reductions";
import { madd } from "./simd";

/** Rows of a part: their sums of dGamma and dBeta are added one after the other. */
const PART = 32;

/** Σ (x − first) */
@final class Differences {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, x: usize, _b: usize, _c: usize, _d: usize,
    first: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return f32x4.add(sum, firstLanes(f32x4.sub(loadLanes<At>(x, i, lanes), first), lanes));
  }
}

/** Σ (x − mean)² */
@final class SquaredDifferences {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, x: usize, _b: usize, _c: usize, _d: usize,
    mean: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const deviation = firstLanes(f32x4.sub(loadLanes<At>(x, i, lanes), mean), lanes);
    return madd(deviation, deviation, sum);
  }
}

/** (x − mean) · invStd + offset, where offset = −residual · invStd: the same bits in forward and backward. */
// @ts-ignore: decorator
@inline
function normalized(x: v128, mean: v128, invStd: v128, offset: v128): v128 {
  return madd(f32x4.sub(x, mean), invStd, offset);
}

/** y = gamma · x̂ + beta */
@final class NormalizeAndScale {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, gamma: usize, beta: usize,
    mean: v128, invStd: v128, offset: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const xHat = normalized(loadLanes<At>(x, i, lanes), mean, invStd, offset);
    storeLanes<At>(y, i, madd(xHat, loadLanes<At>(gamma, i, lanes), loadLanes<At>(beta, i, lanes)), lanes);
  }
}

/** One float for each group of a row, and again for two more properties: `planes` apart. */
// @ts-ignore: decorator
@inline
function loadSaved(saved: usize, property: i32, planes: i32): v128 {
  return v128.load32_splat(at(saved, property, planes));
}

// @ts-ignore: decorator
@inline
function storeSaved(saved: usize, property: i32, planes: i32, v: v128): void {
  v128.store32_lane(at(saved, property, planes), v, 0);
}

/**
 * y ← gamma · (x − mean) / √(var + eps) + beta with the mean and the (biased) variance of each group of a row, for the
 * rows [rowBegin, rowEnd) of x (rows × cols); gamma and beta have cols values. y may be x.
 *
 * `saved` (3 × rows·groups) receives what backward needs: the mean in float32, what that rounding lost, and
 * 1 / √(var + eps). The mean is found from the differences to the group's first value, the variance from those to the mean,
 * as in batch norm. A group of one feature normalises to beta.
 */
export function groupNormForward(
  y: usize, saved: usize, x: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, groups: i32, rsY: i32, rsX: i32, eps: f32, rowBegin: i32, rowEnd: i32,
): void {
  if (groups <= 0 || cols <= 0) return;
  const end = min(rowEnd, rows);
  const n = cols / groups;
  const count = f32x4.splat(<f32>n);
  const planes = rows * groups;
  for (let i = rowBegin; i < end; ++i) {
    for (let g = 0; g < groups; ++g) {
      const group = at(x, i, rsX) + at(0, g, n);
      const first = v128.load32_splat(group);
      const rest = f32x4.div(sumLanes(mapSum<Differences>(n, group, 0, 0, 0, first)), count);
      const mean = f32x4.add(first, rest);
      const residual = residualOf(first, rest, mean);
      const squares = sumLanes(mapSum<SquaredDifferences>(n, group, 0, 0, 0, mean));
      const variance = f32x4.div(f32x4.sub(squares, f32x4.mul(f32x4.mul(residual, residual), count)), count);
      const invStd = inverseDeviation(variance, eps);
      const save = at(saved, i * groups + g, 1);
      storeSaved(save, 0, planes, mean);
      storeSaved(save, 1, planes, residual);
      storeSaved(save, 2, planes, invStd);
      const offset = f32x4.neg(f32x4.mul(residual, invStd));
      map<NormalizeAndScale>(n, at(y, i, rsY) + at(0, g, n), group, at(gamma, g, n), at(beta, g, n), mean, invStd, offset);
    }
  }
}

/** Σ gamma · dy */
@final class Gradients {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, dy: usize, gamma: usize, _c: usize, _d: usize,
    _0: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return madd(loadLanes<At>(gamma, i, lanes), loadLanes<At>(dy, i, lanes), sum);
  }
}

/** Σ gamma · dy · (x − mean) */
@final class GradientsByDeviations {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, dy: usize, gamma: usize, x: usize, _d: usize,
    mean: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const gradient = f32x4.mul(loadLanes<At>(gamma, i, lanes), loadLanes<At>(dy, i, lanes));
    return madd(gradient, f32x4.sub(loadLanes<At>(x, i, lanes), mean), sum); // missing lanes have the gradient 0
  }
}

/** dx = gamma · dy · invStd + (x − mean) · slope + shift; dGamma += dy · x̂, dBeta += dy, whose addresses are in `sums`. */
@final class InputGradient {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, dx: usize, dy: usize, x: usize, gamma: usize,
    mean: v128, invStd: v128, offset: v128, slope: v128, shift: v128, sums: v128, _6: v128, _7: v128,
  ): void {
    const dGamma = <usize>i32x4.extract_lane(sums, 0);
    const dBeta = <usize>i32x4.extract_lane(sums, 1);
    const v = loadLanes<At>(x, i, lanes);
    const gradient = loadLanes<At>(dy, i, lanes);
    const xHat = normalized(v, mean, invStd, offset);
    storeLanes<At>(dGamma, i, madd(gradient, xHat, loadLanes<At>(dGamma, i, lanes)), lanes);
    storeLanes<At>(dBeta, i, f32x4.add(gradient, loadLanes<At>(dBeta, i, lanes)), lanes);
    const through = madd(f32x4.sub(v, mean), slope, shift);
    const scaled = f32x4.mul(loadLanes<At>(gamma, i, lanes), gradient);
    storeLanes<At>(dx, i, madd(scaled, invStd, through), lanes);
  }
}

/** How many parts `groupNormBackward` makes of so many rows. */
export function groupNormPartsSize(rows: i32): i32 {
  return rows > 0 ? (rows - 1) / PART + 1 : 0;
}

/**
 * With g = gamma · dy and x̂ = (x − mean) / √(var + eps), as forward computed them, for the rows of the parts
 * [partBegin, partEnd), 32 rows each: dx ← (g − Σ g / n − x̂ · Σ (g · x̂) / n) / √(var + eps), the sums over the n features
 * of a group; and for part p row p of `parts` (parts × 2·cols) ← Σ dy · x̂, Σ dy over its rows. The sums of its columns, by
 * `columnSums`, are dGamma and dBeta. dx may be dy or x.
 */
export function groupNormBackward(
  dx: usize, parts: usize, dy: usize, x: usize, saved: usize, gamma: usize,
  rows: i32, cols: i32, groups: i32, rsDx: i32, rsDy: i32, rsX: i32, partBegin: i32, partEnd: i32,
): void {
  if (groups <= 0 || cols <= 0) return;
  const end = min(partEnd, groupNormPartsSize(rows));
  for (let p = partBegin; p < end; ++p) {
    const sums = at(parts, p, 2 * cols);
    clear(sums, 2 * cols);
    const last = min((p + 1) * PART, rows);
    for (let i = p * PART; i < last; ++i) {
      const save = at(saved, i * groups, 1);
      gradientsOfRow(
        at(dx, i, rsDx), sums, at(dy, i, rsDy), at(x, i, rsX), save, gamma, cols, groups, rows * groups,
      );
    }
  }
}

function gradientsOfRow(
  dx: usize, sums: usize, dy: usize, x: usize, saved: usize, gamma: usize, cols: i32, groups: i32, planes: i32,
): void {
  const n = cols / groups;
  const count = f32x4.splat(<f32>n);
  for (let g = 0; g < groups; ++g) {
    const mean = loadSaved(saved, 0, planes);
    const residual = loadSaved(saved, 1, planes);
    const invStd = loadSaved(saved, 2, planes);
    const sum = sumLanes(mapSum<Gradients>(n, dy, gamma));
    const product = sumLanes(mapSum<GradientsByDeviations>(n, dy, gamma, x, 0, mean));
    const projection = f32x4.mul(f32x4.sub(product, f32x4.mul(residual, sum)), invStd);
    const slope = f32x4.neg(f32x4.mul(f32x4.mul(f32x4.div(projection, count), invStd), invStd));
    const shift = f32x4.neg(f32x4.add(f32x4.mul(f32x4.div(sum, count), invStd), f32x4.mul(residual, slope)));
    const offset = f32x4.neg(f32x4.mul(residual, invStd));
    const addresses = i32x4(<i32>sums, <i32>at(sums, cols, 1), 0, 0);
    map<InputGradient>(n, dx, dy, x, gamma, mean, invStd, offset, slope, shift, addresses);
    dx = at(dx, n, 1);
    dy = at(dy, n, 1);
    x = at(x, n, 1);
    gamma = at(gamma, n, 1);
    sums = at(sums, n, 1);
    saved = at(saved, 1, 1);
  }
}
