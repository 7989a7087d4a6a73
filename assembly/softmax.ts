/** Softmax and its logarithm over the rows of a matrix, stable for values of any size, with their backward passes. */
import { Exp, constantsOf, exp0V, logV, runtimeZero } from "./math";
import { Scale } from "./elementwise";
import { at, load as loadLanes, firstLanes, map, mapSum, mapUnaryWith, store as storeLanes } from "./map";
import { madd } from "./simd";
import { rowMaximum, sumLanes } from "./reductions";

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
 * y ← exp(x − maximum) for the n ≥ 1 elements of a row; returns the sum in every lane, at least 1. NaN where the row
 * holds NaN or ∞, or −∞ alone. y may be x.
 */
// @ts-ignore: decorator
@inline
export function shiftedExp(y: usize, x: usize, n: i32, maximum: v128, zero: v128): v128 {
  return sumLanes(
    mapSum<ShiftedExp>(n, y, x, 0, 0, maximum, constantsOf<Exp>(0, zero), constantsOf<Exp>(1, zero), constantsOf<Exp>(2, zero)),
  );
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
  for (let i = rowBegin; i < end; ++i) {
    const to = at(y, i, rsY);
    const from = at(x, i, rsX);
    const sum = shiftedExp(to, from, cols, rowMaximum(from, cols, false), zero);
    mapUnaryWith<Scale>(to, to, cols, f32x4.div(f32x4.splat(1), sum));
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
  for (let i = rowBegin; i < end; ++i) {
    const from = at(x, i, rsX);
    const maximum = rowMaximum(from, cols, false);
    const sum = sumLanes(mapSum<SumShiftedExp>(cols, from, 0, 0, 0, maximum, a, b, c));
    map<Normalize>(cols, at(y, i, rsY), from, 0, 0, maximum, logV(sum, zero));
  }
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
