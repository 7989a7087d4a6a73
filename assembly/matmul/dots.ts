/**
 * Dot products of rows of A with columns of B, both contiguous (A·Bᵀ of row-major matrices): two rows by up to six columns of
 * sums stay in registers and both operands are read where they lie, instead of transposing B into panels.
 */
import { DOT_COLUMNS, DOT_DEPTH, DOT_LEAST_DEPTH, DOT_NARROW } from "./blocking";
import { mergeTile } from "./epilogue";
import { loadPartial, storePartial } from "../partial";
import { RELAXED, madd } from "../simd";

/** Sums of a block of C wait in L1 to be scaled and stored: ROWS × COLUMNS floats = 15 KiB, whole tiles of 5 or 6 columns. */
// @ts-ignore: decorator
@inline
const ROWS: i32 = 128;
// @ts-ignore: decorator
@inline
const COLUMNS: i32 = 30;

/** Whether an m × n × k product whose rows of A and columns of B are contiguous takes this road. */
// @ts-ignore: decorator
@inline
export function prefersDots(m: i32, n: i32, k: i32): bool {
  return k >= DOT_LEAST_DEPTH && (m <= k / DOT_DEPTH || n <= DOT_NARROW);
}

/** Floats of `work` that `multiplyDots` needs. */
// @ts-ignore: decorator
@inline
export function dotsWorkSize(m: i32, n: i32): i32 {
  return min(m, ROWS) * min(n, COLUMNS);
}

/**
 * C ← epilogue(alpha · A·B + beta · C) over `rows` rows, for contiguous rows of A and columns of B. Strides are in bytes. Each
 * element is four chains over k, added pairwise.
 */
export function multiplyDots(
  c: usize, a: usize, b: usize, bias: usize, rows: i32, n: i32, k: i32, rsC: usize, csC: usize, rsA: usize, csB: usize,
  alpha: f32, beta: f32, write: i32, slope: f32, work: usize,
): void {
  for (let row = 0; row < rows; row += ROWS) {
    const height = min(ROWS, rows - row);
    const blockA = a + <usize>row * rsA;
    for (let column = 0; column < n; column += COLUMNS) {
      const width = min(COLUMNS, n - column);
      const rsSums = <usize>width << 2;
      for (let j = 0; j < width; j += DOT_COLUMNS) {
        const tileB = b + <usize>(column + j) * csB;
        const tileColumns = min(DOT_COLUMNS, width - j);
        let sums = work + (<usize>j << 2);
        let tileA = blockA;
        for (let i = 0; i < height; i += 2) {
          const two = i + 1 < height;
          dotTile(sums, tileA, tileB, tileColumns, k, two ? rsSums : 0, two ? rsA : 0, csB);
          sums += 2 * rsSums;
          tileA += 2 * rsA;
        }
      }
      const blockC = c + <usize>row * rsC + <usize>column * csC;
      mergeTile(blockC, work, bias + (<usize>column << 2), height, width, rsSums, rsC, csC, alpha, beta, write, slope, 4);
    }
  }
}

/**
 * Two rows by `width` columns of sums. What a tile lacks repeats its last row (rsA = rsSums = 0) or column, so that there is one
 * loop for all.
 */
function dotTile(
  sums: usize, a: usize, b: usize, width: i32, k: i32, rsSums: usize, rsA: usize, csB: usize,
): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c02 = zero, c03 = zero, c04 = zero, c05 = zero;
  let c10 = zero, c11 = zero, c12 = zero, c13 = zero, c14 = zero, c15 = zero;
  let a0 = a, a1 = a + rsA;
  let b0 = b;
  let b1 = b0 + (width > 1 ? csB : 0);
  let b2 = b1 + (width > 2 ? csB : 0);
  let b3 = b2 + (width > 3 ? csB : 0);
  let b4 = b3 + (width > 4 ? csB : 0);
  let b5 = b4 + (width > 5 ? csB : 0);
  const end = a0 + (<usize>(k & ~3) << 2);
  let x0 = zero, x1 = zero, y = zero;
  // Two steps a turn with a branch between them, as in the register tile: the addresses serve both.
  while (a0 != end) {
    x0 = v128.load(a0), x1 = v128.load(a1);
    y = v128.load(b0), c00 = madd(x0, y, c00), c10 = madd(x1, y, c10);
    y = v128.load(b1), c01 = madd(x0, y, c01), c11 = madd(x1, y, c11);
    y = v128.load(b2), c02 = madd(x0, y, c02), c12 = madd(x1, y, c12);
    y = v128.load(b3), c03 = madd(x0, y, c03), c13 = madd(x1, y, c13);
    y = v128.load(b4), c04 = madd(x0, y, c04), c14 = madd(x1, y, c14);
    if (RELAXED) y = v128.load(b5), c05 = madd(x0, y, c05), c15 = madd(x1, y, c15);
    if (a0 + 16 == end) {
      a0 += 16, a1 += 16, b0 += 16, b1 += 16, b2 += 16, b3 += 16, b4 += 16, b5 += 16;
      break;
    }
    x0 = v128.load(a0, 16), x1 = v128.load(a1, 16);
    y = v128.load(b0, 16), c00 = madd(x0, y, c00), c10 = madd(x1, y, c10);
    y = v128.load(b1, 16), c01 = madd(x0, y, c01), c11 = madd(x1, y, c11);
    y = v128.load(b2, 16), c02 = madd(x0, y, c02), c12 = madd(x1, y, c12);
    y = v128.load(b3, 16), c03 = madd(x0, y, c03), c13 = madd(x1, y, c13);
    y = v128.load(b4, 16), c04 = madd(x0, y, c04), c14 = madd(x1, y, c14);
    if (RELAXED) y = v128.load(b5, 16), c05 = madd(x0, y, c05), c15 = madd(x1, y, c15);
    a0 += 32, a1 += 32, b0 += 32, b1 += 32, b2 += 32, b3 += 32, b4 += 32, b5 += 32;
  }
  const lanes = k & 3;
  if (lanes > 0) {
    x0 = loadPartial(a0, lanes), x1 = loadPartial(a1, lanes);
    y = loadPartial(b0, lanes), c00 = madd(x0, y, c00), c10 = madd(x1, y, c10);
    y = loadPartial(b1, lanes), c01 = madd(x0, y, c01), c11 = madd(x1, y, c11);
    y = loadPartial(b2, lanes), c02 = madd(x0, y, c02), c12 = madd(x1, y, c12);
    y = loadPartial(b3, lanes), c03 = madd(x0, y, c03), c13 = madd(x1, y, c13);
    y = loadPartial(b4, lanes), c04 = madd(x0, y, c04), c14 = madd(x1, y, c14);
    if (RELAXED) y = loadPartial(b5, lanes), c05 = madd(x0, y, c05), c15 = madd(x1, y, c15);
  }
  storePartial(sums, sumsOfLanes(c00, c01, c02, c03), width);
  storePartial(sums + rsSums, sumsOfLanes(c10, c11, c12, c13), width);
  if (width > 4) {
    storePartial(sums + 16, sumsOfLanes(c04, c05, c05, c05), width - 4);
    storePartial(sums + rsSums + 16, sumsOfLanes(c14, c15, c15, c15), width - 4);
  }
}

/** The sum of each vector's lanes: (l0 + l1) + (l2 + l3). */
// @ts-ignore: decorator
@inline
export function sumsOfLanes(v0: v128, v1: v128, v2: v128, v3: v128): v128 {
  const low01 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
  return f32x4.add(
    f32x4.add(v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), v128.shuffle<f32>(low01, low23, 2, 3, 6, 7)),
    f32x4.add(v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), v128.shuffle<f32>(high01, high23, 2, 3, 6, 7)),
  );
}
