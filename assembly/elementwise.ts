/**
 * Arithmetic and comparisons. Functions of one array take n contiguous elements, those of two a matrix each that may be
 * broadcast (broadcast.ts says how); in place is allowed.
 */
import { mapBroadcast } from "./broadcast";
import { map, mapUnary, mapUnaryWith, load, store } from "./map";
import { laneSelect, madd } from "./simd";

/** factor · x */
@final export class Scale {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, factor: v128): v128 {
    return f32x4.mul(x, factor);
  }
}

/** y ← factor · x */
export function scale(y: usize, x: usize, n: i32, factor: f32): void {
  mapUnaryWith<Scale>(y, x, n, f32x4.splat(factor));
}

/** x within [low, high]; NaN stays. */
@final class Clamp {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    low: v128, high: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    // x stands first, so that NaN stays.
    store<At>(y, i, f32x4.pmin(f32x4.pmax(load<At>(x, i, lanes), low), high), lanes);
  }
}

/** y ← min(max(x, low), high), and NaN for NaN (as torch.clamp) */
export function clamp(y: usize, x: usize, n: i32, low: f32, high: f32): void {
  map<Clamp>(n, y, x, 0, 0, f32x4.splat(low), f32x4.splat(high));
}

@final class Abs {
  // @ts-ignore: decorator
  @inline
  apply(x: v128): v128 {
    return f32x4.abs(x);
  }
}

/** y ← |x| */
export function abs(y: usize, x: usize, n: i32): void {
  mapUnary<Abs>(y, x, n, true);
}

/** ±1 with the sign of x where |x| > 0, x itself where it is 0, −0 or NaN. */
@final class Sign {
  // @ts-ignore: decorator
  @inline
  apply(x: v128): v128 {
    const unit = v128.or(v128.and(x, f32x4.splat(-0.0)), f32x4.splat(1));
    return laneSelect(unit, x, f32x4.gt(f32x4.abs(x), f32x4.splat(0)));
  }
}

/** y ← −1, 0 or 1, the sign of x; −0 and NaN stay (as Math.sign and StableHLO; PyTorch gives 0 for both) */
export function sign(y: usize, x: usize, n: i32): void {
  mapUnary<Sign>(y, x, n, true);
}

@final class Sqrt {
  // @ts-ignore: decorator
  @inline
  apply(x: v128): v128 {
    return f32x4.sqrt(x);
  }
}

/** y ← √x, NaN where x < 0 */
export function sqrt(y: usize, x: usize, n: i32): void {
  mapUnary<Sqrt>(y, x, n, true);
}

/** x + alpha · y: alpha = 1 and −1 are exact, so a fused one is the same. */
@final class Add {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, alpha: v128): v128 {
    return madd(alpha, y, x);
  }
}

/** z ← x + alpha · y */
export function add(
  z: usize, x: usize, y: usize,
  rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32, alpha: f32,
): void {
  mapBroadcast<Add>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY, f32x4.splat(alpha));
}

@final class Multiply {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return f32x4.mul(x, y);
  }
}

/** z ← x · y */
export function multiply(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<Multiply>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}

@final class Divide {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return f32x4.div(x, y);
  }
}

/** z ← x / y */
export function divide(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<Divide>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}

@final class Minimum {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return f32x4.min(x, y);
  }
}

/** z ← the lesser of x and y, NaN where one is NaN, −0 below 0 (IEEE 754-2019 minimum) */
export function minimum(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<Minimum>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}

@final class Maximum {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return f32x4.max(x, y);
  }
}

/** z ← the greater of x and y, NaN where one is NaN, 0 above −0 (IEEE 754-2019 maximum) */
export function maximum(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<Maximum>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}

/** 1 where all bits of a lane are set, 0 where none is: without a constant, which engines rebuild at every use. */
// @ts-ignore: decorator
@inline
function one(mask: v128): v128 {
  return i32x4.shl(i32x4.shr_u(mask, 25), 23);
}

@final class Equal {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return one(f32x4.eq(x, y));
  }
}

/** z ← 1 where x = y, else 0: NaN equals nothing */
export function equal(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<Equal>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}

@final class NotEqual {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return one(f32x4.ne(x, y));
  }
}

/** z ← 1 where x ≠ y, else 0 */
export function notEqual(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<NotEqual>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}

@final class Less {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return one(f32x4.lt(x, y));
  }
}

/** z ← 1 where x < y, else 0; y > x with the operands swapped */
export function less(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<Less>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}

@final class LessEqual {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, y: v128, _: v128): v128 {
    return one(f32x4.le(x, y));
  }
}

/** z ← 1 where x ≤ y, else 0; y ≥ x with the operands swapped */
export function lessEqual(
  z: usize, x: usize, y: usize, rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  mapBroadcast<LessEqual>(z, x, y, rows, cols, rsZ, rsX, csX, rsY, csY);
}
