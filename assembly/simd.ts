/** The one place that asks which instruction set this binary is compiled for. */

/** Whether `madd` rounds once where the engine can fuse (the relaxed binaries) or always twice (the strict ones). */
// @ts-ignore: decorator
@inline
export const RELAXED: bool = ASC_FEATURE_RELAXED_SIMD;

/** a · b + c in each lane: fused on the relaxed binaries where the engine fuses, two roundings on the strict ones. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * `yes` in the lanes where the mask is all ones, `no` where it is all zeros; of other masks the relaxed binaries promise nothing.
 * One instruction there where the processor has it, three on the strict ones (leakyRelu 0.112 to 0.088 ns an element on Zen 4).
 */
// @ts-ignore: decorator
@inline
export function laneSelect(yes: v128, no: v128, mask: v128): v128 {
  if (RELAXED) return i32x4.relaxed_laneselect(yes, no, mask);
  return v128.bitselect(yes, no, mask);
}

/** What `maddAtMostZero` takes for c. */
// @ts-ignore: decorator
@inline
export function thresholdOf(c: v128): v128 {
  return RELAXED ? c : f32x4.neg(c);
}

/**
 * Where madd(a, b, c) ≤ 0, but for infinities that cancel. Unfused that is where a · b ≤ −c, since a sum has the sign of the exact
 * one: an addition less.
 */
// @ts-ignore: decorator
@inline
export function maddAtMostZero(a: v128, b: v128, threshold: v128): v128 {
  return RELAXED ? f32x4.le(madd(a, b, threshold), f32x4.splat(0)) : f32x4.le(f32x4.mul(a, b), threshold);
}
