/**
 * How fast bytes move through loops that do next to nothing: what an elementwise kernel can reach at best.
 *
 * Each stream passes `bytes` bytes of each of its arrays, a positive multiple of 256. `out` may be `x` or `z`, which is how the
 * bench streams in place. Which loop is the fastest depends on where the arrays lie, so there are several of the streams that
 * load and store, and the bench takes the best.
 */
import { madd } from "../../assembly/simd";

/** Reads x; the bits that it gathers go to the first 16 bytes of out, so that no load is idle. */
export function read(out: usize, x: usize, bytes: usize): void {
  let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const end = x + bytes;
  do {
    s0 = v128.or(s0, v128.load(x));
    s1 = v128.or(s1, v128.load(x, 16));
    s2 = v128.or(s2, v128.load(x, 32));
    s3 = v128.or(s3, v128.load(x, 48));
    s4 = v128.or(s4, v128.load(x, 64));
    s5 = v128.or(s5, v128.load(x, 80));
    s6 = v128.or(s6, v128.load(x, 96));
    s7 = v128.or(s7, v128.load(x, 112));
    x += 128;
  } while (x < end);
  s0 = v128.or(v128.or(s0, s1), v128.or(s2, s3));
  s4 = v128.or(v128.or(s4, s5), v128.or(s6, s7));
  v128.store(out, v128.or(s0, s4));
}

/** out ← value */
export function write(out: usize, value: f32, bytes: usize): void {
  const v = f32x4.splat(value);
  const end = out + bytes;
  do {
    v128.store(out, v);
    v128.store(out, v, 16);
    v128.store(out, v, 32);
    v128.store(out, v, 48);
    v128.store(out, v, 64);
    v128.store(out, v, 80);
    v128.store(out, v, 96);
    v128.store(out, v, 112);
    out += 128;
  } while (out < end);
}

/** out ← x, four vectors. */
// @ts-ignore: decorator
@inline
function copyFour(out: usize, x: usize): void {
  const v0 = v128.load(x);
  const v1 = v128.load(x, 16);
  const v2 = v128.load(x, 32);
  const v3 = v128.load(x, 48);
  v128.store(out, v0);
  v128.store(out, v1, 16);
  v128.store(out, v2, 32);
  v128.store(out, v3, 48);
}

/** out ← x */
export function copy(out: usize, x: usize, bytes: usize): void {
  const end = out + bytes;
  do {
    copyFour(out, x);
    out += 64;
    x += 64;
  } while (out < end);
}

/** The same as four quarters side by side: four streams keep more of the prefetchers busy than one. */
export function copyQuarters(out: usize, x: usize, bytes: usize): void {
  const length = bytes >> 2;
  const end = out + length;
  do {
    for (let quarter: usize = 0; quarter < bytes; quarter += length) copyFour(out + quarter, x + quarter);
    out += 64;
    x += 64;
  } while (out < end);
}

/** out ← s · x + z, four vectors. */
// @ts-ignore: decorator
@inline
function scaleAddFour(out: usize, x: usize, z: usize, s: v128): void {
  const v0 = madd(s, v128.load(x), v128.load(z));
  const v1 = madd(s, v128.load(x, 16), v128.load(z, 16));
  const v2 = madd(s, v128.load(x, 32), v128.load(z, 32));
  const v3 = madd(s, v128.load(x, 48), v128.load(z, 48));
  v128.store(out, v0);
  v128.store(out, v1, 16);
  v128.store(out, v2, 32);
  v128.store(out, v3, 48);
}

/** out ← scale · x + z */
export function scaleAdd(out: usize, x: usize, z: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  const end = out + bytes;
  do {
    scaleAddFour(out, x, z, s);
    out += 64;
    x += 64;
    z += 64;
  } while (out < end);
}

/** The same with each vector stored before the next is loaded: on Zen 4 a sixth faster in L1 and a tenth slower in place in L3. */
export function scaleAddSingly(out: usize, x: usize, z: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  const end = out + bytes;
  do {
    v128.store(out, madd(s, v128.load(x), v128.load(z)));
    v128.store(out, madd(s, v128.load(x, 16), v128.load(z, 16)), 16);
    v128.store(out, madd(s, v128.load(x, 32), v128.load(z, 32)), 32);
    v128.store(out, madd(s, v128.load(x, 48), v128.load(z, 48)), 48);
    out += 64;
    x += 64;
    z += 64;
  } while (out < end);
}

/**
 * The same with a multiplication by 1 and an addition of 0 more (to the last bit of a small scale). Requests that come a little
 * slower keep L3 at 97 GB/s on Zen 4 over arrays of 400 KB, where nine of ten passes of the other loops stay below 91, most at 86.
 */
export function scaleAddSlowly(out: usize, x: usize, z: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  const one = f32x4.splat(1 - scale);
  const end = out + bytes;
  do {
    const v0 = f32x4.add(f32x4.mul(madd(s, v128.load(x), v128.load(z)), one), s);
    const v1 = f32x4.add(f32x4.mul(madd(s, v128.load(x, 16), v128.load(z, 16)), one), s);
    const v2 = f32x4.add(f32x4.mul(madd(s, v128.load(x, 32), v128.load(z, 32)), one), s);
    const v3 = f32x4.add(f32x4.mul(madd(s, v128.load(x, 48), v128.load(z, 48)), one), s);
    v128.store(out, v0);
    v128.store(out, v1, 16);
    v128.store(out, v2, 32);
    v128.store(out, v3, 48);
    out += 64;
    x += 64;
    z += 64;
  } while (out < end);
}

/** The same as four quarters side by side. */
export function scaleAddQuarters(out: usize, x: usize, z: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  const length = bytes >> 2;
  const end = out + length;
  do {
    for (let quarter: usize = 0; quarter < bytes; quarter += length) {
      scaleAddFour(out + quarter, x + quarter, z + quarter, s);
    }
    out += 64;
    x += 64;
    z += 64;
  } while (out < end);
}
