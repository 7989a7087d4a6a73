/** max(x, 0); NaN stays NaN and −0 stays −0, as in PyTorch. */
export function relu(x: number): number {
  return x < 0 ? 0 : x;
}

/** 0 where x ≤ 0, else dy; NaN in x keeps dy. */
export function reluBackward(x: number, dy: number): number {
  return x <= 0 ? 0 : dy;
}

/** dy·(1 − y²), where y = tanh(x). */
export function tanhBackward(y: number, dy: number): number {
  return dy * (1 - y * y);
}
