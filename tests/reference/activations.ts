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

/** relu's mask: bit i mod 8 of byte ⌊i / 8⌋ is 1 unless x ≤ 0. */
export function reluMask(x: ArrayLike<number>): Uint8Array {
  const mask = new Uint8Array(Math.ceil(x.length / 8));
  for (let i = 0; i < x.length; i++) if (!(x[i]! <= 0)) mask[i >> 3]! |= 1 << (i & 7);
  return mask;
}

/** dy where the mask has a 1, else 0. */
export function reluMaskBackward(mask: ArrayLike<number>, dy: ArrayLike<number>): Float64Array {
  return Float64Array.from(dy, (value, i) => ((mask[i >> 3]! >> (i & 7)) & 1 ? value : 0));
}

/** The piece of x (rows × pieces·features) that is the greatest for each feature: the first NaN, else the first maximum. */
function chosenPieces(x: ArrayLike<number>, rows: number, features: number, pieces: number): Int32Array {
  const chosen = new Int32Array(rows * features);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < features; j++) {
      const value = (piece: number) => x[(i * pieces + piece) * features + j]!;
      let best = 0;
      for (let piece = 1; piece < pieces; piece++) {
        if (Number.isNaN(value(best))) break;
        if (value(piece) > value(best) || Number.isNaN(value(piece))) best = piece;
      }
      chosen[i * features + j] = best;
    }
  }
  return chosen;
}

/** max over p of x[i, p·features + j]. */
export function maxout(x: ArrayLike<number>, rows: number, features: number, pieces: number): Float64Array {
  const chosen = chosenPieces(x, rows, features, pieces);
  return Float64Array.from(chosen, (piece, at) => {
    const [i, j] = [Math.floor(at / features), at % features];
    return x[(i * pieces + piece) * features + j]!;
  });
}

/** dy at the chosen piece, 0 at the others. */
export function maxoutBackward(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  rows: number,
  features: number,
  pieces: number,
): Float64Array {
  const dx = new Float64Array(rows * pieces * features);
  chosenPieces(x, rows, features, pieces).forEach((piece, at) => {
    const [i, j] = [Math.floor(at / features), at % features];
    dx[(i * pieces + piece) * features + j] = dy[at]!;
  });
  return dx;
}
