/** What registers alone allow: the rate that arithmetic could reach if memory and loops were free. */
import { madd } from "../../assembly/simd";

/** c ← c·x + y, `steps` times. */
// @ts-ignore: decorator
@inline
function advance(steps: i32, c: v128, x: v128, y: v128): v128 {
  if (steps == 1) return madd(c, x, y);
  return madd(madd(madd(madd(c, x, y), x, y), x, y), x, y);
}

/**
 * `turns` turns of 1 or 4 steps each over `width` independent chains, 8 ≤ width ≤ 13; the value keeps the work alive.
 *
 * Eight chains cover the latency of a fused multiply-add of four cycles, twice a cycle; a separate multiply and add take twice
 * as long, and thirteen with x and y fill the fifteen vector registers that V8 allocates. One step a turn is best where V8
 * unrolls the loop itself, four where it does not. Each call below folds to its width and steps.
 */
// @ts-ignore: decorator
@inline
function chains(width: i32, steps: i32, turns: i32, scale: f32, shift: f32): f32 {
  const x = f32x4.splat(scale);
  const y = f32x4.splat(shift);
  // Different starts, so that no compiler may merge two chains.
  let c0 = f32x4.splat(0), c1 = f32x4.splat(1), c2 = f32x4.splat(2), c3 = f32x4.splat(3), c4 = f32x4.splat(4);
  let c5 = f32x4.splat(5), c6 = f32x4.splat(6), c7 = f32x4.splat(7), c8 = f32x4.splat(8), c9 = f32x4.splat(9);
  let c10 = f32x4.splat(10), c11 = f32x4.splat(11), c12 = f32x4.splat(12);
  do {
    c0 = advance(steps, c0, x, y);
    c1 = advance(steps, c1, x, y);
    c2 = advance(steps, c2, x, y);
    c3 = advance(steps, c3, x, y);
    c4 = advance(steps, c4, x, y);
    c5 = advance(steps, c5, x, y);
    c6 = advance(steps, c6, x, y);
    c7 = advance(steps, c7, x, y);
    if (width > 8) c8 = advance(steps, c8, x, y);
    if (width > 9) c9 = advance(steps, c9, x, y);
    if (width > 10) c10 = advance(steps, c10, x, y);
    if (width > 11) c11 = advance(steps, c11, x, y);
    if (width > 12) c12 = advance(steps, c12, x, y);
  } while (--turns);
  c0 = f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3));
  c4 = f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7));
  c8 = f32x4.add(f32x4.add(c8, c9), f32x4.add(c10, f32x4.add(c11, c12)));
  return f32x4.extract_lane(f32x4.add(c0, f32x4.add(c4, c8)), 0);
}

/**
 * `turns` turns of six multiplications and six additions, in twelve chains of their own: a separate multiply and add then
 * wait for no sum of latencies, as in a matrix product, whose products do not depend on its sums. `scale` is −1, which
 * keeps every number at its size.
 */
export function products(turns: i32, scale: f32): f32 {
  const x = f32x4.splat(scale);
  const zero = f32x4.splat(0);
  let p0 = f32x4.splat(1), p1 = f32x4.splat(2), p2 = f32x4.splat(3);
  let p3 = f32x4.splat(4), p4 = f32x4.splat(5), p5 = f32x4.splat(6);
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero;
  do {
    s0 = f32x4.add(s0, p0);
    p0 = f32x4.mul(p0, x);
    s1 = f32x4.add(s1, p1);
    p1 = f32x4.mul(p1, x);
    s2 = f32x4.add(s2, p2);
    p2 = f32x4.mul(p2, x);
    s3 = f32x4.add(s3, p3);
    p3 = f32x4.mul(p3, x);
    s4 = f32x4.add(s4, p4);
    p4 = f32x4.mul(p4, x);
    s5 = f32x4.add(s5, p5);
    p5 = f32x4.mul(p5, x);
  } while (--turns);
  const sum = f32x4.add(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), f32x4.add(s4, s5));
  return f32x4.extract_lane(sum, 0);
}

/**
 * `turns` turns of four vectors x / √v, in chains of their own up to the sums: roots and divisions share one unit of most
 * processors, which neither pipelines (Zen 4: five and three cycles a vector).
 */
export function quotients(turns: i32, x: f32): f32 {
  const dividend = f32x4.splat(x);
  let v = f32x4(1, 2, 3, 4);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  do {
    s0 = f32x4.add(s0, f32x4.div(dividend, f32x4.sqrt(v)));
    v = f32x4.add(v, dividend);
    s1 = f32x4.add(s1, f32x4.div(dividend, f32x4.sqrt(v)));
    v = f32x4.add(v, dividend);
    s2 = f32x4.add(s2, f32x4.div(dividend, f32x4.sqrt(v)));
    v = f32x4.add(v, dividend);
    s3 = f32x4.add(s3, f32x4.div(dividend, f32x4.sqrt(v)));
    v = f32x4.add(v, dividend);
  } while (--turns);
  return f32x4.extract_lane(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), 0);
}

export function chains8x1(turns: i32, scale: f32, shift: f32): f32 { return chains(8, 1, turns, scale, shift); }
export function chains8x4(turns: i32, scale: f32, shift: f32): f32 { return chains(8, 4, turns, scale, shift); }
export function chains9x1(turns: i32, scale: f32, shift: f32): f32 { return chains(9, 1, turns, scale, shift); }
export function chains9x4(turns: i32, scale: f32, shift: f32): f32 { return chains(9, 4, turns, scale, shift); }
export function chains10x1(turns: i32, scale: f32, shift: f32): f32 { return chains(10, 1, turns, scale, shift); }
export function chains10x4(turns: i32, scale: f32, shift: f32): f32 { return chains(10, 4, turns, scale, shift); }
export function chains11x1(turns: i32, scale: f32, shift: f32): f32 { return chains(11, 1, turns, scale, shift); }
export function chains11x4(turns: i32, scale: f32, shift: f32): f32 { return chains(11, 4, turns, scale, shift); }
export function chains12x1(turns: i32, scale: f32, shift: f32): f32 { return chains(12, 1, turns, scale, shift); }
export function chains12x4(turns: i32, scale: f32, shift: f32): f32 { return chains(12, 4, turns, scale, shift); }
export function chains13x1(turns: i32, scale: f32, shift: f32): f32 { return chains(13, 1, turns, scale, shift); }
export function chains13x4(turns: i32, scale: f32, shift: f32): f32 { return chains(13, 4, turns, scale, shift); }
