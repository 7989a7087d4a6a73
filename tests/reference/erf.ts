/**
 * erfc in float64, with a relative error below 10⁻¹², for want of one
 * in Math. Abramowitz and Stegun, Handbook of Mathematical Functions, 1964.
 */

/** Where the series hands over to the continued fraction. */
const CHANGE = 2;

/** erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)) (7.1.6): no term cancels another. */
function erfSeries(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -54; n++) {
    term *= (2 * square) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum;
}

/** erfc x = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))) (7.1.14), from the depth where it stands still. */
function erfcFraction(x: number): number {
  let fraction = x;
  for (let n = Math.ceil(16 + 180 / (x * x)); n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/** 1 − erf x, relative to itself. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x >= CHANGE) return x > 27 ? 0 : erfcFraction(x);
  if (x <= -CHANGE) return 2 - erfc(-x);
  return 1 - erfSeries(x);
}
