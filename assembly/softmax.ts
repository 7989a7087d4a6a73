/** Softmax and its logarithm over the rows of a matrix, stable for values of any size, with their backward passes. */
import { Exp, constantsOf, exp0V, logV, runtimeZero } from "./math";
import { Scale } from "./elementwise";
import { at, load as loadLanes, firstLanes, map, mapSum, mapUnaryWith, store as storeLanes } from "./map";
import { madd } from "./simd";
import { loadPartialRepeated, storePartial } from "./partial";
import { maximumLane, rowMaximum, sumLanes } from "./reductions";

/** y = exp(x − maximum), with the constants of Exp in a…c, and its sum. */
@final class ShiftedExp {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    maximum: v128, a: v128, b: v128, c: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const e = exp0V(f32x4.sub(loadLanes<At>(x, i, lanes), maximum), a, b, c);
    storeLanes<At>(y, i, e, lanes);
    return f32x4.add(sum, firstLanes(e, lanes));
  }
}

/**
 * y ← exp(x − maximum) for the n ≥ 1 elements of a row, with the constants of Exp in a…c; returns the sum, at least 1, in
 * every lane. NaN where the row holds NaN or ∞, or −∞ alone. y may be x.
 */
// @ts-ignore: decorator
@inline
export function shiftedExp(y: usize, x: usize, n: i32, maximum: v128, a: v128, b: v128, c: v128): v128 {
  return sumLanes(mapSum<ShiftedExp>(n, y, x, 0, 0, maximum, a, b, c));
}

/**
 * y ← scale · softmax(x) for the n ≥ 1 elements of a row, with the constants of Exp in a…c; y may be x. Returns
 * Σ exp(x − maximum), at least 1, in lanes 0 and 2 and the maximum in the others. All but the maximum are NaN where the
 * row holds NaN or ∞, or −∞ alone. `lastLanes` comes from `newLanes`. Up to four vectors stay in registers.
 */
// @ts-ignore: decorator
@inline
export function softmaxRow(
  y: usize, x: usize, n: i32, scale: v128, lastLanes: v128, a: v128, b: v128, c: v128,
): v128 {
  if (n > 16) {
    const maximum = rowMaximum(x, n, false);
    const sum = shiftedExp(y, x, n, maximum, a, b, c);
    mapUnaryWith<Scale>(y, y, n, f32x4.div(scale, sum));
    return v128.shuffle<f32>(sum, maximum, 0, 4, 0, 4);
  }
  if (n > 12) return softmaxVectors(4, y, x, n, scale, lastLanes, a, b, c);
  if (n > 8) return softmaxVectors(3, y, x, n, scale, lastLanes, a, b, c);
  if (n > 4) return softmaxVectors(2, y, x, n, scale, lastLanes, a, b, c);
  return softmaxVectors(1, y, x, n, scale, lastLanes, a, b, c);
}

/** The last vector of a row of 5 to 16 elements ends with the row: which of its lanes the vectors before it have not. */
// @ts-ignore: decorator
@inline
export function newLanes(n: i32): v128 {
  return i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat((n + 3 & ~3) - n));
}

/** `softmaxRow` for a row of `count` = 1 … 4 vectors. */
// @ts-ignore: decorator
@inline
function softmaxVectors(
  count: i32, y: usize, x: usize, n: i32, scale: v128, lastLanes: v128, a: v128, b: v128, c: v128,
): v128 {
  const end = <usize>(n - 4) << 2;
  let e0 = count > 1 ? v128.load(x) : loadPartialRepeated(x, n);
  let e1 = count == 2 ? v128.load(x + end) : count > 2 ? v128.load(x, 16) : e0;
  let e2 = count == 3 ? v128.load(x + end) : count > 3 ? v128.load(x, 32) : e0;
  let e3 = count == 4 ? v128.load(x + end) : e0;
  let maximum = e0;
  if (count > 1) maximum = f32x4.pmax(maximum, e1);
  if (count > 2) maximum = f32x4.pmax(maximum, count > 3 ? f32x4.pmax(e2, e3) : e2);
  maximum = maximumLane(maximum);
  e0 = exp0V(f32x4.sub(e0, maximum), a, b, c);
  let sum = count > 1 ? e0 : firstLanes(e0, n);
  if (count > 1) {
    e1 = exp0V(f32x4.sub(e1, maximum), a, b, c);
    sum = f32x4.add(sum, count == 2 ? v128.and(e1, lastLanes) : e1);
  }
  if (count > 2) {
    e2 = exp0V(f32x4.sub(e2, maximum), a, b, c);
    let others = count == 3 ? v128.and(e2, lastLanes) : e2;
    if (count > 3) {
      e3 = exp0V(f32x4.sub(e3, maximum), a, b, c);
      others = f32x4.add(others, v128.and(e3, lastLanes));
    }
    sum = f32x4.add(sum, others);
  }
  sum = sumLanes(sum);
  const factor = f32x4.div(scale, sum);
  if (count == 1) {
    storePartial(y, f32x4.mul(e0, factor), n);
  } else {
    v128.store(y, f32x4.mul(e0, factor));
    if (count > 2) v128.store(y, f32x4.mul(e1, factor), 16);
    if (count > 3) v128.store(y, f32x4.mul(e2, factor), 32);
    v128.store(y + end, f32x4.mul(count == 2 ? e1 : count == 3 ? e2 : e3, factor));
  }
  return v128.shuffle<f32>(sum, maximum, 0, 4, 0, 4);
}

/**
 * y_ij ← exp(x_ij) / Σ_j exp(x_ij) for the rows [rowBegin, rowEnd) of x (rows × cols). y may be x. A NaN or +∞ in a row,
 * or a row of −∞, makes the row NaN, as in PyTorch.
 */
export function softmax(
  y: usize, x: usize, rows: i32, cols: i32, rsY: i32, rsX: i32, rowBegin: i32, rowEnd: i32,
): void {
  if (cols <= 0) return;
  const end = min(rowEnd, rows);
  const zero = runtimeZero(cols);
  const a = constantsOf<Exp>(0, zero);
  const b = constantsOf<Exp>(1, zero);
  const c = constantsOf<Exp>(2, zero);
  const lanes = newLanes(cols);
  for (let i = rowBegin; i < end; ++i) softmaxRow(at(y, i, rsY), at(x, i, rsX), cols, f32x4.splat(1), lanes, a, b, c);
}

/** Σ x y. */
@final class Dot {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, x: usize, y: usize, _c: usize, _d: usize,
    _0: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return madd(loadLanes<At>(x, i, lanes), loadLanes<At>(y, i, lanes), sum);
  }
}

/** dx = y (dy − sum) */
@final class SoftmaxBackward {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, dx: usize, y: usize, dy: usize, _d: usize,
    sum: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const centred = f32x4.sub(loadLanes<At>(dy, i, lanes), sum);
    storeLanes<At>(dx, i, f32x4.mul(loadLanes<At>(y, i, lanes), centred), lanes);
  }
}

/** dx_ij ← y_ij (dy_ij − Σ_j y_ij dy_ij), where y = softmax(x), for the rows [rowBegin, rowEnd). dx may be y or dy. */
export function softmaxBackward(
  dx: usize, y: usize, dy: usize, rows: i32, cols: i32, rsDx: i32, rsY: i32, rsDy: i32, rowBegin: i32, rowEnd: i32,
): void {
  const end = min(rowEnd, rows);
  for (let i = rowBegin; i < end; ++i) {
    const p = at(y, i, rsY);
    const dp = at(dy, i, rsDy);
    map<SoftmaxBackward>(cols, at(dx, i, rsDx), p, dp, 0, sumLanes(mapSum<Dot>(cols, p, dp)));
  }
}

/** Σ exp(x − maximum), with the constants of Exp in a…c. */
@final class SumShiftedExp {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, x: usize, _b: usize, _c: usize, _d: usize,
    maximum: v128, a: v128, b: v128, c: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return f32x4.add(sum, firstLanes(exp0V(f32x4.sub(loadLanes<At>(x, i, lanes), maximum), a, b, c), lanes));
  }
}

/** y = (x − maximum) − logarithm */
@final class Normalize {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    maximum: v128, logarithm: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    storeLanes<At>(y, i, f32x4.sub(f32x4.sub(loadLanes<At>(x, i, lanes), maximum), logarithm), lanes);
  }
}

/** y_ij ← x_ij − ln Σ_j exp(x_ij) for the rows [rowBegin, rowEnd) of x (rows × cols); as `softmax` otherwise. */
export function logSoftmax(
  y: usize, x: usize, rows: i32, cols: i32, rsY: i32, rsX: i32, rowBegin: i32, rowEnd: i32,
): void {
  if (cols <= 0) return;
  const end = min(rowEnd, rows);
  const zero = runtimeZero(cols);
  const a = constantsOf<Exp>(0, zero);
  const b = constantsOf<Exp>(1, zero);
  const c = constantsOf<Exp>(2, zero);
  // Four rows share one logarithm.
  for (let first = rowBegin; first < end; first += 4) {
    const count = min(end - first, 4);
    let sums = f32x4.splat(1);
    let maxima = sums;
    for (let row = 0; row < count; ++row) {
      const from = at(x, first + row, rsX);
      const maximum = rowMaximum(from, cols, false);
      const sum = sumLanes(mapSum<SumShiftedExp>(cols, from, 0, 0, 0, maximum, a, b, c));
      const selected = laneMask(row);
      sums = v128.bitselect(sum, sums, selected);
      maxima = v128.bitselect(maximum, maxima, selected);
    }
    const logarithms = logV(sums, zero);
    for (let row = 0; row < count; ++row) {
      const i = first + row;
      map<Normalize>(cols, at(y, i, rsY), at(x, i, rsX), 0, 0, spread(maxima, row), spread(logarithms, row));
    }
  }
}

/** All bits set in lane `lane`. */
// @ts-ignore: decorator
@inline
export function laneMask(lane: i32): v128 {
  return i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(lane));
}

/** Lane `lane` of v in every lane. */
// @ts-ignore: decorator
@inline
function spread(v: v128, lane: i32): v128 {
  return v128.swizzle(v, i8x16.add(i8x16.splat(<i8>(lane << 2)), i8x16(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3)));
}

/** Σ x. */
@final class Sum {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, x: usize, _b: usize, _c: usize, _d: usize,
    _0: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    return f32x4.add(sum, loadLanes<At>(x, i, lanes));
  }
}

/** dx = dy − exp(y) sum, with the constants of Exp in a…c. */
@final class LogSoftmaxBackward {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, dx: usize, y: usize, dy: usize, _d: usize,
    sum: v128, a: v128, b: v128, c: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const probability = exp0V(loadLanes<At>(y, i, lanes), a, b, c);
    storeLanes<At>(dx, i, f32x4.sub(loadLanes<At>(dy, i, lanes), f32x4.mul(probability, sum)), lanes);
  }
}

/** dx_ij ← dy_ij − exp(y_ij) Σ_j dy_ij, where y = logSoftmax(x), for the rows [rowBegin, rowEnd). dx may be y or dy. */
export function logSoftmaxBackward(
  dx: usize, y: usize, dy: usize, rows: i32, cols: i32, rsDx: i32, rsY: i32, rsDy: i32, rowBegin: i32, rowEnd: i32,
): void {
  const end = min(rowEnd, rows);
  const zero = runtimeZero(cols);
  const a = constantsOf<Exp>(0, zero);
  const b = constantsOf<Exp>(1, zero);
  const c = constantsOf<Exp>(2, zero);
  for (let i = rowBegin; i < end; ++i) {
    const dp = at(dy, i, rsDy);
    const sum = sumLanes(mapSum<Sum>(cols, dp));
    map<LogSoftmaxBackward>(cols, at(dx, i, rsDx), at(y, i, rsY), dp, 0, sum, a, b, c);
  }
}
