/** Activation functions with their backward passes, exp and log, over n contiguous elements; in place is allowed. */
import { mapUnary, mapUnaryWithConstants, mapBinary } from "./map";
import { Exp, Log, Tanh } from "./math";

/** max(x, 0) that keeps NaN and −0, as PyTorch's relu: 0 replaces x only where x < 0. */
@final class Relu {
  // @ts-ignore: decorator
  @inline
  apply(x: v128): v128 {
    return f32x4.pmax(x, f32x4.splat(0));
  }
}

/** y ← max(x, 0) */
export function relu(y: usize, x: usize, n: i32): void {
  mapUnary<Relu>(y, x, n);
}

/** 0 where x ≤ 0, else dy: NaN in x lets dy pass, as in PyTorch. */
@final class ReluBackward {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, dy: v128): v128 {
    return v128.andnot(dy, f32x4.le(x, f32x4.splat(0)));
  }
}

/** dx ← dy where x > 0 or x is NaN, else 0 */
export function reluBackward(dx: usize, x: usize, dy: usize, n: i32): void {
  mapBinary<ReluBackward>(dx, x, dy, n);
}

/** y ← tanh x, within 2 ULP */
export function tanh(y: usize, x: usize, n: i32): void {
  mapUnaryWithConstants<Tanh>(y, x, n);
}

@final class TanhBackward {
  // @ts-ignore: decorator
  @inline
  apply(y: v128, dy: v128): v128 {
    return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)));
  }
}

/** dx ← dy (1 − y²), where y = tanh x */
export function tanhBackward(dx: usize, y: usize, dy: usize, n: i32): void {
  mapBinary<TanhBackward>(dx, y, dy, n);
}

/** y ← eˣ, within 1 ULP */
export function exp(y: usize, x: usize, n: i32): void {
  mapUnaryWithConstants<Exp>(y, x, n);
}

/** y ← ln x, within 1 ULP */
export function log(y: usize, x: usize, n: i32): void {
  mapUnaryWithConstants<Log>(y, x, n);
}
