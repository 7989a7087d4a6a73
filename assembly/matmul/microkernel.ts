/**
 * The register tile: C (rows × 8 or 4) ← alpha · A (rows × k) · B (k × 8 or 4) [+ beta · C] [+ bias] [ReLU or leaky ReLU].
 *
 * Each element is one chain of multiply-adds in order of k, whatever the tile's height and wherever its operands lie. So
 * a result's bits depend on k alone (and on KC), never on tiling, packing or banding.
 */
import { MR } from "./blocking";
import { leakyReluV } from "../math";
import { RELAXED, madd } from "../simd";

/** What the tile does to its sums before it stores them, in this order. */
// @ts-ignore: decorator
@inline
export const READ_C: i32 = 1;
// @ts-ignore: decorator
@inline
export const ADD_BIAS: i32 = 2;
// @ts-ignore: decorator
@inline
export const APPLY_RELU: i32 = 4;
// @ts-ignore: decorator
@inline
export const APPLY_LEAKY_RELU: i32 = 8;
// @ts-ignore: decorator
@inline
export const APPLY_TANH: i32 = 16;

/** How many rows a tile has. */
interface Height {
  rows(): i32;
}
@final class One implements Height { @inline rows(): i32 { return 1; } }
@final class Two implements Height { @inline rows(): i32 { return 2; } }
@final class Three implements Height { @inline rows(): i32 { return 3; } }
@final class Four implements Height { @inline rows(): i32 { return 4; } }
@final class Five implements Height { @inline rows(): i32 { return 5; } }
@final class Six implements Height { @inline rows(): i32 { return 6; } }

/** Where a tile finds its rows of A: in a packed panel, or in place. */
export interface Operand {
  packed(): bool;
}
/** A packed panel: rows side by side, the next step of k right behind. */
@final export class Packed implements Operand { @inline packed(): bool { return true; } }
/** A matrix where it lies, with a row and a column stride. */
@final export class InPlace implements Operand { @inline packed(): bool { return false; } }

/** How many columns a tile has: two vectors, or one for what is left at the right edge. */
interface Width {
  wide(): bool;
}
@final export class Wide implements Width { @inline wide(): bool { return true; } }
@final export class Narrow implements Width { @inline wide(): bool { return false; } }

/**
 * Runs `count` ≥ 1 tiles of `rows` (1…MR) rows and 8 or 4 columns, one below the other. Strides are in bytes; rsA and csA count for
 * `InPlace` only. `write` is a sum of READ_C, ADD_BIAS and APPLY_RELU or APPLY_LEAKY_RELU. Inlined, as a call of its own would pass
 * its arguments twice (4 × 4 × 4: 6.0 to 6.7 GFLOP/s).
 */
// @ts-ignore: decorator
@inline
export function runTiles<A extends Operand, W extends Width>(
  rows: i32, count: i32, c: usize, a: usize, b: usize, bias: usize, k: i32,
  rsC: usize, rsA: usize, csA: usize, rsB: usize, alpha: f32, beta: f32, write: i32, slope: f32,
): void {
  if (MR > 5 && rows == 6) tiles<Six, A, W>(count, c, a, b, bias, k, rsC, rsA, csA, rsB, alpha, beta, write, slope);
  else if (rows == 5) tiles<Five, A, W>(count, c, a, b, bias, k, rsC, rsA, csA, rsB, alpha, beta, write, slope);
  else if (rows == 4) tiles<Four, A, W>(count, c, a, b, bias, k, rsC, rsA, csA, rsB, alpha, beta, write, slope);
  else if (rows == 3) tiles<Three, A, W>(count, c, a, b, bias, k, rsC, rsA, csA, rsB, alpha, beta, write, slope);
  else if (rows == 2) tiles<Two, A, W>(count, c, a, b, bias, k, rsC, rsA, csA, rsB, alpha, beta, write, slope);
  else tiles<One, A, W>(count, c, a, b, bias, k, rsC, rsA, csA, rsB, alpha, beta, write, slope);
}

/** x · b where its sum is an instruction of its own: two of them go ahead of two sums. Fused, nothing. */
// @ts-ignore: decorator
@inline
function product(x: v128, b: v128): v128 {
  return RELAXED ? x : f32x4.mul(x, b);
}

/** c + x · b, given the product where it is an instruction of its own. */
// @ts-ignore: decorator
@inline
function addProduct(c: v128, product: v128, x: v128, b: v128): v128 {
  return RELAXED ? madd(x, b, c) : f32x4.add(c, product);
}

function tiles<H extends Height, A extends Operand, W extends Width>(
  count: i32, c: usize, a: usize, b: usize, bias: usize, k: i32,
  rsC: usize, rsA: usize, csA: usize, rsB: usize, alpha: f32, beta: f32, write: i32, slope: f32,
): void {
  const rows = changetype<H>(0).rows();
  const packed = changetype<A>(0).packed();
  const wide = changetype<W>(0).wide();
  const zero = f32x4.splat(0);
  // B ends where k steps have been taken: one comparison saves the count beside it, 4 % of a whole product.
  const end = b + <usize>k * rsB;
  do {
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero;
    let c20 = zero, c21 = zero, c30 = zero, c31 = zero;
    let c40 = zero, c41 = zero, c50 = zero, c51 = zero;

    let a0 = a, a1 = a + rsA, a2 = a1 + rsA, a3 = a2 + rsA, a4 = a3 + rsA, a5 = a4 + rsA;
    let at = b;
    let x = zero, b0 = zero, b1 = zero, p = zero, q = zero;
    // One step; scripts/inOrder.mjs unrolls it and keeps its order.
    while (at != end) {
      b0 = v128.load(at), b1 = wide ? v128.load(at, 16) : b0;
      x = packed ? v128.load32_splat(a) : v128.load32_splat(a0), p = product(x, b0), q = product(x, b1);
      c00 = addProduct(c00, p, x, b0), c01 = wide ? addProduct(c01, q, x, b1) : c01;
      if (rows > 1) {
        x = packed ? v128.load32_splat(a, 4) : v128.load32_splat(a1), p = product(x, b0), q = product(x, b1);
        c10 = addProduct(c10, p, x, b0), c11 = wide ? addProduct(c11, q, x, b1) : c11;
      }
      if (rows > 2) {
        x = packed ? v128.load32_splat(a, 8) : v128.load32_splat(a2), p = product(x, b0), q = product(x, b1);
        c20 = addProduct(c20, p, x, b0), c21 = wide ? addProduct(c21, q, x, b1) : c21;
      }
      if (rows > 3) {
        x = packed ? v128.load32_splat(a, 12) : v128.load32_splat(a3), p = product(x, b0), q = product(x, b1);
        c30 = addProduct(c30, p, x, b0), c31 = wide ? addProduct(c31, q, x, b1) : c31;
      }
      if (rows > 4) {
        x = packed ? v128.load32_splat(a, 16) : v128.load32_splat(a4), p = product(x, b0), q = product(x, b1);
        c40 = addProduct(c40, p, x, b0), c41 = wide ? addProduct(c41, q, x, b1) : c41;
      }
      if (rows > 5) {
        x = packed ? v128.load32_splat(a, 20) : v128.load32_splat(a5), p = product(x, b0), q = product(x, b1);
        c50 = addProduct(c50, p, x, b0), c51 = wide ? addProduct(c51, q, x, b1) : c51;
      }
      if (packed) a += rows << 2;
      else a0 += csA, a1 += csA, a2 += csA, a3 += csA, a4 += csA, a5 += csA;
      at += rsB;
    }

    const scale = f32x4.splat(alpha);
    c00 = f32x4.mul(c00, scale), c01 = f32x4.mul(c01, scale);
    c10 = f32x4.mul(c10, scale), c11 = f32x4.mul(c11, scale);
    c20 = f32x4.mul(c20, scale), c21 = f32x4.mul(c21, scale);
    c30 = f32x4.mul(c30, scale), c31 = f32x4.mul(c31, scale);
    c40 = f32x4.mul(c40, scale), c41 = f32x4.mul(c41, scale);
    c50 = f32x4.mul(c50, scale), c51 = f32x4.mul(c51, scale);

    if (write & READ_C) {
      const old = f32x4.splat(beta);
      let row = c;
      c00 = madd(old, v128.load(row), c00);
      if (wide) c01 = madd(old, v128.load(row, 16), c01);
      if (rows > 1) {
        row += rsC;
        c10 = madd(old, v128.load(row), c10);
        if (wide) c11 = madd(old, v128.load(row, 16), c11);
      }
      if (rows > 2) {
        row += rsC;
        c20 = madd(old, v128.load(row), c20);
        if (wide) c21 = madd(old, v128.load(row, 16), c21);
      }
      if (rows > 3) {
        row += rsC;
        c30 = madd(old, v128.load(row), c30);
        if (wide) c31 = madd(old, v128.load(row, 16), c31);
      }
      if (rows > 4) {
        row += rsC;
        c40 = madd(old, v128.load(row), c40);
        if (wide) c41 = madd(old, v128.load(row, 16), c41);
      }
      if (rows > 5) {
        row += rsC;
        c50 = madd(old, v128.load(row), c50);
        if (wide) c51 = madd(old, v128.load(row, 16), c51);
      }
    }
    if (write & ADD_BIAS) {
      const bias0 = v128.load(bias), bias1 = wide ? v128.load(bias, 16) : bias0;
      c00 = f32x4.add(c00, bias0), c01 = f32x4.add(c01, bias1);
      c10 = f32x4.add(c10, bias0), c11 = f32x4.add(c11, bias1);
      c20 = f32x4.add(c20, bias0), c21 = f32x4.add(c21, bias1);
      c30 = f32x4.add(c30, bias0), c31 = f32x4.add(c31, bias1);
      c40 = f32x4.add(c40, bias0), c41 = f32x4.add(c41, bias1);
      c50 = f32x4.add(c50, bias0), c51 = f32x4.add(c51, bias1);
    }
    if (write & APPLY_RELU) {
      c00 = f32x4.pmax(c00, zero), c01 = f32x4.pmax(c01, zero);
      c10 = f32x4.pmax(c10, zero), c11 = f32x4.pmax(c11, zero);
      c20 = f32x4.pmax(c20, zero), c21 = f32x4.pmax(c21, zero);
      c30 = f32x4.pmax(c30, zero), c31 = f32x4.pmax(c31, zero);
      c40 = f32x4.pmax(c40, zero), c41 = f32x4.pmax(c41, zero);
      c50 = f32x4.pmax(c50, zero), c51 = f32x4.pmax(c51, zero);
    }

    if (write & APPLY_LEAKY_RELU) {
      const factor = f32x4.splat(slope);
      c00 = leakyReluV(c00, factor), c01 = leakyReluV(c01, factor);
      c10 = leakyReluV(c10, factor), c11 = leakyReluV(c11, factor);
      c20 = leakyReluV(c20, factor), c21 = leakyReluV(c21, factor);
      c30 = leakyReluV(c30, factor), c31 = leakyReluV(c31, factor);
      c40 = leakyReluV(c40, factor), c41 = leakyReluV(c41, factor);
      c50 = leakyReluV(c50, factor), c51 = leakyReluV(c51, factor);
    }

    v128.store(c, c00);
    if (wide) v128.store(c, c01, 16);
    if (rows > 1) {
      c += rsC;
      v128.store(c, c10);
      if (wide) v128.store(c, c11, 16);
    }
    if (rows > 2) {
      c += rsC;
      v128.store(c, c20);
      if (wide) v128.store(c, c21, 16);
    }
    if (rows > 3) {
      c += rsC;
      v128.store(c, c30);
      if (wide) v128.store(c, c31, 16);
    }
    if (rows > 4) {
      c += rsC;
      v128.store(c, c40);
      if (wide) v128.store(c, c41, 16);
    }
    if (rows > 5) {
      c += rsC;
      v128.store(c, c50);
      if (wide) v128.store(c, c51, 16);
    }
    c += rsC;
    if (!packed) a += <usize>rows * rsA;
  } while (--count);
}
