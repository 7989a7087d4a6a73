/**
 * The sizes that sgemm's loops are cut into. They live here and nowhere else; work is sized by `sgemmWorkSize`.
 *
 * Counts are dealt out evenly (`shareBegin`): 28 rows become three tiles of six and two of five instead of four of six and one
 * that is two thirds empty.
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

/** Floats of a packed block of B that few rows use: half of a 1 MiB L2, since each is used soon after it was packed. */
// @ts-ignore: decorator
@inline
const PACKED_FLOATS: i32 = 1 << 17;

/**
 * Most of k in a block of a B whose rows are contiguous and which m rows of A use once it is packed. The fewer they are, the more the
 * pack counts against reading C again; and a short block cuts fewer of B's rows short (8 × 4096 × 4096 in blocks of 512, 128 and 64:
 * 26.6, 27.9 and 29.4 GFLOP/s; 64 × 1000 × 1000 of 512 and 256: 47.8 and 49.6).
 */
export function packedDepth(m: i32, n: i32): i32 {
  if (m > 128) return KC;
  return min(KC, max(m > 40 ? 256 : 64, PACKED_FLOATS / min(n, NC)));
}

/**
 * Most columns of C for which A is read in place: a packed A would be used too seldom to repay its copy. The strict tile issues as
 * many instructions as the processor takes, and five pointers in place of one are more (Zen 4, 64 × 64 × 64 in place and packed:
 * strict 41.2 and 45.0 GFLOP/s; 96 × 96 × 96 relaxed 53.2 and 51.8).
 */
// @ts-ignore: decorator
@inline
export const IN_PLACE_A_COLUMNS: i32 = RELAXED ? 136 : 40;

/**
 * Most rows of C for which B may be read in place: more use each element of B often enough to repay its copy. The strict tile
 * issues as many instructions as the processor takes and has none to spare for B's cache misses (Zen 4, 24 × 512 × 512 in place
 * and packed: relaxed 56 and 50 GFLOP/s, strict 44 and 45).
 */
// @ts-ignore: decorator
@inline
export const IN_PLACE_B_ROWS: i32 = RELAXED ? 40 : 12;

/**
 * Columns of C in one tile of dot products, by two rows: 6 × 2 accumulators, two vectors of A and one of B fill the registers
 * where multiply-add is one instruction; see MR for the other.
 */
// @ts-ignore: decorator
@inline
export const DOT_COLUMNS: i32 = RELAXED ? 6 : 5;

/**
 * Dot products save the transposing pack, whose cost goes with k · n, and pay for adding up lanes, which goes with m · n: they
 * win with at least this many steps of k for each row. (NT 64 × 256 × 784, relaxed: 52.9 to 55.9 GFLOP/s, but 64 × 256 × 256:
 * 53.5 to 52.1. The strict tile is the slower one against strict sgemm's: 16 × 256 × 784 42.3 to 44.5, 32 × 256 × 784 46.6 to 44.2.)
 */
// @ts-ignore: decorator
@inline
export const DOT_DEPTH: i32 = RELAXED ? 8 : 32;

/** Up to here a tile of 8 columns is mostly waste or remainder, and dot products win for any m (128 × 10 × 256: 37 to 43 GFLOP/s). */
// @ts-ignore: decorator
@inline
export const DOT_NARROW: i32 = 12;

/** Below this many steps of k, adding up the lanes costs more than the products. */
// @ts-ignore: decorator
@inline
export const DOT_LEAST_DEPTH: i32 = 64;

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
