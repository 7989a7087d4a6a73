import { cos2PiV, expV, logV, runtimeZero, sin2PiV, tanhV } from "../../assembly/math";

function lane(v: v128): f32 {
  return f32x4.extract_lane(v, 0);
}

/** The bits, where −0 must differ from 0. */
function bits(v: v128): u32 {
  return reinterpret<u32>(lane(v));
}

const LEAST: f32 = reinterpret<f32>(1);
const GREATEST: f32 = reinterpret<f32>(0x7f7fffff);

/** |y − exact| in units of the float32 spacing at `exact`. */
function ulp(y: f32, exact: f64): f64 {
  let spacing: f64 = 1.401298464324817e-45;
  while (spacing * 16777216 <= Math.abs(exact)) spacing *= 2;
  return Math.abs(<f64>y - exact) / spacing;
}

/** sin 2πu in float64 for a multiple u of 2⁻²⁴, reduced to the first eighth exactly, because 2πu itself is rounded. */
function sinTurn(u: f64): f64 {
  u -= Math.floor(u);
  if (u >= 0.5) return -sinTurn(u - 0.5);
  if (u > 0.25) u = 0.5 - u;
  return u <= 0.125 ? Math.sin(2 * Math.PI * u) : Math.cos(2 * Math.PI * (0.25 - u));
}

describe("expV", () => {
  it("has the limits of the exponential", () => {
    expect<f32>(lane(expV(f32x4.splat(0)))).toBe(1);
    expect<f32>(lane(expV(f32x4.splat(-0.0)))).toBe(1);
    expect<f32>(lane(expV(f32x4.splat(Infinity)))).toBe(Infinity);
    expect<u32>(bits(expV(f32x4.splat(-Infinity)))).toBe(0);
    expect<bool>(isNaN(lane(expV(f32x4.splat(NaN))))).toBe(true);
    expect<bool>(isNaN(lane(expV(i32x4.splat(0xffffffff))))).toBe(true, "a NaN with all bits set");
    expect<f32>(lane(expV(f32x4.splat(LEAST)))).toBe(1);
  });

  it("overflows and underflows where float32 does", () => {
    expect<bool>(lane(expV(f32x4.splat(88.72283))) < Infinity).toBe(true);
    expect<f32>(lane(expV(f32x4.splat(88.72284)))).toBe(Infinity);
    expect<f32>(lane(expV(f32x4.splat(GREATEST)))).toBe(Infinity);
    expect<u32>(bits(expV(f32x4.splat(-103.9)))).toBe(1, "the least denormal");
    expect<u32>(bits(expV(f32x4.splat(-103.98)))).toBe(0);
    expect<bool>(ulp(lane(expV(f32x4.splat(-95.5))), Math.exp(-95.5)) <= 1).toBe(true, "a denormal");
  });
});

describe("logV", () => {
  it("has the limits of the logarithm", () => {
    expect<u32>(bits(logV(f32x4.splat(1)))).toBe(0);
    expect<f32>(lane(logV(f32x4.splat(0)))).toBe(-Infinity);
    expect<f32>(lane(logV(f32x4.splat(-0.0)))).toBe(-Infinity);
    expect<f32>(lane(logV(f32x4.splat(Infinity)))).toBe(Infinity);
    expect<bool>(isNaN(lane(logV(f32x4.splat(-Infinity))))).toBe(true);
    expect<bool>(isNaN(lane(logV(f32x4.splat(-1))))).toBe(true);
    expect<bool>(isNaN(lane(logV(f32x4.splat(-LEAST))))).toBe(true);
    expect<bool>(isNaN(lane(logV(f32x4.splat(NaN))))).toBe(true);
  });

  it("takes denormals as they are", () => {
    const log2 = Math.log(2);
    expect<bool>(ulp(lane(logV(f32x4.splat(LEAST))), -149 * log2) <= 1).toBe(true, "2⁻¹⁴⁹");
    expect<bool>(ulp(lane(logV(f32x4.splat(4096 * LEAST))), -137 * log2) <= 1).toBe(true, "2⁻¹³⁷");
    expect<bool>(ulp(lane(logV(f32x4.splat(reinterpret<f32>(0x00800000)))), -126 * log2) <= 1).toBe(true, "2⁻¹²⁶");
    expect<bool>(ulp(lane(logV(f32x4.splat(GREATEST))), Math.log(GREATEST)) <= 1).toBe(true);
  });
});

describe("tanhV", () => {
  it("has the limits and the symmetry of tanh", () => {
    expect<u32>(bits(tanhV(f32x4.splat(0)))).toBe(0);
    expect<u32>(bits(tanhV(f32x4.splat(-0.0)))).toBe(0x80000000);
    expect<f32>(lane(tanhV(f32x4.splat(Infinity)))).toBe(1);
    expect<f32>(lane(tanhV(f32x4.splat(-Infinity)))).toBe(-1);
    expect<bool>(isNaN(lane(tanhV(f32x4.splat(NaN))))).toBe(true);
    expect<f32>(lane(tanhV(f32x4.splat(LEAST)))).toBe(LEAST);
    expect<f32>(lane(tanhV(f32x4.splat(-1e-40)))).toBe(<f32>-1e-40);
    for (let x: f32 = 0; x < 10; x += 0.37) {
      expect<f32>(lane(tanhV(f32x4.splat(-x)))).toBe(-lane(tanhV(f32x4.splat(x))));
    }
  });
});

describe("sin2PiV and cos2PiV", () => {
  it("are exact at the quarters", () => {
    expect<bool>(f32x4.extract_lane(sin2PiV(f32x4(0, 0.25, 0.5, 0.75)), 0) == 0).toBe(true);
    expect<f32>(f32x4.extract_lane(sin2PiV(f32x4(0, 0.25, 0.5, 0.75)), 1)).toBe(1);
    expect<bool>(f32x4.extract_lane(sin2PiV(f32x4(0, 0.25, 0.5, 0.75)), 2) == 0).toBe(true);
    expect<f32>(f32x4.extract_lane(sin2PiV(f32x4(0, 0.25, 0.5, 0.75)), 3)).toBe(-1);
    expect<f32>(f32x4.extract_lane(cos2PiV(f32x4(0, 0.25, 0.5, 0.75)), 0)).toBe(1);
    expect<bool>(f32x4.extract_lane(cos2PiV(f32x4(0, 0.25, 0.5, 0.75)), 1) == 0).toBe(true);
    expect<f32>(f32x4.extract_lane(cos2PiV(f32x4(0, 0.25, 0.5, 0.75)), 2)).toBe(-1);
    expect<bool>(f32x4.extract_lane(cos2PiV(f32x4(0, 0.25, 0.5, 0.75)), 3) == 0).toBe(true);
  });

  it("stay within their bound over the circle", () => {
    let worst: f64 = 0;
    for (let i = 0; i < 16777216; i += 1021) {
      const u: f32 = <f32>i / 16777216;
      // Exact multiples of a quarter have a zero, which the test above pins.
      if ((i & 0x3fffff) == 0) continue;
      const sine = ulp(lane(sin2PiV(f32x4.splat(u))), sinTurn(<f64>i / 16777216));
      const cosine = ulp(lane(cos2PiV(f32x4.splat(u))), sinTurn(<f64>i / 16777216 + 0.25));
      worst = Math.max(worst, Math.max(sine, cosine));
    }
    expect<f64>(worst).toBeLessThan(2);
  });
});

describe("runtimeZero", () => {
  it("is zero for every count and changes no result", () => {
    expect<bool>(v128.any_true(runtimeZero(0))).toBe(false);
    expect<bool>(v128.any_true(runtimeZero(0x7fffffff))).toBe(false);
    const x = f32x4(0.3, -2, 17, 1e-41);
    const zero = runtimeZero(7);
    expect<bool>(i32x4.all_true(i32x4.eq(expV(x), expV(x, zero)))).toBe(true);
    expect<bool>(i32x4.all_true(i32x4.eq(tanhV(x), tanhV(x, zero)))).toBe(true);
    const positive = f32x4.abs(x);
    expect<bool>(i32x4.all_true(i32x4.eq(logV(positive), logV(positive, zero)))).toBe(true);
  });
});
