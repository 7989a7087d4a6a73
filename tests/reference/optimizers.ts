/** One parameter's new value and state, each with the scale of its rounding errors. */
export interface Step {
  w: number;
  wMagnitude: number;
}

/** dw + weightDecay·w; without decay the weight takes no part (0·∞ would be NaN). */
function gradient(w: number, dw: number, weightDecay: number): { g: number; gMagnitude: number } {
  const decay = weightDecay === 0 ? 0 : weightDecay * w;
  return { g: dw + decay, gMagnitude: Math.abs(dw) + Math.abs(decay) };
}

/** g = dw + weightDecay·w; w ← w − learningRate·g. */
export function sgd(w: number, dw: number, learningRate: number, weightDecay: number): Step {
  const { g, gMagnitude } = gradient(w, dw, weightDecay);
  return { w: w - learningRate * g, wMagnitude: Math.abs(w) + Math.abs(learningRate) * gMagnitude };
}

/** g = dw + weightDecay·w; v ← momentum·v + g; w ← w − learningRate·v (PyTorch's momentum, no dampening). */
export function sgdMomentum(
  w: number,
  velocity: number,
  dw: number,
  learningRate: number,
  momentum: number,
  weightDecay: number,
): Step & { velocity: number; velocityMagnitude: number } {
  const { g, gMagnitude } = gradient(w, dw, weightDecay);
  const next = momentum * velocity + g;
  const velocityMagnitude = Math.abs(momentum * velocity) + gMagnitude;
  return {
    velocity: next,
    velocityMagnitude,
    w: w - learningRate * next,
    wMagnitude: Math.abs(w) + Math.abs(learningRate) * velocityMagnitude,
  };
}

/**
 * g = dw + weightDecay·w; m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − stepSize·m / (√v·inverseSqrtCorrection2 + eps)
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
): Step & { m: number; mMagnitude: number; v: number; vMagnitude: number } {
  const { g, gMagnitude } = gradient(w, dw, weightDecay);
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
