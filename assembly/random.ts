/**
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): ten rounds
 * turn a 128-bit counter and a 64-bit key into four random words. The key is the seed; the counter's low half counts
 * blocks of four words (modulo 2⁶⁴) and its high half is the stream. Element i is made from block counter + ⌊i / 4⌋
 * alone, so a range can be drawn separately from a counter of its own. Four blocks are computed at once, one in each
 * lane.
 *
 * Bits, uniform numbers and permutations are the same on every binary; normal numbers are, where `madd` does not fuse.
 */
import { Vector0, load as loadLanes, store as storeLanes } from "./map";
import { logV, sin2PiV, cos2PiV } from "./math";
import { laneSelect } from "./simd";

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

/** Out become the elements that are drawn. */
@final class Store {
  // @ts-ignore: decorator
  @inline
  emit(out: usize, _x: usize, i: i32, elements: v128, lanes: i32): void {
    storeLanes<Vector0>(out, i, elements, lanes);
  }
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

/** `inside` where the word's 24-bit u in [0, 1) is below p, else `outside`. */
@final class Choice {
  // @ts-ignore: decorator
  @inline
  prepare(a: v128, p: v128, inside: v128, outside: v128): v128 {
    return laneSelect(inside, outside, f32x4.lt(fraction(a), p));
  }
  // @ts-ignore: decorator
  @inline
  first(x: v128, _b: v128, _p: v128, _inside: v128, _outside: v128): v128 {
    return x;
  }
  // @ts-ignore: decorator
  @inline
  second(_x: v128, b: v128, p: v128, inside: v128, outside: v128): v128 {
    return this.prepare(b, p, inside, outside);
  }
}

/** Out become x times the elements that are drawn. */
@final class Multiply {
  // @ts-ignore: decorator
  @inline
  emit(out: usize, x: usize, i: i32, factors: v128, lanes: i32): void {
    storeLanes<Vector0>(out, i, f32x4.mul(loadLanes<Vector0>(x, i, lanes), factors), lanes);
  }
}

/** Lanes `skip`… of v in front, then zeros. */
// @ts-ignore: decorator
@inline
function fromLane(v: v128, skip: i32): v128 {
  const bytes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return i8x16.swizzle(v, i8x16.add(bytes, i8x16.splat(<i8>(skip << 2))));
}

/**
 * `Sink.emit` of elements begin…end−1, element i being `Op` of block counter + ⌊i / 4⌋. Words 0 and 1 of a block make
 * elements 0 and 1, words 2 and 3 the others: x = prepare(a, p, q, r) of the even word, then first(x, b, p, q, r) and
 * second(x, b, p, q, r) with the odd word b.
 */
// @ts-ignore: decorator
@inline
function draw<Op, Sink>(
  out: usize, x: usize, begin: i32, end: i32,
  seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
  p: v128, q: v128, r: v128,
): void {
  if (begin >= end) return;
  const op = changetype<Op>(0);
  const sink = changetype<Sink>(0);
  let counter = ((<u64>counterHigh << 32) | <u64>counterLow) + <u64>(begin >> 2);
  for (let i = begin & -4; i < end; i += 16) {
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
    const block0 = v128.shuffle<i64>(pairs01, pairs23, 0, 2);
    const left = end - i;
    if (i >= begin) sink.emit(out, x, i, block0, left);
    else sink.emit(out, x, begin, fromLane(block0, begin - i), min(left, 4) - (begin - i));
    if (left > 4) sink.emit(out, x, i + 4, v128.shuffle<i64>(pairs01, pairs23, 1, 3), left - 4);
    const pairs45 = v128.shuffle<i32>(e0, e1, 2, 6, 3, 7);
    const pairs67 = v128.shuffle<i32>(e2, e3, 2, 6, 3, 7);
    if (left > 8) sink.emit(out, x, i + 8, v128.shuffle<i64>(pairs45, pairs67, 0, 2), left - 8);
    if (left > 12) sink.emit(out, x, i + 12, v128.shuffle<i64>(pairs45, pairs67, 1, 3), left - 12);
    counter += 4;
  }
}

/** out[i] ← word i mod 4 of block counter + ⌊i / 4⌋ */
export function philoxBits(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
): void {
  const zero = i32x4.splat(0);
  draw<Bits, Store>(out, 0, 0, n, seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh, zero, zero, zero);
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
  draw<Uniform, Store>(
    out, 0, 0, n, seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh,
    f32x4.splat(low), f32x4.splat(high - low), f32x4.splat(below(high)),
  );
}

/** out[i] ← mean + deviation · z with independent standard normal z */
export function philoxNormal(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
  mean: f32, deviation: f32,
): void {
  draw<Normal, Store>(
    out, 0, 0, n, seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh,
    f32x4.splat(mean), f32x4.splat(deviation), i32x4.splat(0),
  );
}

/** out[i] ← 1 with this probability, else 0: 1 where philoxUniform over [0, 1) draws a number below it. */
export function philoxBernoulli(
  out: usize, n: i32, seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
  probability: f32,
): void {
  draw<Choice, Store>(
    out, 0, 0, n, seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh,
    f32x4.splat(probability), f32x4.splat(1), f32x4.splat(0),
  );
}

/**
 * y ← x · 0 with probability `rate`, else x / (1 − rate), for the elements [begin, end) of x (n) and 0 ≤ rate < 1: inverted
 * dropout (Srivastava et al. 2014). An element is dropped where philoxBernoulli of `rate` draws 1, so the same arguments
 * with dy for x give dx, and no mask is stored. A dropped NaN or infinity is NaN, a dropped −1 is −0, as in PyTorch.
 */
export function dropout(
  y: usize, x: usize, n: i32,
  seedLow: u32, seedHigh: u32, streamLow: u32, streamHigh: u32, counterLow: u32, counterHigh: u32,
  rate: f32, begin: i32, end: i32,
): void {
  draw<Choice, Multiply>(
    y, x, begin, min(end, n), seedLow, seedHigh, streamLow, streamHigh, counterLow, counterHigh,
    f32x4.splat(rate), f32x4.splat(0), f32x4.splat(<f32>(1 / (1 - <f64>rate))),
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
