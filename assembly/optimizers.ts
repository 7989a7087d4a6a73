/**
 * Optimizer steps over a slab of n parameters, each element by itself: however a slab is split, the bits are the same.
 *
 * The gradient that a step takes is g = dw + weightDecay · w + l1 · sign w, that of the loss with
 * ½ weightDecay ‖w‖² + l1 ‖w‖₁ added (sign 0 = 0). A penalty of 0 leaves the weights out (0 · w is NaN for an infinite w)
 * and runs a shorter loop.
 */
import { laneSelect, madd } from "./simd";
import { load, map, mapHeavy, store } from "./map";

/** g = dw */
@final class Plain {
  // @ts-ignore: decorator
  @inline
  gradient(dw: v128, _w: v128, _decay: v128, _l1: v128): v128 {
    return dw;
  }

  // @ts-ignore: decorator
  @inline
  weights(w: v128, _decay: v128): v128 {
    return w;
  }
}

/** g = dw + decay · w */
@final class L2 {
  // @ts-ignore: decorator
  @inline
  gradient(dw: v128, w: v128, decay: v128, _l1: v128): v128 {
    return madd(decay, w, dw);
  }

  // @ts-ignore: decorator
  @inline
  weights(w: v128, _decay: v128): v128 {
    return w;
  }
}

/** g = dw + decay · w + l1 · sign w */
@final class L1 {
  // @ts-ignore: decorator
  @inline
  gradient(dw: v128, w: v128, decay: v128, l1: v128): v128 {
    const decayed = laneSelect(madd(decay, w, dw), dw, f32x4.ne(decay, f32x4.splat(0)));
    return f32x4.add(decayed, signed(l1, w));
  }

  // @ts-ignore: decorator
  @inline
  weights(w: v128, _decay: v128): v128 {
    return w;
  }
}

/** g = dw, and the step starts from keep · w: weight decay apart from the gradient. */
@final class Decoupled {
  // @ts-ignore: decorator
  @inline
  gradient(dw: v128, _w: v128, _keep: v128, _l1: v128): v128 {
    return dw;
  }

  // @ts-ignore: decorator
  @inline
  weights(w: v128, keep: v128): v128 {
    return f32x4.mul(w, keep);
  }
}

/** As Decoupled with g = dw + l1 · sign w. */
@final class DecoupledL1 {
  // @ts-ignore: decorator
  @inline
  gradient(dw: v128, w: v128, _keep: v128, l1: v128): v128 {
    return f32x4.add(dw, signed(l1, w));
  }

  // @ts-ignore: decorator
  @inline
  weights(w: v128, keep: v128): v128 {
    return f32x4.mul(w, keep);
  }
}

/** size · sign w for size ≥ 0: the sign of ±0 and NaN is w itself. */
// @ts-ignore: decorator
@inline
function signed(size: v128, w: v128): v128 {
  const sign = v128.and(w, f32x4.splat(-0.0));
  const magnitude = v128.xor(w, sign);
  return laneSelect(v128.or(size, sign), w, f32x4.gt(magnitude, f32x4.splat(0)));
}

@final class Sgd<Penalty> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, dw: usize, _c: usize, _d: usize,
    decay: v128, l1: v128, rate: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = changetype<Penalty>(0).gradient(load<At>(dw, i, lanes), weights, decay, l1);
    store<At>(w, i, madd(g, rate, weights), lanes);
  }
}

/** w ← w − learningRate · g */
export function sgd(w: usize, dw: usize, n: i32, learningRate: f32, weightDecay: f32, l1: f32): void {
  const rate = f32x4.splat(-learningRate);
  const decay = f32x4.splat(weightDecay);
  if (l1 != 0) map<Sgd<L1>>(n, w, dw, 0, 0, decay, f32x4.splat(l1), rate);
  else if (weightDecay != 0) map<Sgd<L2>>(n, w, dw, 0, 0, decay, decay, rate);
  else map<Sgd<Plain>>(n, w, dw, 0, 0, decay, decay, rate);
}

/** The step along the velocity. */
@final class Heavy {
  // @ts-ignore: decorator
  @inline
  direction(_g: v128, velocity: v128, _momentum: v128): v128 {
    return velocity;
  }
}

/** The step along the velocity that the same gradient would give next: the look-ahead. */
@final class LookAhead {
  // @ts-ignore: decorator
  @inline
  direction(g: v128, velocity: v128, momentum: v128): v128 {
    return madd(velocity, momentum, g);
  }
}

@final class Momentum<Penalty, Direction> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, velocity: usize, dw: usize, _d: usize,
    decay: v128, l1: v128, rate: v128, momentum: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = changetype<Penalty>(0).gradient(load<At>(dw, i, lanes), weights, decay, l1);
    const v = madd(load<At>(velocity, i, lanes), momentum, g);
    store<At>(velocity, i, v, lanes);
    store<At>(w, i, madd(changetype<Direction>(0).direction(g, v, momentum), rate, weights), lanes);
  }
}

// @ts-ignore: decorator
@inline
function momentumStep<Direction>(
  w: usize, velocity: usize, dw: usize, n: i32, learningRate: f32, momentum: f32, weightDecay: f32, l1: f32,
): void {
  const rate = f32x4.splat(-learningRate);
  const keep = f32x4.splat(momentum);
  const decay = f32x4.splat(weightDecay);
  if (l1 != 0) map<Momentum<L1, Direction>>(n, w, velocity, dw, 0, decay, f32x4.splat(l1), rate, keep);
  else if (weightDecay != 0) map<Momentum<L2, Direction>>(n, w, velocity, dw, 0, decay, decay, rate, keep);
  else map<Momentum<Plain, Direction>>(n, w, velocity, dw, 0, decay, decay, rate, keep);
}

/**
 * velocity ← momentum · velocity + g, w ← w − learningRate · velocity (Polyak 1964, in PyTorch's form: a learning rate
 * that changes scales the whole velocity).
 */
export function sgdMomentum(
  w: usize, velocity: usize, dw: usize, n: i32, learningRate: f32, momentum: f32, weightDecay: f32, l1: f32,
): void {
  momentumStep<Heavy>(w, velocity, dw, n, learningRate, momentum, weightDecay, l1);
}

/**
 * velocity ← momentum · velocity + g, w ← w − learningRate · (g + momentum · velocity): Nesterov's accelerated gradient
 * (Sutskever, Martens, Dahl and Hinton 2013) in PyTorch's form, whose w is the point ahead.
 */
export function sgdNesterov(
  w: usize, velocity: usize, dw: usize, n: i32, learningRate: f32, momentum: f32, weightDecay: f32, l1: f32,
): void {
  momentumStep<LookAhead>(w, velocity, dw, n, learningRate, momentum, weightDecay, l1);
}

@final class Adam<Penalty> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, m: usize, v: usize, dw: usize,
    decay: v128, l1: v128, rate: v128, floor: v128, keep1: v128, take1: v128, keep2: v128, take2: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = changetype<Penalty>(0).gradient(load<At>(dw, i, lanes), weights, decay, l1);
    const first = madd(load<At>(m, i, lanes), keep1, f32x4.mul(g, take1));
    const second = madd(load<At>(v, i, lanes), keep2, f32x4.mul(f32x4.mul(g, g), take2));
    store<At>(m, i, first, lanes);
    store<At>(v, i, second, lanes);
    const direction = f32x4.div(first, f32x4.add(f32x4.sqrt(second), floor));
    store<At>(w, i, madd(direction, rate, changetype<Penalty>(0).weights(weights, decay)), lanes);
  }
}

// @ts-ignore: decorator
@inline
function adamStep<Penalty>(
  w: usize, m: usize, v: usize, dw: usize, n: i32,
  stepSize: f32, beta1: f32, beta2: f32, eps: f32, inverseSqrtCorrection2: f32, decay: f32, l1: f32,
): void {
  mapHeavy<Adam<Penalty>>(
    n, w, m, v, dw, f32x4.splat(decay), f32x4.splat(l1),
    f32x4.splat(-stepSize / inverseSqrtCorrection2), f32x4.splat(eps / inverseSqrtCorrection2),
    f32x4.splat(beta1), f32x4.splat(1 - beta1), f32x4.splat(beta2), f32x4.splat(1 - beta2),
  );
}

/**
 * One step of Adam (Kingma and Ba 2015):
 * m ← beta1 · m + (1 − beta1) · g, v ← beta2 · v + (1 − beta2) · g²,
 * w ← w − stepSize · m / (√v · inverseSqrtCorrection2 + eps).
 * At step t, stepSize = learningRate / (1 − beta1ᵗ) and inverseSqrtCorrection2 = 1 / √(1 − beta2ᵗ). The kernel takes
 * 1 − beta from the float32 beta, so the caller must build the corrections from the float32 betas, too. Both sides of
 * the fraction are divided by inverseSqrtCorrection2 > 0, which spares a multiplication an element.
 */
export function adam(
  w: usize, m: usize, v: usize, dw: usize, n: i32,
  stepSize: f32, beta1: f32, beta2: f32, eps: f32, inverseSqrtCorrection2: f32, weightDecay: f32, l1: f32,
): void {
  if (l1 != 0) {
    adamStep<L1>(w, m, v, dw, n, stepSize, beta1, beta2, eps, inverseSqrtCorrection2, weightDecay, l1);
  } else if (weightDecay != 0) {
    adamStep<L2>(w, m, v, dw, n, stepSize, beta1, beta2, eps, inverseSqrtCorrection2, weightDecay, 0);
  } else {
    adamStep<Plain>(w, m, v, dw, n, stepSize, beta1, beta2, eps, inverseSqrtCorrection2, 0, 0);
  }
}

/**
 * As `adam`, from keep · w with keep = 1 − learningRate · weightDecay, and g = dw + l1 · sign w: weight decay apart from
 * the gradient's moments (AdamW, Loshchilov and Hutter 2019, in PyTorch's form).
 */
export function adamW(
  w: usize, m: usize, v: usize, dw: usize, n: i32,
  stepSize: f32, beta1: f32, beta2: f32, eps: f32, inverseSqrtCorrection2: f32, keep: f32, l1: f32,
): void {
  if (l1 != 0) {
    adamStep<DecoupledL1>(w, m, v, dw, n, stepSize, beta1, beta2, eps, inverseSqrtCorrection2, keep, l1);
  } else {
    adamStep<Decoupled>(w, m, v, dw, n, stepSize, beta1, beta2, eps, inverseSqrtCorrection2, keep, 0);
  }
}

@final class RmsProp<Penalty> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, s: usize, dw: usize, _d: usize,
    decay: v128, l1: v128, rate: v128, eps: v128, keep: v128, take: v128, _6: v128, _7: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = changetype<Penalty>(0).gradient(load<At>(dw, i, lanes), weights, decay, l1);
    const squares = madd(load<At>(s, i, lanes), keep, f32x4.mul(f32x4.mul(g, g), take));
    store<At>(s, i, squares, lanes);
    const direction = f32x4.div(g, f32x4.add(f32x4.sqrt(squares), eps));
    store<At>(w, i, madd(direction, rate, weights), lanes);
  }
}

/**
 * s ← alpha · s + (1 − alpha) · g², w ← w − learningRate · g / (√s + eps) (Tieleman and Hinton 2012, in PyTorch's form,
 * not centered).
 */
export function rmsprop(
  w: usize, s: usize, dw: usize, n: i32, learningRate: f32, alpha: f32, eps: f32, weightDecay: f32, l1: f32,
): void {
  const rate = f32x4.splat(-learningRate);
  const floor = f32x4.splat(eps);
  const keep = f32x4.splat(alpha);
  const take = f32x4.splat(1 - alpha);
  const decay = f32x4.splat(weightDecay);
  if (l1 != 0) mapHeavy<RmsProp<L1>>(n, w, s, dw, 0, decay, f32x4.splat(l1), rate, floor, keep, take);
  else if (weightDecay != 0) mapHeavy<RmsProp<L2>>(n, w, s, dw, 0, decay, decay, rate, floor, keep, take);
  else mapHeavy<RmsProp<Plain>>(n, w, s, dw, 0, decay, decay, rate, floor, keep, take);
}

@final class RmsPropMomentum<Penalty> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, s: usize, velocity: usize, dw: usize,
    decay: v128, l1: v128, rate: v128, eps: v128, keep: v128, take: v128, momentum: v128, _7: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = changetype<Penalty>(0).gradient(load<At>(dw, i, lanes), weights, decay, l1);
    const squares = madd(load<At>(s, i, lanes), keep, f32x4.mul(f32x4.mul(g, g), take));
    store<At>(s, i, squares, lanes);
    const direction = f32x4.div(g, f32x4.add(f32x4.sqrt(squares), eps));
    const v = madd(load<At>(velocity, i, lanes), momentum, direction);
    store<At>(velocity, i, v, lanes);
    store<At>(w, i, madd(v, rate, weights), lanes);
  }
}

/** As `rmsprop`, but velocity ← momentum · velocity + g / (√s + eps), w ← w − learningRate · velocity. */
export function rmspropMomentum(
  w: usize, s: usize, velocity: usize, dw: usize, n: i32,
  learningRate: f32, alpha: f32, eps: f32, momentum: f32, weightDecay: f32, l1: f32,
): void {
  const rate = f32x4.splat(-learningRate);
  const floor = f32x4.splat(eps);
  const keep = f32x4.splat(alpha);
  const take = f32x4.splat(1 - alpha);
  const kept = f32x4.splat(momentum);
  const decay = f32x4.splat(weightDecay);
  if (l1 != 0) {
    mapHeavy<RmsPropMomentum<L1>>(n, w, s, velocity, dw, decay, f32x4.splat(l1), rate, floor, keep, take, kept);
  } else if (weightDecay != 0) {
    mapHeavy<RmsPropMomentum<L2>>(n, w, s, velocity, dw, decay, decay, rate, floor, keep, take, kept);
  } else {
    mapHeavy<RmsPropMomentum<Plain>>(n, w, s, velocity, dw, decay, decay, rate, floor, keep, take, kept);
  }
}

@final class Adagrad<Penalty> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, w: usize, s: usize, dw: usize, _d: usize,
    decay: v128, l1: v128, rate: v128, eps: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const weights = load<At>(w, i, lanes);
    const g = changetype<Penalty>(0).gradient(load<At>(dw, i, lanes), weights, decay, l1);
    const squares = madd(g, g, load<At>(s, i, lanes));
    store<At>(s, i, squares, lanes);
    const direction = f32x4.div(g, f32x4.add(f32x4.sqrt(squares), eps));
    store<At>(w, i, madd(direction, rate, weights), lanes);
  }
}

/**
 * s ← s + g², w ← w − learningRate · g / (√s + eps) (Duchi, Hazan and Singer 2011, in PyTorch's form).
 */
export function adagrad(
  w: usize, s: usize, dw: usize, n: i32, learningRate: f32, eps: f32, weightDecay: f32, l1: f32,
): void {
  const rate = f32x4.splat(-learningRate);
  const floor = f32x4.splat(eps);
  const decay = f32x4.splat(weightDecay);
  if (l1 != 0) mapHeavy<Adagrad<L1>>(n, w, s, dw, 0, decay, f32x4.splat(l1), rate, floor);
  else if (weightDecay != 0) mapHeavy<Adagrad<L2>>(n, w, s, dw, 0, decay, decay, rate, floor);
  else mapHeavy<Adagrad<Plain>>(n, w, s, dw, 0, decay, decay, rate, floor);
}
