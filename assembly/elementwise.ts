/** Arithmetic over n contiguous elements; in place is allowed. */
import { map, mapUnaryWith, load, store } from "./map";

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
