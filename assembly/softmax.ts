/** Softmax and its logarithm over the rows of a matrix, stable for values of any size, with their backward passes. */
import { exp } from "./activations";
import { Exp, constantsOf, exp0V, logV, runtimeZero } from "./math";
import { Scale } from "./elementwise";
import { at, load as loadLanes, firstLanes, map, mapSum, mapUnaryWith, store as storeLanes } from "./map";
import { madd } from "./simd";
import { loadPartial, loadPartialRepeated, storePartial } from "./partial";
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
 * Rows that take each of three passes together: subtract the maximum, `exp`, divide by the sum. By itself a row of ten waits for its
 * exponentials, their sum and the quotient, one behind the other, for 62, 14 and 14 cycles, and the 128 operations that Zen 4 has
 * under way do not reach the next but one. 8 rows to 32 are within 2 %.
 */
export const BLOCK = 16;

/** y ← x − m for the n ≥ 1 elements of a row, m their maximum, which it returns in every lane. y may be x. */
// @ts-ignore: decorator
@inline
export function shiftRow(y: usize, x: usize, n: i32): v128 {
  if (n > 16) {
    const maximum = rowMaximum(x, n, false);
    map<Shift>(n, y, x, 0, 0, maximum);
    return maximum;
  }
  if (n > 12) return shiftVectors(4, y, x, n);
  if (n > 8) return shiftVectors(3, y, x, n);
  if (n > 4) return shiftVectors(2, y, x, n);
  return shiftVectors(1, y, x, n);
}

/** `shiftRow` for a row of `count` = 1 … 4 vectors. */
// @ts-ignore: decorator
@inline
function shiftVectors(count: i32, y: usize, x: usize, n: i32): v128 {
  const end = <usize>(n - 4) << 2;
  const x0 = count > 1 ? v128.load(x) : loadPartialRepeated(x, n);
  const x1 = count > 2 ? v128.load(x, 16) : x0;
  const x2 = count > 3 ? v128.load(x, 32) : x0;
  const last = count > 1 ? v128.load(x + end) : x0;
  let maximum = x0;
  if (count > 2) maximum = f32x4.pmax(maximum, x1);
  if (count > 1) maximum = f32x4.pmax(maximum, count > 3 ? f32x4.pmax(x2, last) : last);
  maximum = maximumLane(maximum);
  if (count == 1) {
    storePartial(y, f32x4.sub(x0, maximum), n);
  } else {
    v128.store(y, f32x4.sub(x0, maximum));
    if (count > 2) v128.store(y, f32x4.sub(x1, maximum), 16);
    if (count > 3) v128.store(y, f32x4.sub(x2, maximum), 32);
    v128.store(y + end, f32x4.sub(last, maximum));
  }
  return maximum;
}

/** y ← eʸ for rows × cols elements, in one run where rows lie next to each other. */
// @ts-ignore: decorator
@inline
export function exponentials(y: usize, rows: i32, cols: i32, rsY: i32): void {
  if (rsY == cols) {
    exp(y, y, rows * cols);
  } else {
    for (let i = 0; i < rows; ++i) exp(at(y, i, rsY), at(y, i, rsY), cols);
  }
}

/** y ← scale · y / Σ y for the n ≥ 1 elements of a row; returns Σ y in every lane. `lastLanes` comes from `newLanes`. */
// @ts-ignore: decorator
@inline
export function normalizeRow(y: usize, n: i32, scale: v128, lastLanes: v128): v128 {
  if (n > 16) {
    const sum = sumLanes(mapSum<Sum>(n, y));
    mapUnaryWith<Scale>(y, y, n, f32x4.div(scale, sum));
    return sum;
  }
  if (n > 12) return normalizeVectors(4, y, n, scale, lastLanes);
  if (n > 8) return normalizeVectors(3, y, n, scale, lastLanes);
  if (n > 4) return normalizeVectors(2, y, n, scale, lastLanes);
  return normalizeVectors(1, y, n, scale, lastLanes);
}

/** The last vector of a row of 5 to 16 elements ends with the row: which of its lanes the vectors before it have not. */
// @ts-ignore: decorator
@inline
export function newLanes(n: i32): v128 {
  return i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat((n + 3 & ~3) - n));
}

/** `normalizeRow` for a row of `count` = 1 … 4 vectors. */
// @ts-ignore: decorator
@inline
function normalizeVectors(count: i32, y: usize, n: i32, scale: v128, lastLanes: v128): v128 {
  const end = <usize>(n - 4) << 2;
  const y0 = count > 1 ? v128.load(y) : loadPartial(y, n);
  const y1 = count > 2 ? v128.load(y, 16) : y0;
  const y2 = count > 3 ? v128.load(y, 32) : y0;
  const last = count > 1 ? v128.load(y + end) : y0;
  let sum = y0;
  if (count > 2) sum = f32x4.add(sum, y1);
  if (count > 1) {
    const rest = v128.and(last, lastLanes);
    sum = f32x4.add(sum, count > 3 ? f32x4.add(y2, rest) : rest);
  }
  sum = sumLanes(sum);
  const factor = f32x4.div(scale, sum);
  if (count == 1) {
    storePartial(y, f32x4.mul(y0, factor), n);
  } else {
    v128.store(y, f32x4.mul(y0, factor));
    if (count > 2) v128.store(y, f32x4.mul(y1, factor), 16);
    if (count > 3) v128.store(y, f32x4.mul(y2, factor), 32);
    v128.store(y + end, f32x4.mul(last, factor));
  }
  return sum;
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
  const lanes = newLanes(cols);
  for (let first = rowBegin; first < end; first += BLOCK) {
    const next = min(first + BLOCK, end);
    for (let i = first; i < next; ++i) shiftRow(at(y, i, rsY), at(x, i, rsX), cols);
    exponentials(at(y, first, rsY), next - first, cols, rsY);
    for (let i = first; i < next; ++i) normalizeRow(at(y, i, rsY), cols, f32x4.splat(1), lanes);
  }
}

/** y = x − maximum */
@final class Shift {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    maximum: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    storeLanes<At>(y, i, f32x4.sub(loadLanes<At>(x, i, lanes), maximum), lanes);
  }
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
function laneMask(lane: i32): v128 {
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
