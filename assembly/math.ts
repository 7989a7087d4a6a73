/**
 * exp, log, tanh, logistic functions, sine and cosine of one vector for every float32 input. Bounds are in ULP (the
 * float32 spacing at the exact result, 2⁻¹⁴⁹ for denormals) and hold whether or not `madd` fuses; `npm run accuracy`
 * measures them against float64. Polynomials are minimax in the stated weight: a linear program over 500 to 1200 Chebyshev
 * points, solved again after each coefficient, from the lowest, is rounded to float32.
 *
 * The classes are operations for `mapUnaryWithConstants` and, for any other place, functions of one vector. V8 builds a
 * vector constant anew at each use, three or four instructions each, so their constants come in up to seven vectors a…g of
 * four lanes, which a loop keeps in registers; spreading a lane takes one. (Node 24: exp 1.12 → 0.92 ns per
 * element fused, 1.46 → 1.25 strict, beside a build that kept nothing 1.76 and 2.24.) A loop of another shape passes
 * `zero` from `runtimeZero`, which gives two thirds of that; elsewhere leave it out. exp, σ and x σ(x) are operations for
 * `mapUnaryOrdinary` besides: away from overflow and denormals they need neither clamps nor powers in two halves.
 */
import { laneSelect, madd } from "./simd";

/** Zeros that the compilers, for n ≥ 0, cannot foresee: `constant | zero` is then no constant to build at each use. */
// @ts-ignore: decorator
@inline
export function runtimeZero(n: i32): v128 {
  return i32x4.splat(n >>> 31);
}

// @ts-ignore: decorator
@inline
function lane0(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 0, 0, 0, 0);
}

// @ts-ignore: decorator
@inline
function lane1(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 1, 1, 1, 1);
}

// @ts-ignore: decorator
@inline
function lane2(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 2, 2, 2, 2);
}

// @ts-ignore: decorator
@inline
function lane3(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 3, 3, 3, 3);
}

/** Adding 1.5 · 2²³ rounds |x| < 2²² to an integer, which then stands in the sum's low bits. */
// @ts-ignore: decorator
@inline
const ROUND: f32 = 12582912;

/**
 * eˣ = 2ⁿ eʳ with x = n ln 2 + r and |r| ≤ ½ ln 2. These are the constants b and c of every function that stands on it,
 * lane 2 of b its own (1 for most). It has 1/ln 2 (or its negative) and the rounding constant in lanes 2 and 3 of a:
 * `shifted` holds n in its low bits.
 */
// @ts-ignore: decorator
@inline
const LN2_HIGH: f32 = 0.693145751953125;

// @ts-ignore: decorator
@inline
const LN2_LOW: f32 = 1.42860677e-6;

// @ts-ignore: decorator
@inline
function expConstants(i: i32, sign: f32, other: f32): v128 {
  if (i == 1) return f32x4(sign * LN2_HIGH, sign * LN2_LOW, other, 0.0013520919);
  if (i == 2) return f32x4(0.00836730748, 0.0416732207, 0.16666536, 0.499999762);
  return f32x4.splat(0);
}

/** r = x − n ln 2, for ∓ ln 2 in b. n has 8 bits and the first part of ln 2 has 16, so that their product is exact. */
// @ts-ignore: decorator
@inline
function reduce(x: v128, n: v128, b: v128): v128 {
  return madd(n, lane1(b), madd(n, lane0(b), x));
}

/**
 * eʳ − 1 = r + r² p(r) for |r| ≤ ½ ln 2; relative to eʳ the error is 2⁻²⁹·⁶ for r < 0, where float32 is finer beside eʳ,
 * and 2⁻²⁷·⁵ for r > 0.
 */
// @ts-ignore: decorator
@inline
function expm1Reduced(r: v128, b: v128, c: v128): v128 {
  let p = madd(lane3(b), r, lane0(c));
  p = madd(p, r, lane1(c));
  p = madd(p, r, lane2(c));
  p = madd(p, r, lane3(c));
  return madd(f32x4.mul(r, r), p, r);
}

/**
 * 2ⁿ is the product of two normal numbers whose biased exponents add up to n + 254, which stands in the low bits of
 * `shifted`: multiplied in turn, only the last product rounds. This is the first, `otherHalf` the second.
 */
// @ts-ignore: decorator
@inline
function firstHalf(shifted: v128): v128 {
  return i32x4.shl(i32x4.shr_u(shifted, 1), 23);
}

// @ts-ignore: decorator
@inline
function otherHalf(shifted: v128, half: v128): v128 {
  return i32x4.sub(i32x4.shl(shifted, 23), half);
}

/** eˣ for lane0(a) ≤ x, with the constants of Exp in b and c. */
// @ts-ignore: decorator
@inline
function expClamped(x: v128, a: v128, b: v128, c: v128): v128 {
  const round = lane3(a);
  const shifted = madd(x, lane2(a), round);
  const r = reduce(x, f32x4.sub(shifted, round), b);
  const p = f32x4.add(expm1Reduced(r, b, c), lane2(b));
  const half = firstHalf(shifted);
  return f32x4.mul(f32x4.mul(p, half), otherHalf(shifted, half));
}

/** The constants d of a function that is cheaper for |x| < 87, where neither 2ⁿ nor the result is denormal or infinite. */
// @ts-ignore: decorator
@inline
function ordinaryConstants(round: f32): v128 {
  return f32x4(round, reinterpret<f32>(0x7fffffff), 87, 0);
}

/** Whether |x| < 87 for all. As integers, NaNs are greater than all numbers. */
// @ts-ignore: decorator
@inline
function allOrdinary(x0: v128, x1: v128, x2: v128, x3: v128, d: v128): bool {
  const bits = lane1(d);
  const greatest = i32x4.max_s(
    i32x4.max_s(v128.and(x0, bits), v128.and(x1, bits)), i32x4.max_s(v128.and(x2, bits), v128.and(x3, bits)),
  );
  return i32x4.all_true(i32x4.lt_s(greatest, lane2(d)));
}

/** eˣ, within 1 ULP; overflows to ∞ and underflows through the denormals to 0. */
@final
export class Exp {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    if (i == 0) return f32x4(-104, 89, 1.44269504, ROUND + 254);
    if (i == 3) return ordinaryConstants(ROUND);
    return expConstants(i, -1, 1);
  }

  // @ts-ignore: decorator
  @inline
  ordinary(
    x0: v128, x1: v128, x2: v128, x3: v128,
    _a: v128, _b: v128, _c: v128, d: v128, _e: v128, _f: v128, _g: v128,
  ): bool {
    return allOrdinary(x0, x1, x2, x3, d);
  }

  /** 2ⁿ multiplied by adding n to the exponent. */
  // @ts-ignore: decorator
  @inline
  applyOrdinary(x: v128, a: v128, b: v128, c: v128, d: v128, _e: v128, _f: v128, _g: v128): v128 {
    const round = lane0(d);
    const shifted = madd(x, lane2(a), round);
    const p = f32x4.add(expm1Reduced(reduce(x, f32x4.sub(shifted, round), b), b, c), lane2(b));
    return i32x4.add(p, i32x4.shl(shifted, 23));
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, _d: v128, _e: v128, _f: v128, _g: v128): v128 {
    // e⁻¹⁰⁴ < 2⁻¹⁵⁰ rounds to 0 and e⁸⁹ > 2¹²⁸ to ∞. x stands first, so that NaN stays.
    return expClamped(f32x4.pmin(f32x4.pmax(x, lane0(a)), lane1(a)), a, b, c);
  }
}

/** ln x, within 1 ULP; −∞ at ±0 and NaN below. */
@final
export class Log {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    // The least normal number; 23 in place of an exponent; 1; √½.
    if (i == 0) return f32x4(1.17549435e-38, reinterpret<f32>(23 << 23), 1, 0.707106769);
    if (i == 1) return f32x4(-0.0763635635, 0.127621442, -0.131595999, 0.142015859);
    if (i == 2) return f32x4(-0.166234106, 0.200012416, -0.250008196, 0.333333313);
    return f32x4(-0.5, 0.693145751953125, 1.42860677e-6, Infinity);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, d: v128, _e: v128, _f: v128, _g: v128): v128 {
    // x · 2²³ where x is denormal; `scale` holds 23 in place of an exponent there.
    const one = lane2(a);
    const scale = v128.and(f32x4.lt(x, lane0(a)), lane1(a));
    const scaled = f32x4.mul(x, i32x4.add(one, scale));
    // x = 2ᵏ(1 + f) with √½ ≤ 1 + f < √2.
    const sqrtHalf = lane3(a);
    const offset = i32x4.sub(scaled, sqrtHalf);
    const k = f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.sub(offset, scale), 23));
    const mantissa = i32x4.shr_u(i32x4.shl(offset, 9), 9);
    const f = f32x4.sub(i32x4.add(mantissa, sqrtHalf), one);
    // ln(1 + f) = f − f²/2 + f³ p(f), relative error 2⁻²⁷·³.
    let p = madd(lane0(b), f, lane1(b));
    p = madd(p, f, lane2(b));
    p = madd(p, f, lane3(b));
    p = madd(p, f, lane0(c));
    p = madd(p, f, lane1(c));
    p = madd(p, f, lane2(c));
    p = madd(p, f, lane3(c));
    const square = f32x4.mul(f, f);
    let y = f32x4.mul(f32x4.mul(square, f), p);
    y = madd(k, lane2(d), y);
    y = madd(square, lane0(d), y);
    y = f32x4.add(y, f);
    y = madd(k, lane1(d), y);
    // ∞ and NaN stand for themselves, −∞ at 0, all bits set (NaN) below.
    const infinity = lane3(d);
    const zero = f32x4.splat(0);
    y = laneSelect(y, x, f32x4.lt(x, infinity));
    y = f32x4.sub(y, v128.and(f32x4.eq(x, zero), infinity));
    return v128.or(y, f32x4.lt(x, zero));
  }
}

/** tanh x, within 2 ULP; tanh(−0) = −0. */
@final
export class Tanh {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    if (i == 0) return f32x4(-0.0, 9.1, 2.88539008, -0.3);
    if (i == 1) return f32x4(ROUND + 127, -0.34657359, -0.050849881, 0.133195326);
    if (i == 2) return f32x4(-0.333331585, 1, 2, 0);
    return f32x4.splat(0);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, _d: v128, _e: v128, _f: v128, _g: v128): v128 {
    // tanh |x| rounds to 1 from 9.02 on.
    const sign = v128.and(x, lane0(a));
    const magnitude = f32x4.pmin(v128.xor(x, sign), lane1(a));
    // |x| = ½ n ln 2 + r with −0.07 < r < 0.28: away from 0 on the left, where 1 − tanh r would round coarsely.
    // float32(½ ln 2) errs by 2⁻³⁰ only.
    const round = lane0(b);
    const shifted = f32x4.add(madd(magnitude, lane2(a), lane3(a)), round);
    const r = madd(f32x4.sub(shifted, round), lane1(b), magnitude);
    // t = tanh r = r + r³ p(r²), relative error 2⁻²⁷·¹.
    const square = f32x4.mul(r, r);
    let p = madd(lane2(b), square, lane3(b));
    p = madd(p, square, lane0(c));
    const t = madd(f32x4.mul(square, r), p, r);
    // tanh(½ n ln 2) = (2ⁿ − 1) / (2ⁿ + 1), so tanh |x| = s / (s + 2 (1 − t)) with s = (2ⁿ + 1) t + (2ⁿ − 1): exactly t
    // where n = 0, and where n is large an error of s hardly counts.
    const one = lane1(c);
    const power = i32x4.shl(shifted, 23);
    const s = madd(f32x4.add(power, one), t, f32x4.sub(power, one));
    const d = f32x4.add(s, f32x4.sub(lane2(c), f32x4.add(t, t)));
    return v128.or(f32x4.div(s, d), sign);
  }
}

/** The constants a…c of the functions that stand on `logistic`, which is exact to 0 at `end`. */
// @ts-ignore: decorator
@inline
function logisticConstants(i: i32, end: f32): v128 {
  if (i == 0) return f32x4(0, end, -1.44269504, ROUND + 254);
  if (i == 3) return ordinaryConstants(ROUND + 127);
  return expConstants(i, 1, 1);
}

/** w / (1 + eᵗ) for w, t ≥ 0. */
// @ts-ignore: decorator
@inline
function logistic(w: v128, t: v128, a: v128, b: v128, c: v128): v128 {
  const round = lane3(a);
  const shifted = madd(t, lane2(a), round);
  return logisticReduced(w, shifted, reduce(t, f32x4.sub(shifted, round), b), b, c);
}

/**
 * w / (1 + eᵗ) where t = n ln 2 + r and `shifted` holds −n. With eᵗ = 2ⁿ(1 + q) it is w 2⁻ⁿ / (1 + 2⁻ⁿ + q): the
 * rounding of eᵗ to float32, as large as all other errors together, never happens.
 */
// @ts-ignore: decorator
@inline
function logisticReduced(w: v128, shifted: v128, r: v128, b: v128, c: v128): v128 {
  const half = firstHalf(shifted);
  const other = otherHalf(shifted, half);
  const denominator = onePlus(f32x4.mul(half, other), expm1Reduced(r, b, c), lane2(b));
  return f32x4.mul(f32x4.div(f32x4.mul(w, half), denominator), other);
}

/** 1 + power + q for a power of two, rounded as if once: what is lost of the power beside 1 joins the small q. */
// @ts-ignore: decorator
@inline
function onePlus(power: v128, q: v128, one: v128): v128 {
  const sum = f32x4.add(one, power);
  const lost = f32x4.sub(power, f32x4.sub(sum, one));
  return f32x4.add(sum, f32x4.add(q, lost));
}

/** 2⁻ⁿ / (1 + 2⁻ⁿ + q) times w likewise, for t < 87, with the constants d of `ordinaryConstants`. */
// @ts-ignore: decorator
@inline
function logisticOrdinary(w: v128, t: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  const round = lane0(d);
  const shifted = madd(t, lane2(a), round);
  const q = expm1Reduced(reduce(t, f32x4.sub(shifted, round), b), b, c);
  const power = i32x4.shl(shifted, 23);
  return f32x4.div(f32x4.mul(w, power), onePlus(power, q, lane2(b)));
}

/** F(x) for s = F(−|x|), where F(x) + F(−x) = 1: s where x < 0, else 1 − s. */
// @ts-ignore: decorator
@inline
function mirrored(x: v128, s: v128, one: v128): v128 {
  return f32x4.abs(f32x4.sub(s, v128.and(one, f32x4.ge(x, f32x4.splat(0)))));
}

/** min(|x|, end), NaN where x is. */
// @ts-ignore: decorator
@inline
function magnitude(x: v128, end: v128): v128 {
  return f32x4.pmin(f32x4.abs(x), end);
}

/** σ(x) = 1 / (1 + e⁻ˣ), within 2 ULP, through the denormals to 0. */
@final
export class Sigmoid {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return logisticConstants(i, 104);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, _d: v128, _e: v128, _f: v128, _g: v128): v128 {
    return mirrored(x, logistic(lane2(b), magnitude(x, lane1(a)), a, b, c), lane2(b));
  }

  // @ts-ignore: decorator
  @inline
  ordinary(
    x0: v128, x1: v128, x2: v128, x3: v128,
    _a: v128, _b: v128, _c: v128, d: v128, _e: v128, _f: v128, _g: v128,
  ): bool {
    return allOrdinary(x0, x1, x2, x3, d);
  }

  // @ts-ignore: decorator
  @inline
  applyOrdinary(x: v128, a: v128, b: v128, c: v128, d: v128, _e: v128, _f: v128, _g: v128): v128 {
    const one = lane2(b);
    return mirrored(x, logisticOrdinary(one, f32x4.abs(x), a, b, c, d), one);
  }
}

/** x σ(x), within 3 ULP; −∞ gives NaN, as ∞ · 0 does. */
@final
export class Silu {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return logisticConstants(i, 110);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, _d: v128, _e: v128, _f: v128, _g: v128): v128 {
    const t = magnitude(x, lane1(a));
    return f32x4.sub(positivePart(x), logistic(t, t, a, b, c));
  }

  // @ts-ignore: decorator
  @inline
  ordinary(
    x0: v128, x1: v128, x2: v128, x3: v128,
    _a: v128, _b: v128, _c: v128, d: v128, _e: v128, _f: v128, _g: v128,
  ): bool {
    return allOrdinary(x0, x1, x2, x3, d);
  }

  // @ts-ignore: decorator
  @inline
  applyOrdinary(x: v128, a: v128, b: v128, c: v128, d: v128, _e: v128, _f: v128, _g: v128): v128 {
    const t = f32x4.abs(x);
    return f32x4.sub(f32x4.pmax(x, f32x4.splat(-0.0)), logisticOrdinary(t, t, a, b, c, d));
  }
}

/** x where x ≥ 0, else −0; NaN where x = −∞. */
// @ts-ignore: decorator
@inline
function positivePart(x: v128): v128 {
  const zero = f32x4.splat(0);
  return laneSelect(f32x4.mul(x, zero), x, f32x4.lt(x, zero));
}

/** dy · σ(x), the derivative of softplus. */
@final
export class SoftplusBackward {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return logisticConstants(i, 104);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, dy: v128, a: v128, b: v128, c: v128, _d: v128, _e: v128, _f: v128, _g: v128): v128 {
    return f32x4.mul(dy, mirrored(x, logistic(lane2(b), magnitude(x, lane1(a)), a, b, c), lane2(b)));
  }
}

/** dy · (σ(x) + x σ(x) σ(−x)), the derivative of x σ(x). */
@final
export class SiluBackward {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return logisticConstants(i, 104);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, dy: v128, a: v128, b: v128, c: v128, _d: v128, _e: v128, _f: v128, _g: v128): v128 {
    const s = logistic(lane2(b), magnitude(x, lane1(a)), a, b, c);
    const slope = f32x4.mul(f32x4.mul(x, s), f32x4.sub(lane2(b), s));
    return f32x4.mul(dy, f32x4.add(mirrored(x, s, lane2(b)), slope));
  }
}

/** The first 12 bits of x's significand: the product of two such numbers is exact. */
// @ts-ignore: decorator
@inline
function head(x: v128): v128 {
  return i32x4.shl(i32x4.shr_u(x, 12), 12);
}

/** The constants of `normalTail`. */
// @ts-ignore: decorator
@inline
function normalConstants(i: i32): v128 {
  if (i == 0) return f32x4(6, 14.5, 1.44269504, ROUND + 253);
  if (i == 3) return f32x4(-1.6639473e-10, 2.531849e-9, -1.7115928e-8, 6.637671e-8);
  if (i == 4) return f32x4(-6.559226e-8, -1.8226687e-6, 2.4128301e-5, -2.1299759e-4);
  if (i == 5) return f32x4(0.0015825097, -0.0107017355, 0.06980114, 0);
  if (i == 6) return f32x4(2.647413969, -0.494873046875, 0, 0);
  return expConstants(i, -1, -0.5);
}

/**
 * w Φ(−t), with the normal distribution's Φ, for 0 ≤ t ≤ 14.5, as ½ w exp(−t²/2 + t m(t)), t m = ln(2 e^(t²/2) Φ(−t)).
 * m(t) = m₀ + (t − t₀) p(t − t₀) errs by 2⁻²⁷·⁶ / t up to t = 6, where the polynomial ends; from there on the result,
 * below 10⁻⁹ w, is too large, by 2 ⋅ 10⁻¹⁰ w at most.
 */
// @ts-ignore: decorator
@inline
function normalTail(w: v128, t: v128, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128): v128 {
  const end = f32x4.pmin(t, lane0(a));
  const x = f32x4.sub(end, lane0(g));
  let p = madd(lane0(d), x, lane1(d));
  p = madd(p, x, lane2(d));
  p = madd(p, x, lane3(d));
  p = madd(p, x, lane0(e));
  p = madd(p, x, lane1(e));
  p = madd(p, x, lane2(e));
  p = madd(p, x, lane3(e));
  p = madd(p, x, lane0(f));
  p = madd(p, x, lane1(f));
  p = f32x4.mul(madd(p, x, lane2(f)), x);
  // The exponent errs by no more than the result may: −t²/2 and m₀ t are sums of an exact part, which stays exact less
  // n ln 2, and a small one.
  const minusHalf = lane2(b);
  const first = head(end);
  const high = squareHigh(t, minusHalf);
  const linear = f32x4.mul(lane1(g), first);
  const low = f32x4.add(madd(p, end, f32x4.mul(lane1(g), f32x4.sub(end, first))), squareLow(t, minusHalf));
  const round = lane3(a);
  const shifted = madd(f32x4.add(high, f32x4.add(linear, low)), lane2(a), round);
  const n = f32x4.sub(shifted, round);
  const r = madd(n, lane1(b), f32x4.add(f32x4.add(madd(n, lane0(b), high), linear), low));
  return exponentialReduced(w, shifted, r, b, c);
}

/** w eʳ 2ⁿ, `shifted` holding n. */
// @ts-ignore: decorator
@inline
function exponentialReduced(w: v128, shifted: v128, r: v128, b: v128, c: v128): v128 {
  const half = firstHalf(shifted);
  return f32x4.mul(f32x4.mul(madd(expm1Reduced(r, b, c), w, w), half), otherHalf(shifted, half));
}

/** The greater part of factor · t², exact for a power of two. */
// @ts-ignore: decorator
@inline
function squareHigh(t: v128, factor: v128): v128 {
  const first = head(t);
  return f32x4.mul(f32x4.mul(first, first), factor);
}

/** What `squareHigh` leaves of factor · t². */
// @ts-ignore: decorator
@inline
function squareLow(t: v128, factor: v128): v128 {
  const first = head(t);
  return f32x4.mul(f32x4.mul(f32x4.sub(t, first), f32x4.add(t, first)), factor);
}

/** x Φ(x), within 3 ULP for x ≥ −6 and 10⁻⁹ below; −∞ gives NaN, as ∞ · 0 does. */
@final
export class Gelu {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return normalConstants(i);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128): v128 {
    const t = magnitude(x, lane1(a));
    return f32x4.sub(positivePart(x), normalTail(t, t, a, b, c, d, e, f, g));
  }
}

/** dy · (Φ(x) + x φ(x)), the derivative of x Φ(x). */
@final
export class GeluBackward {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return normalConstants(i);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, dy: v128, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128): v128 {
    const t = magnitude(x, lane1(a));
    const one = f32x4.splat(1);
    const probability = mirrored(x, normalTail(one, t, a, b, c, d, e, f, g), one);
    // φ(x) = 2 e^(−t²/2) / 2√(2π): the rounding constant stands for half of a power.
    const minusHalf = lane2(b);
    const round = lane3(a);
    const high = squareHigh(t, minusHalf);
    const low = squareLow(t, minusHalf);
    const shifted = madd(f32x4.add(high, low), lane2(a), round);
    const r = f32x4.add(reduce(high, f32x4.sub(shifted, round), b), low);
    const density = exponentialReduced(f32x4.splat(0.797884561), shifted, r, b, c);
    return f32x4.mul(dy, madd(x, density, probability));
  }
}

/** The constants of `geluTanhTail`: 2√(2/π) and 0.044715 times that, each in a part of 12 bits and the rest. */
// @ts-ignore: decorator
@inline
function geluTanhConstants(i: i32): v128 {
  if (i == 3) return f32x4(1.595703125, 6.59966e-5, 0.07135009765625, 4.7186163e-6);
  return logisticConstants(i, 11);
}

/**
 * w σ(−z) where z = t (α + β t²) for 0 ≤ t ≤ 11. An error of z is one of the result relative to it, so z comes with
 * about 32 bits: products of 12 bits by 12 are exact and, less n ln 2, their sums almost; the rest is small.
 */
// @ts-ignore: decorator
@inline
function geluTanhTail(w: v128, t: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  const first = head(t);
  const rest = f32x4.sub(t, first);
  // s = t², then β s, each split at 12 bits.
  const squareOfFirst = f32x4.mul(first, first);
  const cross = f32x4.mul(rest, f32x4.add(first, t));
  const s = f32x4.add(squareOfFirst, cross);
  const sFirst = head(s);
  const sRest = f32x4.add(f32x4.sub(squareOfFirst, sFirst), cross);
  const product = f32x4.mul(lane2(d), sFirst);
  const cubicFirst = head(product);
  const cubicRest = f32x4.add(
    f32x4.sub(product, cubicFirst), f32x4.add(f32x4.mul(lane2(d), sRest), f32x4.mul(lane3(d), s)),
  );
  const linear = f32x4.mul(lane0(d), first);
  const cubic = f32x4.mul(cubicFirst, first);
  const low = f32x4.add(
    f32x4.mul(f32x4.add(lane0(d), cubicFirst), rest), f32x4.mul(f32x4.add(lane1(d), cubicRest), t),
  );
  const round = lane3(a);
  const shifted = madd(f32x4.add(linear, f32x4.add(cubic, low)), lane2(a), round);
  const n = f32x4.sub(shifted, round);
  const r = madd(n, lane1(b), f32x4.add(f32x4.add(madd(n, lane0(b), linear), cubic), low));
  return logisticReduced(w, shifted, r, b, c);
}

/** ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), within 3 ULP; −∞ gives NaN, as ∞ · 0 does. */
@final
export class GeluTanh {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return geluTanhConstants(i);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, d: v128, _e: v128, _f: v128, _g: v128): v128 {
    const t = magnitude(x, lane1(a));
    return f32x4.sub(positivePart(x), geluTanhTail(t, t, a, b, c, d));
  }
}

/** dy · (σ(z) + x σ(z) σ(−z) dz/dx) with z = x (α + β x²), the derivative of x σ(z). */
@final
export class GeluTanhBackward {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    return geluTanhConstants(i);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, dy: v128, a: v128, b: v128, c: v128, d: v128, _e: v128, _f: v128, _g: v128): v128 {
    const t = magnitude(x, lane1(a));
    const one = lane2(b);
    const s = geluTanhTail(one, t, a, b, c, d);
    // dz/dx = α + 3 β x²
    const slope = madd(f32x4.mul(t, t), f32x4.splat(0.214064449), f32x4.splat(1.59576917));
    const change = f32x4.mul(f32x4.mul(f32x4.mul(x, s), f32x4.sub(one, s)), slope);
    return f32x4.mul(dy, f32x4.add(mirrored(x, s, one), change));
  }
}

/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), within 3 ULP. */
@final
export class Softplus {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    if (i == 0) return f32x4(-104, 0, 1.44269504, ROUND + 254);
    if (i == 3) return f32x4(-0.0033256058, 0.0202375986, -0.0577285737, 0.106873468);
    if (i == 4) return f32x4(-0.153596565, 0.196970075, -0.249589384, 0.333305508);
    if (i == 5) return f32x4.splat(-0.499999344);
    return expConstants(i, -1, 1);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, _g: v128): v128 {
    const z = exp0V(f32x4.neg(f32x4.abs(x)), a, b, c);
    // ln(1 + z) = z + z² p(z) for 0 ≤ z ≤ 1, relative error 2⁻²⁷·⁵.
    let p = madd(lane0(d), z, lane1(d));
    p = madd(p, z, lane2(d));
    p = madd(p, z, lane3(d));
    p = madd(p, z, lane0(e));
    p = madd(p, z, lane1(e));
    p = madd(p, z, lane2(e));
    p = madd(p, z, lane3(e));
    p = madd(p, z, f);
    return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), madd(f32x4.mul(z, z), p, z));
  }
}

/** x where x ≥ 0, else α (eˣ − 1), within 2 ULP for α = 1 and 4 ULP for others; α in p. */
@final
export class Elu {
  // @ts-ignore: decorator
  @inline
  constants(i: i32): v128 {
    if (i == 0) return f32x4(-25, 0, 1.44269504, ROUND + 127);
    return expConstants(i, -1, 1);
  }

  // @ts-ignore: decorator
  @inline
  apply(x: v128, a: v128, b: v128, c: v128, _d: v128, _e: v128, _f: v128, alpha: v128): v128 {
    // e⁻²⁵ − 1 rounds to −1. What x > 0 leads to is not taken.
    const clamped = f32x4.pmax(x, lane0(a));
    const round = lane3(a);
    const shifted = madd(clamped, lane2(a), round);
    const q = expm1Reduced(reduce(clamped, f32x4.sub(shifted, round), b), b, c);
    // 2ⁿ(1 + q) − 1 = 2ⁿ q + (2ⁿ − 1), which is q where n = 0.
    const power = i32x4.shl(shifted, 23);
    const y = madd(power, q, f32x4.sub(power, lane2(b)));
    return laneSelect(x, f32x4.mul(alpha, y), f32x4.ge(x, f32x4.splat(0)));
  }
}

/**
 * x − k π/2 in [−π/4, π/4] and k modulo 2³², for |x| ≤ 2³⁰, in float64: π/2 = 0x1.921fbp0 + … in two parts of 22 bits,
 * whose products with k are exact, and a third.
 */
// @ts-ignore: decorator
@inline
function quarters(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, f64x2.splat(0.6366197723675814)), f64x2.splat(6755399441055744));
}

// @ts-ignore: decorator
@inline
function reduceQuarters(x: v128, shifted: v128): v128 {
  const k = f64x2.sub(shifted, f64x2.splat(6755399441055744));
  x = f64x2.sub(x, f64x2.mul(k, f64x2.splat(1.570796012878418)));
  x = f64x2.sub(x, f64x2.mul(k, f64x2.splat(3.139164164167596e-7)));
  return f64x2.sub(x, f64x2.mul(k, f64x2.splat(6.223372171896613e-14)));
}

/** sin(x + quarter π/2), within 2 ULP for |x| ≤ 2³⁰; NaN beyond. */
// @ts-ignore: decorator
@inline
function sinV(x: v128, quarter: i32): v128 {
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
  const shiftedLow = quarters(low);
  const shiftedHigh = quarters(high);
  const r = v128.shuffle<f64>(
    f32x4.demote_f64x2_zero(reduceQuarters(low, shiftedLow)), f32x4.demote_f64x2_zero(reduceQuarters(high, shiftedHigh)), 0, 2,
  );
  const k = i32x4.add(v128.shuffle<i32>(shiftedLow, shiftedHigh, 0, 2, 4, 6), i32x4.splat(quarter));
  const square = f32x4.mul(r, r);
  // sin r = r + r³ p(r²), relative error 2⁻²⁷·⁹; r lends its sign, so that −0 stays.
  let sin = madd(f32x4.splat(-0.00019518286), square, f32x4.splat(0.008332189));
  sin = madd(sin, square, f32x4.splat(-0.16666655));
  sin = madd(f32x4.mul(square, r), sin, r);
  sin = v128.or(sin, v128.and(r, f32x4.splat(-0.0)));
  // cos r = 1 − ½ r² + r⁴ p(r²), relative error 2⁻³³.
  let cos = madd(f32x4.splat(2.4432327e-5), square, f32x4.splat(-0.001388731));
  cos = madd(cos, square, f32x4.splat(0.041666646));
  cos = madd(cos, square, f32x4.splat(-0.5));
  cos = madd(cos, square, f32x4.splat(1));
  const odd = i32x4.shr_s(i32x4.shl(k, 31), 31);
  const y = v128.xor(laneSelect(cos, sin, odd), i32x4.shl(i32x4.shr_u(k, 1), 31));
  return v128.or(y, v128.not(f32x4.le(f32x4.abs(x), f32x4.splat(1073741824))));
}

/** sin x, within 2 ULP for |x| ≤ 2³⁰; NaN beyond. */
@final
export class Sin {
  // @ts-ignore: decorator
  @inline
  apply(x: v128): v128 {
    return sinV(x, 0);
  }
}

/** cos x, within 2 ULP for |x| ≤ 2³⁰; NaN beyond. */
@final
export class Cos {
  // @ts-ignore: decorator
  @inline
  apply(x: v128): v128 {
    return sinV(x, 1);
  }
}

/** Constants i of F. */
// @ts-ignore: decorator
@inline
export function constantsOf<F>(i: i32, zero: v128): v128 {
  return v128.or(changetype<F>(0).constants(i), zero);
}

/** F of one vector. */
// @ts-ignore: decorator
@inline
function evaluate<F>(x: v128, zero: v128): v128 {
  return changetype<F>(0).apply(
    x, constantsOf<F>(0, zero), constantsOf<F>(1, zero), constantsOf<F>(2, zero),
    constantsOf<F>(3, zero), constantsOf<F>(4, zero), constantsOf<F>(5, zero),
    constantsOf<F>(6, zero),
  );
}

/** eˣ, within 1 ULP. */
// @ts-ignore: decorator
@inline
export function expV(x: v128, zero: v128 = i32x4.splat(0)): v128 {
  return evaluate<Exp>(x, zero);
}

/** eˣ for x ≤ 0 or NaN, with the constants of Exp: it cannot overflow. */
// @ts-ignore: decorator
@inline
export function exp0V(x: v128, a: v128, b: v128, c: v128): v128 {
  return expClamped(f32x4.pmax(x, lane0(a)), a, b, c);
}

/** ln x, within 1 ULP. */
// @ts-ignore: decorator
@inline
export function logV(x: v128, zero: v128 = i32x4.splat(0)): v128 {
  return evaluate<Log>(x, zero);
}

/** x where x > 0, else slope · x: NaN stays, ±0 takes the slope's sign, as in PyTorch. */
// @ts-ignore: decorator
@inline
export function leakyReluV(x: v128, slope: v128): v128 {
  return laneSelect(x, f32x4.mul(x, slope), f32x4.gt(x, f32x4.splat(0)));
}

/** tanh x, within 2 ULP. */
// @ts-ignore: decorator
@inline
export function tanhV(x: v128, zero: v128 = i32x4.splat(0)): v128 {
  return evaluate<Tanh>(x, zero);
}

/** 1 / (1 + e⁻ˣ), within 2 ULP. */
// @ts-ignore: decorator
@inline
export function sigmoidV(x: v128, zero: v128 = i32x4.splat(0)): v128 {
  return evaluate<Sigmoid>(x, zero);
}

/** ln(1 + eˣ), within 3 ULP. */
// @ts-ignore: decorator
@inline
export function softplusV(x: v128, zero: v128 = i32x4.splat(0)): v128 {
  return evaluate<Softplus>(x, zero);
}

/** sin(½π(v + quarter)) for 0 ≤ v ≤ 4. */
// @ts-ignore: decorator
@inline
function sinQuartersV(v: v128, quarter: i32): v128 {
  // v = k + f with an integer k and |f| ≤ ½.
  const round = f32x4.splat(ROUND);
  const shifted = f32x4.add(v, round);
  const f = f32x4.sub(v, f32x4.sub(shifted, round));
  const k = i32x4.add(shifted, i32x4.splat(quarter));
  const square = f32x4.mul(f, f);
  // sin(½πf) = f p(f²), relative error 2⁻²⁵·¹ (that of float32(½π)).
  let sin = madd(f32x4.splat(-0.00468597142), square, f32x4.splat(0.079712525));
  sin = madd(sin, square, f32x4.splat(-0.645966649));
  sin = f32x4.mul(madd(sin, square, f32x4.splat(1.57079637)), f);
  // cos(½πf) = 1 + f² p(f²), relative error 2⁻³¹.
  let cos = madd(f32x4.splat(0.000894486322), square, f32x4.splat(-0.0208555963));
  cos = madd(cos, square, f32x4.splat(0.253668547));
  cos = madd(cos, square, f32x4.splat(-1.23370051));
  cos = madd(cos, square, f32x4.splat(1));
  const odd = i32x4.shr_s(i32x4.shl(k, 31), 31);
  return v128.xor(laneSelect(cos, sin, odd), i32x4.shl(i32x4.shr_u(k, 1), 31));
}

/** sin 2πu for 0 ≤ u ≤ 1, within 2 ULP. */
// @ts-ignore: decorator
@inline
export function sin2PiV(u: v128): v128 {
  return sinQuartersV(f32x4.mul(u, f32x4.splat(4)), 0);
}

/** cos 2πu for 0 ≤ u ≤ 1, within 2 ULP. */
// @ts-ignore: decorator
@inline
export function cos2PiV(u: v128): v128 {
  return sinQuartersV(f32x4.mul(u, f32x4.splat(4)), 1);
}
