/** Activation functions with their backward passes, exp and log, over n contiguous elements; in place is allowed. */
import {
  mapBinary, mapBinaryWith, mapBinaryWithConstants, mapUnary, mapUnaryOrdinary, mapUnaryWith, mapUnaryWithConstants,
  mapUnaryWithConstantsAnd,
} from "./map";
import {
  Cos, Elu, Exp, Gelu, GeluBackward, GeluTanh, GeluTanhBackward, Log, Sigmoid, Silu, SiluBackward, Sin, Softplus,
  SoftplusBackward, Tanh, leakyReluV,
} from "./math";
import { laneSelect } from "./simd";

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

@final class LeakyRelu {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, slope: v128): v128 {
    return leakyReluV(x, slope);
  }
}

/** y ← x where x > 0, else slope · x (Maas, Hannun and Ng 2013); any slope */
export function leakyRelu(y: usize, x: usize, n: i32, slope: f32): void {
  mapUnaryWith<LeakyRelu>(y, x, n, f32x4.splat(slope));
}

@final class LeakyReluBackward {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, dy: v128, slope: v128): v128 {
    return laneSelect(dy, f32x4.mul(dy, slope), f32x4.gt(x, f32x4.splat(0)));
  }
}

/** dx ← dy where x > 0, else slope · dy. For slope > 0, y = leakyRelu(x) may stand for x. */
export function leakyReluBackward(dx: usize, x: usize, dy: usize, n: i32, slope: f32): void {
  mapBinaryWith<LeakyReluBackward>(dx, x, dy, n, f32x4.splat(slope));
}

/** y ← x where x ≥ 0, else alpha (eˣ − 1) (Clevert, Unterthiner and Hochreiter 2016), within 2 ULP for alpha = 1 */
export function elu(y: usize, x: usize, n: i32, alpha: f32): void {
  mapUnaryWithConstantsAnd<Elu>(y, x, n, f32x4.splat(alpha));
}

/** dy where y > 0 or NaN, else dy (y + alpha). */
@final class EluBackward {
  // @ts-ignore: decorator
  @inline
  apply(y: v128, dy: v128, alpha: v128): v128 {
    return laneSelect(f32x4.mul(dy, f32x4.add(y, alpha)), dy, f32x4.le(y, f32x4.splat(0)));
  }
}

/** dx ← dy where y > 0, else dy (y + alpha), where y = elu(x) and alpha ≥ 0 */
export function eluBackward(dx: usize, y: usize, dy: usize, n: i32, alpha: f32): void {
  mapBinaryWith<EluBackward>(dx, y, dy, n, f32x4.splat(alpha));
}

/** y ← σ(x) = 1 / (1 + e⁻ˣ), within 2 ULP */
export function sigmoid(y: usize, x: usize, n: i32): void {
  mapUnaryOrdinary<Sigmoid>(y, x, n);
}

@final class SigmoidBackward {
  // @ts-ignore: decorator
  @inline
  apply(y: v128, dy: v128): v128 {
    return f32x4.mul(f32x4.mul(dy, y), f32x4.sub(f32x4.splat(1), y));
  }
}

/** dx ← dy y (1 − y), where y = σ(x) */
export function sigmoidBackward(dx: usize, y: usize, dy: usize, n: i32): void {
  mapBinary<SigmoidBackward>(dx, y, dy, n);
}

/** y ← ln(1 + eˣ), within 3 ULP */
export function softplus(y: usize, x: usize, n: i32): void {
  mapUnaryWithConstants<Softplus>(y, x, n);
}

/** dx ← dy σ(x) */
export function softplusBackward(dx: usize, x: usize, dy: usize, n: i32): void {
  mapBinaryWithConstants<SoftplusBackward>(dx, x, dy, n);
}

/** y ← x σ(x) (Hendrycks and Gimpel 2016; Elfwing, Uchibe and Doya 2018), within 3 ULP; −∞ gives NaN, as in PyTorch */
export function silu(y: usize, x: usize, n: i32): void {
  mapUnaryOrdinary<Silu>(y, x, n);
}

/** dx ← dy (σ(x) + x σ(x) σ(−x)) */
export function siluBackward(dx: usize, x: usize, dy: usize, n: i32): void {
  mapBinaryWithConstants<SiluBackward>(dx, x, dy, n);
}

/**
 * y ← x Φ(x) = ½ x (1 + erf(x / √2)) (Hendrycks and Gimpel 2016), within 3 ULP for x ≥ −6 and 10⁻⁹ below; −∞ gives NaN,
 * as in PyTorch
 */
export function gelu(y: usize, x: usize, n: i32): void {
  mapUnaryWithConstants<Gelu>(y, x, n, true);
}

/** dx ← dy (Φ(x) + x φ(x)) */
export function geluBackward(dx: usize, x: usize, dy: usize, n: i32): void {
  mapBinaryWithConstants<GeluBackward>(dx, x, dy, n);
}

/** y ← ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), the same authors' approximation, within 3 ULP; −∞ gives NaN */
export function geluTanh(y: usize, x: usize, n: i32): void {
  mapUnaryWithConstants<GeluTanh>(y, x, n, true);
}

/** dx ← dy times the derivative of geluTanh at x */
export function geluTanhBackward(dx: usize, x: usize, dy: usize, n: i32): void {
  mapBinaryWithConstants<GeluTanhBackward>(dx, x, dy, n, true);
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

/** 1 where x > 0, `below` elsewhere, NaN for NaN. */
@final class Step {
  // @ts-ignore: decorator
  @inline
  apply(x: v128, below: v128): v128 {
    const steps = laneSelect(f32x4.splat(1), below, f32x4.gt(x, f32x4.splat(0)));
    return laneSelect(steps, x, f32x4.eq(x, x));
  }
}

/** y ← 1 where x > 0, else `below`; NaN stays. The derivative of leaky ReLU with that slope. */
export function step(y: usize, x: usize, n: i32, below: f32): void {
  mapUnaryWith<Step>(y, x, n, f32x4.splat(below));
}

/** y ← eˣ, within 1 ULP */
export function exp(y: usize, x: usize, n: i32): void {
  mapUnaryOrdinary<Exp>(y, x, n);
}

/** y ← ln x, within 1 ULP */
export function log(y: usize, x: usize, n: i32): void {
  mapUnaryWithConstants<Log>(y, x, n);
}

/** y ← sin x, within 2 ULP for |x| ≤ 2³⁰; NaN beyond */
export function sin(y: usize, x: usize, n: i32): void {
  mapUnary<Sin>(y, x, n, true);
}

/** y ← cos x, within 2 ULP for |x| ≤ 2³⁰; NaN beyond */
export function cos(y: usize, x: usize, n: i32): void {
  mapUnary<Cos>(y, x, n, true);
}
