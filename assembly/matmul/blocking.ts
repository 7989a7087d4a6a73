/**
 * The sizes that sgemm's loops are cut into. They live here and nowhere else; work is sized by `sgemmWorkSize`.
 *
 * Every count is dealt out evenly (`share`), so that 128 rows become 18 tiles of six and 4 of five instead of 21 of six
 * and a nearly empty one.
 */
import { RELAXED } from "../simd";

/**
 * Most rows of C in one register tile. V8 hands out 15 vector registers: 6 × 2 accumulators + 2 of B + 1 of A fill them
 * where multiply-add is one instruction; the strict binaries need one more for the product, so they take 5 rows.
 */
// @ts-ignore: decorator
@inline
export const MR: i32 = RELAXED ? 6 : 5;

/** Columns of C in one register tile: two vectors. */
// @ts-ignore: decorator
@inline
export const NR: i32 = 8;

/**
 * Most of k in one block. KC × NR floats of B = 16 KiB and KC × MR floats of A = 12 KiB share a 32 KiB L1 with the tile of C.
 * Longer would evict B, shorter reads and writes C more often (one pass a block).
 */
// @ts-ignore: decorator
@inline
export const KC: i32 = 512;

/**
 * Most rows of A packed at once: MC × KC floats = 72 KiB of L2. Few, because every panel of B walks down these rows of C, and
 * each row of a wide C lies in a page of its own: 36 pages of C and 18 of A fit the 64 entries or more of an L1 TLB, 180 rows
 * did not (−3 % at n = 2000).
 */
// @ts-ignore: decorator
@inline
export const MC: i32 = 36;

/**
 * Most columns of B packed at once: KC × NC floats = 4.7 MiB stream from L3, 16 KiB for every MC × NR × KC multiply-adds.
 * Fewer would pack A more often and gain nothing: B comes in order, which prefetchers hide.
 */
// @ts-ignore: decorator
@inline
export const NC: i32 = 2400;

/** ⌈a / b⌉ for a ≥ 0, b > 0. */
// @ts-ignore: decorator
@inline
export function ceilDiv(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}

/** Where share `index` of `total` things dealt evenly to `shares` begins: the first total mod shares are one larger. */
// @ts-ignore: decorator
@inline
export function shareBegin(total: i32, shares: i32, index: i32): i32 {
  return index * (total / shares) + min(index, total % shares);
}
