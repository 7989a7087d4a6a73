/** One parameter's new value and state, each with the scale of its rounding errors. */
export interface Step {
  w: number;
  wMagnitude: number;
}

/** dw + weightDecay·w + l1·sign w; without a penalty the weight takes no part (0·∞ would be NaN). */
function gradient(w: number, dw: number, weightDecay: number, l1: number): { g: number; gMagnitude: number } {
  const decay = weightDecay === 0 ? 0 : weightDecay * w;
  const sign = l1 === 0 ? 0 : l1 * Math.sign(w);
  return { g: dw + decay + sign, gMagnitude: Math.abs(dw) + Math.abs(decay) + Math.abs(sign) };
}

/** g = dw + weightDecay·w + l1·sign w; w ← w − learningRate·g. */
export function sgd(w: number, dw: number, learningRate: number, weightDecay: number, l1: number): Step {
  const { g, gMagnitude } = gradient(w, dw, weightDecay, l1);
  return { w: w - learningRate * g, wMagnitude: Math.abs(w) + Math.abs(learningRate) * gMagnitude };
}

/** g as for sgd; v ← momentum·v + g; w ← w − learningRate·v (PyTorch's momentum, no dampening). */
export function sgdMomentum(
  w: number,
  velocity: number,
  dw: number,
  learningRate: number,
  momentum: number,
  weightDecay: number,
  l1: number,
): Step & { velocity: number; velocityMagnitude: number } {
  const { g, gMagnitude } = gradient(w, dw, weightDecay, l1);
  const next = momentum * velocity + g;
  const velocityMagnitude = Math.abs(momentum * velocity) + gMagnitude;
  return {
    velocity: next,
    velocityMagnitude,
    w: w - learningRate * next,
    wMagnitude: Math.abs(w) + Math.abs(learningRate) * velocityMagnitude,
  };
}

/** g as for sgd; v ← momentum·v + g; w ← w − learningRate·(g + momentum·v) (PyTorch's form of Sutskever et al. 2013). */
export function sgdNesterov(
  w: number,
  velocity: number,
  dw: number,
  learningRate: number,
  momentum: number,
  weightDecay: number,
  l1: number,
): Step & { velocity: number; velocityMagnitude: number } {
  const { g, gMagnitude } = gradient(w, dw, weightDecay, l1);
  const next = sgdMomentum(w, velocity, dw, learningRate, momentum, weightDecay, l1);
  return {
    ...next,
    w: w - learningRate * (g + momentum * next.velocity),
    wMagnitude: Math.abs(w) + Math.abs(learningRate) * (gMagnitude + Math.abs(momentum) * next.velocityMagnitude),
  };
}

type AdamStep = Step & { m: number; mMagnitude: number; v: number; vMagnitude: number };

/**
 * g as for sgd; m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − stepSize·m / (√v·inverseSqrtCorrection2 + eps)
 * (Kingma & Ba 2015), stepSize = learningRate / (1 − β₁ᵗ), inverseSqrtCorrection2 = 1 / √(1 − β₂ᵗ).
 */
export function adam(
  w: number,
  m: number,
  v: number,
  dw: number,
  stepSize: number,
  beta1: number,
  beta2: number,
  eps: number,
  inverseSqrtCorrection2: number,
  weightDecay: number,
  l1: number,
): AdamStep {
  const { g, gMagnitude } = gradient(w, dw, weightDecay, l1);
  const nextM = beta1 * m + (1 - beta1) * g;
  const nextV = beta2 * v + (1 - beta2) * g * g;
  const denominator = Math.sqrt(nextV) * inverseSqrtCorrection2 + eps;
  const mMagnitude = Math.abs(beta1 * m) + (1 - beta1) * gMagnitude;
  return {
    m: nextM,
    mMagnitude,
    v: nextV,
    vMagnitude: beta2 * v + (1 - beta2) * gMagnitude * gMagnitude,
    w: w - (stepSize * nextM) / denominator,
    wMagnitude: Math.abs(w) + (Math.abs(stepSize) * mMagnitude) / denominator,
  };
}

/** As adam without its weightDecay, from keep·w with keep = 1 − learningRate·weightDecay (Loshchilov & Hutter 2019). */
export function adamW(
  w: number,
  m: number,
  v: number,
  dw: number,
  stepSize: number,
  beta1: number,
  beta2: number,
  eps: number,
  inverseSqrtCorrection2: number,
  keep: number,
  l1: number,
): AdamStep {
  const next = adam(w, m, v, dw, stepSize, beta1, beta2, eps, inverseSqrtCorrection2, 0, l1);
  // next.w = w − step, whose difference from w may have cancelled: only float64's roundings are lost.
  return { ...next, w: next.w - w * (1 - keep) };
}

type RmsPropStep = Step & { s: number; sMagnitude: number };

/** g as for sgd; s ← alpha·s + (1 − alpha)·g²; w ← w − learningRate·g / (√s + eps) (Tieleman & Hinton 2012). */
export function rmsprop(
  w: number,
  s: number,
  dw: number,
  learningRate: number,
  alpha: number,
  eps: number,
  weightDecay: number,
  l1: number,
): RmsPropStep {
  return rmspropMomentum(w, s, 0, dw, learningRate, alpha, eps, 0, weightDecay, l1);
}

/** s as for rmsprop; v ← momentum·v + g / (√s + eps); w ← w − learningRate·v. */
export function rmspropMomentum(
  w: number,
  s: number,
  velocity: number,
  dw: number,
  learningRate: number,
  alpha: number,
  eps: number,
  momentum: number,
  weightDecay: number,
  l1: number,
): RmsPropStep & { velocity: number; velocityMagnitude: number } {
  const { g, gMagnitude } = gradient(w, dw, weightDecay, l1);
  const nextS = alpha * s + (1 - alpha) * g * g;
  const denominator = Math.sqrt(nextS) + eps;
  const nextVelocity = momentum * velocity + g / denominator;
  const velocityMagnitude = Math.abs(momentum * velocity) + gMagnitude / denominator;
  return {
    s: nextS,
    sMagnitude: alpha * s + (1 - alpha) * gMagnitude * gMagnitude,
    velocity: nextVelocity,
    velocityMagnitude,
    w: w - learningRate * nextVelocity,
    wMagnitude: Math.abs(w) + Math.abs(learningRate) * velocityMagnitude,
  };
}

/** g as for sgd; s ← s + g²; w ← w − learningRate·g / (√s + eps) (Duchi, Hazan & Singer 2011). */
export function adagrad(
  w: number,
  s: number,
  dw: number,
  learningRate: number,
  eps: number,
  weightDecay: number,
  l1: number,
): RmsPropStep {
  const { g, gMagnitude } = gradient(w, dw, weightDecay, l1);
  const nextS = s + g * g;
  const denominator = Math.sqrt(nextS) + eps;
  return {
    s: nextS,
    sMagnitude: s + gMagnitude * gMagnitude,
    w: w - (learningRate * g) / denominator,
    wMagnitude: Math.abs(w) + (Math.abs(learningRate) * gMagnitude) / denominator,
  };
}
