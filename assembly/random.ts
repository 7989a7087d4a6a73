/**
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): ten rounds
 * turn a 128-bit counter and a 64-bit key into four random words. The key is the seed; the counter's low half counts
 * blocks of four words (modulo 2⁶⁴) and its high half is the stream. Element i is made from block counter + ⌊i / 4⌋
 * alone, so a range can be drawn separately from a counter of its own. Four blocks are computed at once, one in each
 * lane.
 *
 * Bits, uniform numbers and permutations are the same on every binary; normal numbers are, where `madd` does not fuse.
 */
import { Vector0, store as storeLanes } from "./map";
import { logV, sin2PiV, cos2PiV } from "./math";

/** Low words of the 64-bit products a · b of unsigned lanes. */
// @ts-ignore: decorator
@inline
export function multiplyLow(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 0, 2, 4, 6);
}

/** High words of the 64-bit products a · b of unsigned lanes. */
// @ts-ignore: decorator
@inline
export function multiplyHigh(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

/** The bits of `word` at and above 2⁸ as a multiple of 2⁻²⁴ in [0, 1). */
// @ts-ignore: decorator
@inline
function fraction(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), f32x4.splat(1.0 / 16777216.0));
}

/** The words themselves. */
@final class Bits {
  // @ts-ignore: decorator
  @inline
  prepare(a: v128, _p: v128, _q: v128, _r: v128): v128 {
    return a;
  }
  // @ts-ignore: decorator
  @inline
  first(x: v128, _b: v128, _p: v128, _q: v128, _r: v128): v128 {
    return x;
  }
  // @ts-ignore: decorator
  @inline
  second(_x: v128, b: v128, _p: v128, _q: v128, _r: v128): v128 {
    return b;
  }
}

/** min(low + span · u, last) with a 24-bit u in [0, 1) of each word; never fused, so the same on every binary. */
@final class Uniform {
  // @ts-ignore: decorator
  @inline
  prepare(a: v128, low: v128, span: v128, last: v128): v128 {
    return f32x4.pmin(f32x4.add(low, f32x4.mul(span, fraction(a))), last);
  }
  // @ts-ignore: decorator
  @inline
  first(x: v128, _b: v128, _low: v128, _span: v128, _last: v128): v128 {
    return x;
  }
  // @ts-ignore: decorator
  @inline
  second(_x: v128, b: v128, low: v128, span: v128, last: v128): v128 {
    return this.prepare(b, low, span, last);
  }
}

/**
 * Box and Muller (1958): r cos 2πu and r sin 2πu with r = √(−2 ln v) are independent normals.
 * v = (a + ½) 2⁻³² in (0, 1], so |z| < 6.77; u is 24 bits of b.
 */
@final class Normal {
  // @ts-ignore: decorator
  @inline
  prepare(a: v128, _mean: v128, deviation: v128, _r: v128): v128 {
    const scale = f32x4.splat(1.0 / 4294967296.0);
    const v = f32x4.add(f32x4.mul(f32x4.convert_i32x4_u(a), scale), f32x4.splat(0.5 / 4294967296.0));
    return f32x4.mul(f32x4.sqrt(f32x4.mul(logV(v), f32x4.splat(-2))), deviation);
  }
  // @ts-ignore: decorator
  @inline
  first(x: v128, b: v128, mean: v128, _deviation: v128, _r: v128): v128 {
    return f32x4.add(mean, f32x4.mul(x, cos2PiV(fraction(b))));
  }
  // @ts-ignore: decorator
  @inline
  second(x: v128, b: v128, mean: v128, _deviation: v128, _r: v128): v128 {
    return f32x4.add(mean, f32x4.mul(x, sin2PiV(fraction(b))));
  }
}

/**
 * out[i] ← `Op` of block counter + ⌊i / 4⌋. Words 0 and 1 of a block make elements 0 and 1, words 2 and 3 the others:
 * x = prepare(a, p, q, r) of the even word, then first(x, b, p, q, r) and second(x, b, p, q, r) with the odd word b.
 */
// @ts-ignore: decorator
@inline
function draw<Op>(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
  p: v128, q: v128, r: v128,
): void {
  const op = changetype<Op>(0);
  let counter = (<u64>counterHigh << 32) | <u64>counterLow;
  for (let i = 0; i < n; i += 16) {
    const low = i32x4.splat(<i32>counter);
    let c0 = i32x4.add(low, i32x4(0, 1, 2, 3));
    let c1 = i32x4.sub(i32x4.splat(<i32>(counter >> 32)), i32x4.lt_u(c0, low)); // a lane that wrapped carries
    let c2 = i32x4.splat(streamLow);
    let c3 = i32x4.splat(streamHigh);
    let k0 = i32x4.splat(seedLow);
    let k1 = i32x4.splat(seedHigh);
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(c0, i32x4.splat(0xd2511f53));
      const high1 = multiplyHigh(c2, i32x4.splat(0xcd9e8d57));
      const low0 = multiplyLow(c0, i32x4.splat(0xd2511f53));
      const low1 = multiplyLow(c2, i32x4.splat(0xcd9e8d57));
      c0 = v128.xor(v128.xor(high1, c1), k0);
      c1 = low1;
      c2 = v128.xor(v128.xor(high0, c3), k1);
      c3 = low0;
      k0 = i32x4.add(k0, i32x4.splat(0x9e3779b9));
      k1 = i32x4.add(k1, i32x4.splat(0xbb67ae85));
    }
    const x0 = op.prepare(c0, p, q, r);
    const x2 = op.prepare(c2, p, q, r);
    const e0 = op.first(x0, c1, p, q, r);
    const e1 = op.second(x0, c1, p, q, r);
    const e2 = op.first(x2, c3, p, q, r);
    const e3 = op.second(x2, c3, p, q, r);
    // Transpose: from one block a lane to one block a vector.
    const pairs01 = v128.shuffle<i32>(e0, e1, 0, 4, 1, 5);
    const pairs23 = v128.shuffle<i32>(e2, e3, 0, 4, 1, 5);
    storeLanes<Vector0>(out, i, v128.shuffle<i64>(pairs01, pairs23, 0, 2), n - i);
    if (n - i > 4) storeLanes<Vector0>(out, i + 4, v128.shuffle<i64>(pairs01, pairs23, 1, 3), n - i - 4);
    const pairs45 = v128.shuffle<i32>(e0, e1, 2, 6, 3, 7);
    const pairs67 = v128.shuffle<i32>(e2, e3, 2, 6, 3, 7);
    if (n - i > 8) storeLanes<Vector0>(out, i + 8, v128.shuffle<i64>(pairs45, pairs67, 0, 2), n - i - 8);
    if (n - i > 12) storeLanes<Vector0>(out, i + 12, v128.shuffle<i64>(pairs45, pairs67, 1, 3), n - i - 12);
    counter += 4;
  }
}

/** out[i] ← word i mod 4 of block counter + ⌊i / 4⌋ */
export function philoxBits(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
): void {
  const zero = i32x4.splat(0);
  draw<Bits>(out, n, seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh, zero, zero, zero);
}

/** The greatest float32 below x. */
// @ts-ignore: decorator
@inline
export function below(x: f32): f32 {
  const bits = reinterpret<i32>(x);
  return x == 0 ? reinterpret<f32>(0x80000001) : reinterpret<f32>(bits > 0 ? bits - 1 : bits + 1);
}

/**
 * out[i] ← low + (high − low) u, where u = ⌊word / 2⁸⌋ 2⁻²⁴; for finite low < high whose difference is finite. Each
 * operation rounds to float32, and what would round to high or above becomes the greatest float32 below high.
 */
export function philoxUniform(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
  low: f32, high: f32,
): void {
  draw<Uniform>(
    out, n, seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh,
    f32x4.splat(low), f32x4.splat(high - low), f32x4.splat(below(high)),
  );
}

/** out[i] ← mean + deviation · z with independent standard normal z */
export function philoxNormal(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
  mean: f32, deviation: f32,
): void {
  draw<Normal>(
    out, n, seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh,
    f32x4.splat(mean), f32x4.splat(deviation), i32x4.splat(0),
  );
}

/**
 * out ← 0…n−1 in random order, each order equally likely: Fisher and Yates from the inside out, where step i swaps the
 * new element with place j, uniform in 0…i. j comes from one word by multiplication, as in Lemire ("Fast random integer
 * generation in an interval", 2019): j is the high half of word · (i + 1), and a low half below 2³² mod (i + 1) rejects
 * the word.
 *
 * Draws from the upper half of the stream's counter, which no draw that counts from 0 reaches: the first word of step i
 * is that of element i from block 2⁶³; attempt a ≥ 1 after a rejection takes word 0 of block 2⁶³ + 2³² a + i.
 */
export function philoxPermutation(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32,
): void {
  const upper: u32 = 0x80000000;
  philoxBits(out, n, seedLow, seedHigh, streamLow, streamHigh, 0, upper); // word i waits in out[i] until step i
  for (let i = 0; i < n; i++) {
    const last = out + (<usize>i << 2);
    const bound = <u64>i + 1;
    let product = <u64>load<u32>(last) * bound;
    if (<u64><u32>product < bound) {
      const rejected = (<u64>0x100000000 - bound) % bound;
      for (let attempt: u32 = 1; <u64><u32>product < rejected; attempt++) {
        philoxBits(last, 1, seedLow, seedHigh, streamLow, streamHigh, i, upper + attempt);
        product = <u64>load<u32>(last) * bound;
      }
    }
    const j = out + (<usize>(product >> 32) << 2);
    store<u32>(last, load<u32>(j));
    store<u32>(j, i);
  }
}
