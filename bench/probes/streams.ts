/**
 * How fast bytes move through loops that do next to nothing: what an elementwise kernel can reach at best.
 *
 * Each stream passes `bytes` bytes of each of its arrays, eight vectors an iteration: a positive multiple of 128. `out` may be
 * `x` or `z`, which is how the bench streams in place.
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

/** Arrays from here on are passed as four quarters side by side: four streams keep more of the prefetchers busy than one. */
const QUARTERS: usize = 1 << 20;

/** out ← x */
export function copy(out: usize, x: usize, bytes: usize): void {
  if (bytes >= QUARTERS) copyQuarters(out, x, bytes >> 2);
  else copyOnce(out, x, bytes);
}

function copyOnce(out: usize, x: usize, bytes: usize): void {
  const end = out + bytes;
  do {
    const v0 = v128.load(x);
    const v1 = v128.load(x, 16);
    const v2 = v128.load(x, 32);
    const v3 = v128.load(x, 48);
    v128.store(out, v0);
    v128.store(out, v1, 16);
    v128.store(out, v2, 32);
    v128.store(out, v3, 48);
    const v4 = v128.load(x, 64);
    const v5 = v128.load(x, 80);
    const v6 = v128.load(x, 96);
    const v7 = v128.load(x, 112);
    v128.store(out, v4, 64);
    v128.store(out, v5, 80);
    v128.store(out, v6, 96);
    v128.store(out, v7, 112);
    out += 128;
    x += 128;
  } while (out < end);
}

/** Four arrays of `bytes` bytes that follow each other. */
function copyQuarters(out: usize, x: usize, bytes: usize): void {
  const end = out + bytes;
  do {
    for (let quarter: usize = 0; quarter < 4 * bytes; quarter += bytes) {
      const v0 = v128.load(x + quarter);
      const v1 = v128.load(x + quarter, 16);
      v128.store(out + quarter, v0);
      v128.store(out + quarter, v1, 16);
    }
    out += 32;
    x += 32;
  } while (out < end);
}

/** out ← scale · x + z */
export function scaleAdd(out: usize, x: usize, z: usize, scale: f32, bytes: usize): void {
  if (bytes >= QUARTERS) scaleAddQuarters(out, x, z, scale, bytes >> 2);
  else scaleAddOnce(out, x, z, scale, bytes);
}

function scaleAddOnce(out: usize, x: usize, z: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  const end = out + bytes;
  do {
    const v0 = madd(s, v128.load(x), v128.load(z));
    const v1 = madd(s, v128.load(x, 16), v128.load(z, 16));
    const v2 = madd(s, v128.load(x, 32), v128.load(z, 32));
    const v3 = madd(s, v128.load(x, 48), v128.load(z, 48));
    v128.store(out, v0);
    v128.store(out, v1, 16);
    v128.store(out, v2, 32);
    v128.store(out, v3, 48);
    const v4 = madd(s, v128.load(x, 64), v128.load(z, 64));
    const v5 = madd(s, v128.load(x, 80), v128.load(z, 80));
    const v6 = madd(s, v128.load(x, 96), v128.load(z, 96));
    const v7 = madd(s, v128.load(x, 112), v128.load(z, 112));
    v128.store(out, v4, 64);
    v128.store(out, v5, 80);
    v128.store(out, v6, 96);
    v128.store(out, v7, 112);
    out += 128;
    x += 128;
    z += 128;
  } while (out < end);
}

/** Four arrays of `bytes` bytes that follow each other. */
function scaleAddQuarters(out: usize, x: usize, z: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  const end = out + bytes;
  do {
    for (let quarter: usize = 0; quarter < 4 * bytes; quarter += bytes) {
      const v0 = madd(s, v128.load(x + quarter), v128.load(z + quarter));
      const v1 = madd(s, v128.load(x + quarter, 16), v128.load(z + quarter, 16));
      v128.store(out + quarter, v0);
      v128.store(out + quarter, v1, 16);
    }
    out += 32;
    x += 32;
    z += 32;
  } while (out < end);
}
