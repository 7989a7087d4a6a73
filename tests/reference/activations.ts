import { erfc } from "./erf.js";

/** max(x, 0); NaN stays NaN and −0 stays −0, as in PyTorch. */
export function relu(x: number): number {
  return x < 0 ? 0 : x;
}

/** 0 where x ≤ 0, else dy; NaN in x keeps dy. */
export function reluBackward(x: number, dy: number): number {
  return x <= 0 ? 0 : dy;
}

/** x where x > 0, else slope·x. */
export function leakyRelu(x: number, slope: number): number {
  return x > 0 ? x : slope * x;
}

/** dy where x > 0, else slope·dy, for NaN in x too. */
export function leakyReluBackward(x: number, dy: number, slope: number): number {
  return x > 0 ? dy : slope * dy;
}

/** x where x ≥ 0, else alpha·(eˣ − 1). */
export function elu(x: number, alpha: number): number {
  return x >= 0 ? x : alpha * Math.expm1(x);
}

/** dy where y > 0, else dy·(y + alpha), where y = elu(x); NaN in y keeps dy. */
export function eluBackward(y: number, dy: number, alpha: number): number {
  return y <= 0 ? dy * (y + alpha) : dy;
}

/** 1 / (1 + e⁻ˣ) */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** dy·y·(1 − y), where y = sigmoid(x). */
export function sigmoidBackward(y: number, dy: number): number {
  return dy * y * (1 - y);
}

/** ln(1 + eˣ) */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** dy·sigmoid(x) */
export function softplusBackward(x: number, dy: number): number {
  return dy * sigmoid(x);
}

/** x·sigmoid(x); NaN at −∞, as ∞·0 is. */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** dy·σ(x)·(1 + x·σ(−x)) */
export function siluBackward(x: number, dy: number): number {
  return dy * sigmoid(x) * (1 + x * sigmoid(-x));
}

/** x·Φ(x) with the normal distribution's Φ(x) = ½ erfc(−x/√2); NaN at −∞, as ∞·0 is. */
export function gelu(x: number): number {
  return x * normal(x);
}

/** dy·(Φ(x) + x·φ(x)) */
export function geluBackward(x: number, dy: number): number {
  return dy * (normal(x) + x * (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)));
}

/** Φ(x) */
export function normal(x: number): number {
  return erfc(-x / Math.SQRT2) / 2;
}

/** What gelu's approximation takes the logistic function of: ½(1 + tanh(z/2)) = σ(z). */
export function geluTanhArgument(x: number): number {
  return 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
}

/** ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) */
export function geluTanh(x: number): number {
  return x * sigmoid(geluTanhArgument(x));
}

/** dy·(σ(z) + x·σ(z)·σ(−z)·z′) */
export function geluTanhBackward(x: number, dy: number): number {
  const z = geluTanhArgument(x);
  // Where x² overflows float32, σ(z)σ(−z) is 0 long since: only ∞·0 is NaN.
  const slope = 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
  return dy * (sigmoid(z) + x * (sigmoid(z) * sigmoid(-z) * slope));
}

/** dy·(1 − y²), where y = tanh(x). */
export function tanhBackward(y: number, dy: number): number {
  return dy * (1 - y * y);
}

/** The range of sin and cos. */
const GREATEST_ANGLE = 2 ** 30;

/** sin x where |x| ≤ 2³⁰, else NaN. */
export function sin(x: number): number {
  return Math.abs(x) <= GREATEST_ANGLE ? Math.sin(x) : NaN;
}

/** cos x where |x| ≤ 2³⁰, else NaN. */
export function cos(x: number): number {
  return Math.abs(x) <= GREATEST_ANGLE ? Math.cos(x) : NaN;
}
