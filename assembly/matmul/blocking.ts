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
 * Most of k in one block. KC × NR floats of B = 12.5 KiB and KC × MR floats of A = 9.4 KiB share a 32 KiB L1 with the
 * tile of C. Longer would evict B, shorter reads and writes C more often (one pass a block).
 */
// @ts-ignore: decorator
@inline
export const KC: i32 = 400;

/** Most rows of A packed at once: MC × KC floats = 281 KiB, fits the L2 (512 KiB and up) of every recent core. */
// @ts-ignore: decorator
@inline
export const MC: i32 = 180;

/** Most columns of B packed at once: KC × NC floats = 1.8 MiB, fits L2 or L3; it is read once per MC rows. */
// @ts-ignore: decorator
@inline
export const NC: i32 = 1200;

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
