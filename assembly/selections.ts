/** Activations that pass some values on and stop the others: ReLU with a mask of bits, maxout. */
import { at, load as loadLanes, map, mapEights, store as storeLanes } from "./map";
import { laneSelect } from "./simd";

/** y = max(x, 0) as in relu; returns whether each element passes (x > 0 or NaN), four bits. */
// @ts-ignore: decorator
@inline
function reluBits<At>(y: usize, x: usize, i: usize, lanes: i32): i32 {
  const zero = f32x4.splat(0);
  const v = loadLanes<At>(x, i, lanes);
  storeLanes<At>(y, i, f32x4.pmax(v, zero), lanes);
  const bits = ~i32x4.bitmask(f32x4.le(v, zero)) & 15;
  return lanes >= 4 ? bits : bits & ((1 << lanes) - 1);
}

@final class ReluWithMask {
  // @ts-ignore: decorator
  @inline
  step<First, Second>(i: usize, lanes: i32, y: usize, x: usize, mask: usize): void {
    let bits = reluBits<First>(y, x, i, lanes);
    if (lanes > 4) bits |= reluBits<Second>(y, x, i, lanes - 4) << 4;
    store<u8>(mask, bits);
  }
}

/**
 * y ← max(x, 0) as `relu` has it; bit i mod 8 of mask[⌊i / 8⌋] ← 1 where dy passes back, which is where x > 0 or NaN. The
 * mask has ⌈n / 8⌉ bytes; what is left of its last byte is 0. y may be x.
 */
export function reluWithMask(y: usize, mask: usize, x: usize, n: i32): void {
  mapEights<ReluWithMask>(n, y, x, mask);
}

/** dx = dy where `bits` has the bit of `lane` set, else 0. */
// @ts-ignore: decorator
@inline
function passBits<At>(dx: usize, dy: usize, i: usize, lanes: i32, bits: v128, lane: v128): void {
  const passed = i32x4.eq(v128.and(bits, lane), lane);
  storeLanes<At>(dx, i, v128.and(loadLanes<At>(dy, i, lanes), passed), lanes);
}

@final class ReluMaskBackward {
  // @ts-ignore: decorator
  @inline
  step<First, Second>(i: usize, lanes: i32, dx: usize, dy: usize, mask: usize): void {
    const bits = i32x4.splat(load<u8>(mask));
    passBits<First>(dx, dy, i, lanes, bits, i32x4(1, 2, 4, 8));
    if (lanes > 4) passBits<Second>(dx, dy, i, lanes - 4, bits, i32x4(16, 32, 64, 128));
  }
}

/** dx ← dy where the mask of `reluWithMask` has a 1, else 0. dx may be dy. */
export function reluMaskBackward(dx: usize, mask: usize, dy: usize, n: i32): void {
  mapEights<ReluMaskBackward>(n, dx, dy, mask);
}

/** The greatest of x[i], x[i + features] … and NaN where one is; `sizes` holds features and pieces. */
// @ts-ignore: decorator
@inline
function greatestPiece<At>(x: usize, i: usize, lanes: i32, sizes: v128): v128 {
  const features = i32x4.extract_lane(sizes, 0);
  const pieces = i32x4.extract_lane(sizes, 1);
  let greatest = loadLanes<At>(x, i, lanes);
  for (let piece = 1; piece < pieces; ++piece) {
    const v = loadLanes<At>(at(x, piece, features), i, lanes);
    greatest = laneSelect(v, greatest, v128.or(f32x4.lt(greatest, v), f32x4.ne(v, v)));
  }
  return greatest;
}

@final class Maxout {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    sizes: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    storeLanes<At>(y, i, greatestPiece<At>(x, i, lanes, sizes), lanes);
  }
}

/**
 * y_ij ← max_p x_(i, p·features + j), p = 0 … pieces − 1 (Goodfellow, Warde-Farley, Mirza, Courville and Bengio 2013), for
 * the rows [rowBegin, rowEnd) of x (rows × pieces·features): piece p of all features stands behind piece p − 1. A NaN
 * counts as the greatest.
 */
export function maxout(
  y: usize, x: usize, rows: i32, features: i32, pieces: i32, rsY: i32, rsX: i32, rowBegin: i32, rowEnd: i32,
): void {
  if (pieces <= 0) return;
  const end = min(rowEnd, rows);
  const sizes = i32x4(features, pieces, 0, 0);
  for (let i = rowBegin; i < end; ++i) map<Maxout>(features, at(y, i, rsY), at(x, i, rsX), 0, 0, sizes);
}

@final class MaxoutBackward {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, dx: usize, x: usize, dy: usize, _d: usize,
    sizes: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const features = i32x4.extract_lane(sizes, 0);
    const pieces = i32x4.extract_lane(sizes, 1);
    const greatest = greatestPiece<At>(x, i, lanes, sizes);
    let left = loadLanes<At>(dy, i, lanes);
    for (let piece = 0; piece < pieces; ++piece) {
      const v = loadLanes<At>(at(x, piece, features), i, lanes);
      // NaN is found by equalling nothing; once given, dy is gone.
      const chosen = v128.or(f32x4.eq(v, greatest), f32x4.ne(v, v));
      storeLanes<At>(at(dx, piece, features), i, v128.and(left, chosen), lanes);
      left = v128.andnot(left, chosen);
    }
  }
}

/** dx ← dy at the first piece that is the greatest, 0 at the others; sizes as for `maxout`. dx may be x. */
export function maxoutBackward(
  dx: usize, x: usize, dy: usize,
  rows: i32, features: i32, pieces: i32, rsDx: i32, rsX: i32, rsDy: i32, rowBegin: i32, rowEnd: i32,
): void {
  if (pieces <= 0) return;
  const end = min(rowEnd, rows);
  const sizes = i32x4(features, pieces, 0, 0);
  for (let i = rowBegin; i < end; ++i) {
    map<MaxoutBackward>(features, at(dx, i, rsDx), at(x, i, rsX), at(dy, i, rsDy), 0, sizes);
  }
}
