/**
 * Optimizer steps over a slab of n parameters. A weight decay of 0 leaves the weights out of the gradient (0 · w is NaN
 * for an infinite w), so it gives the bits of a step without decay.
 */
import { madd } from "./simd";
import { load, map, store } from "./map";

/** dw + decay · w where `decays` is all ones, else dw. */
// @ts-ignore: decorator
@inline
function gradient(dw: v128, w: v128, decay: v128, decays: v128): v128 {
  return v128.bitselect(madd(decay, w, dw), dw, decays);
}

/** All ones unless the decay is 0. */
// @ts-ignore: decorator
@inline
function decaying(weightDecay: f32): v128 {
  return f32x4.ne(f32x4.splat(weightDecay), f32x4.splat(0));
}

@final class Sgd {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, dw: usize, _c: usize, _d: usize,
    rate: v128, decay: v128, decays: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = gradient(load<At>(dw, i, lanes), weights, decay, decays);
    store<At>(w, i, madd(g, rate, weights), lanes);
  }
}

/** w ← w − learningRate · g with g = dw + weightDecay · w */
export function sgd(w: usize, dw: usize, n: i32, learningRate: f32, weightDecay: f32): void {
  map<Sgd>(n, w, dw, 0, 0, f32x4.splat(-learningRate), f32x4.splat(weightDecay), decaying(weightDecay));
}

@final class SgdMomentum {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, velocity: usize, dw: usize, _d: usize,
    rate: v128, keep: v128, decay: v128, decays: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = gradient(load<At>(dw, i, lanes), weights, decay, decays);
    const v = madd(load<At>(velocity, i, lanes), keep, g);
    store<At>(velocity, i, v, lanes);
    store<At>(w, i, madd(v, rate, weights), lanes);
  }
}

/**
 * velocity ← momentum · velocity + g, w ← w − learningRate · velocity with g = dw + weightDecay · w
 * (as in PyTorch: a learning rate that changes scales the whole velocity).
 */
export function sgdMomentum(
  w: usize, velocity: usize, dw: usize, n: i32, learningRate: f32, momentum: f32, weightDecay: f32,
): void {
  map<SgdMomentum>(
    n, w, velocity, dw, 0,
    f32x4.splat(-learningRate), f32x4.splat(momentum), f32x4.splat(weightDecay), decaying(weightDecay),
  );
}

@final class Adam {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, m: usize, v: usize, dw: usize,
    rate: v128, floor: v128, keep1: v128, take1: v128, keep2: v128, take2: v128, decay: v128, decays: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = gradient(load<At>(dw, i, lanes), weights, decay, decays);
    const first = madd(load<At>(m, i, lanes), keep1, f32x4.mul(g, take1));
    const second = madd(load<At>(v, i, lanes), keep2, f32x4.mul(f32x4.mul(g, g), take2));
    store<At>(m, i, first, lanes);
    store<At>(v, i, second, lanes);
    const direction = f32x4.div(first, f32x4.add(f32x4.sqrt(second), floor));
    store<At>(w, i, madd(direction, rate, weights), lanes);
  }
}

/**
 * One step of Adam (Kingma and Ba 2015), g = dw + weightDecay · w (in the gradient, not decoupled):
 * m ← beta1 · m + (1 − beta1) · g, v ← beta2 · v + (1 − beta2) · g²,
 * w ← w − stepSize · m / (√v · inverseSqrtCorrection2 + eps).
 * At step t, stepSize = learningRate / (1 − beta1ᵗ) and inverseSqrtCorrection2 = 1 / √(1 − beta2ᵗ). The kernel takes
 * 1 − beta from the float32 beta, so the caller must build the corrections from the float32 betas, too. Both sides of
 * the fraction are divided by inverseSqrtCorrection2 > 0, which spares a multiplication an element.
 */
export function adam(
  w: usize, m: usize, v: usize, dw: usize, n: i32,
  stepSize: f32, beta1: f32, beta2: f32, eps: f32, inverseSqrtCorrection2: f32, weightDecay: f32,
): void {
  map<Adam>(
    n, w, m, v, dw,
    f32x4.splat(-stepSize / inverseSqrtCorrection2), f32x4.splat(eps / inverseSqrtCorrection2),
    f32x4.splat(beta1), f32x4.splat(1 - beta1), f32x4.splat(beta2), f32x4.splat(1 - beta2),
    f32x4.splat(weightDecay), decaying(weightDecay),
  );
}
