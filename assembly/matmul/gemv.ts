/**
 * Products with so few rows that each element of B is used only once or thrice: they run at the speed at which B can be
 * read, so B is read in the order in which it lies and never copied.
 */
import { clear } from "../map";
import { loadPartial, storePartial } from "../partial";
import { madd } from "../simd";
import { sumsOfLanes } from "./dots";
import { mergeTile } from "./epilogue";

/** Most rows of A that take this road; with more, packing B and the register tile are faster. */
// @ts-ignore: decorator
@inline
export const GEMV_ROWS: i32 = 3;

/** Sums of C at once: 18 KiB that stay in L1 while rows of B stream past, in pieces as long as can be. */
// @ts-ignore: decorator
@inline
export const FEW_ROWS_SUMS: i32 = 4608;

/** Floats of `work` that `multiplyFewRows` needs: its sums, and copies of rows of A that are not contiguous. */
// @ts-ignore: decorator
@inline
export function fewRowsWorkSize(rows: i32, n: i32, k: i32): i32 {
  return rows > 0 ? rows * (min(n, FEW_ROWS_SUMS / rows) + k) : 0;
}

/**
 * C ← epilogue(alpha · A·B + beta · C) for up to GEMV_ROWS rows, where a row or a column of B is contiguous.
 * Strides are in bytes; `bias` steps by `biasStride` bytes a column (0: one number for all).
 */
export function multiplyFewRows(
  c: usize, a: usize, b: usize, bias: usize, rows: i32, n: i32, k: i32, rsC: usize, csC: usize,
  rsA: usize, csA: usize, rsB: usize, csB: usize, alpha: f32, beta: f32, write: i32, slope: f32, biasStride: usize, work: usize,
): void {
  const dots = rsB == 4;
  const most = FEW_ROWS_SUMS / rows;
  if (dots && csA != 4) {
    const copy = work + (<usize>(rows * min(n, most)) << 2);
    for (let i = 0; i < rows; ++i) {
      for (let p = 0; p < k; ++p) {
        v128.store32_lane(
          copy + (<usize>(i * k + p) << 2), v128.load32_zero(a + <usize>i * rsA + <usize>p * csA), 0,
        );
      }
    }
    a = copy;
    rsA = <usize>k << 2;
  }
  for (let j = 0; j < n; j += most) {
    const columns = min(most, n - j);
    const columnsB = b + <usize>j * csB;
    if (dots) sumDots(work, a, columnsB, rows, columns, k, rsA, csB);
    else sumRows(work, a, columnsB, rows, columns, k, rsA, csA, rsB);
    const to = c + <usize>j * csC;
    const biases = bias + <usize>j * biasStride;
    mergeTile(to, work, biases, rows, columns, <usize>columns << 2, rsC, csC, alpha, beta, write, slope, biasStride);
  }
}

/** How many vectors of sums stay in registers while a strip of B goes by: eight are two lines of each row. */
interface Width {
  vectors(): i32;
}
@final class One implements Width { @inline vectors(): i32 { return 1; } }
@final class Two implements Width { @inline vectors(): i32 { return 2; } }
@final class Three implements Width { @inline vectors(): i32 { return 3; } }
@final class Four implements Width { @inline vectors(): i32 { return 4; } }
@final class Eight implements Width { @inline vectors(): i32 { return 8; } }

/** Columns of the widest strip. */
// @ts-ignore: decorator
@inline
const STRIP: i32 = 32;

/**
 * Rows of B that a strip goes down before the next strip takes the same rows: as many streams as prefetchers follow (Zen 4, relaxed,
 * 1 × 4128 × 4080 by 8, 12, 16, 20 rows: 21.2, 22.7, 19.0, 12.9 GB/s of 27).
 */
// @ts-ignore: decorator
@inline
const GROUP: i32 = 12;

/** Bytes of short rows that make a larger group: a piece of B that stays in L1 (1 × 128 × 784 with 8 and 16 KiB: relaxed 34.9 and 37.5 GFLOP/s, strict 28.5 and 31.4). */
// @ts-ignore: decorator
@inline
const GROUP_BYTES: usize = 16384;

/**
 * Rows whose lines share the sets of L1, each of which holds eight (1 × 1024 × 1024 by 6, 7, 8, 12 rows: 69, 72, 70, 51 GB/s of 97). From
 * memory, how far a group reads ahead tells more (1 × 4096 × 4096 by 7 and 12: 20.4 and 21.4 GB/s of 27).
 */
// @ts-ignore: decorator
@inline
const GROUP_OF_SETS: i32 = 7;
// @ts-ignore: decorator
@inline
const SETS_BYTES: usize = 4096;
// @ts-ignore: decorator
@inline
const CACHE_BYTES: u64 = 1 << 24;

/** How many of the k rows of B, rsB bytes apart, make a group. */
function rowsOfGroup(k: i32, rsB: usize): i32 {
  if (rsB % SETS_BYTES == 0 && <u64>rsB * k <= CACHE_BYTES) return GROUP_OF_SETS;
  return max(GROUP, <i32>(GROUP_BYTES / rsB));
}

/** sums (rows × columns) ← A·B, a group of rows of B at a time, strip by strip; each element one chain in order of k. */
function sumRows(
  sums: usize, a: usize, b: usize, rows: i32, columns: i32, k: i32, rsA: usize, csA: usize, rsB: usize,
): void {
  const rowBytes = <usize>columns << 2;
  const most = rowsOfGroup(k, rsB);
  const strips = columns / STRIP;
  clear(sums, rows * columns);
  for (let p = 0; p < k; p += most) {
    const group = min(most, k - p);
    if (strips > 0) addStrips<Eight>(strips, sums, a, b, rows, group, rowBytes, rsA, csA, rsB);
    for (let j = strips * STRIP; j < columns; ) {
      const left = columns - j;
      const vectors = min(4, left >> 2);
      const sum = sums + (<usize>j << 2);
      const strip = b + (<usize>j << 2);
      if (vectors == 4) addStrips<Four>(1, sum, a, strip, rows, group, rowBytes, rsA, csA, rsB);
      else if (vectors == 3) addStrips<Three>(1, sum, a, strip, rows, group, rowBytes, rsA, csA, rsB);
      else if (vectors == 2) addStrips<Two>(1, sum, a, strip, rows, group, rowBytes, rsA, csA, rsB);
      else if (vectors == 1) addStrips<One>(1, sum, a, strip, rows, group, rowBytes, rsA, csA, rsB);
      else addLanes(sum, a, strip, left, rows, group, rowBytes, rsA, csA, rsB);
      j += max(1, vectors) << 2;
    }
    a += <usize>group * csA;
    b += <usize>group * rsB;
  }
}

/** sums (rows × strips) + A·B over `group` > 0 rows of B, in strips as many vectors wide as `Width` says. */
function addStrips<W extends Width>(
  strips: i32, sums: usize, a: usize, b: usize, rows: i32, group: i32, rsSums: usize, rsA: usize, csA: usize, rsB: usize,
): void {
  const vectors = changetype<W>(0).vectors();
  const zero = f32x4.splat(0);
  for (let strip = 0; strip < strips; ++strip) {
    for (let i = 0; i < rows; ++i) {
      const sum = sums + <usize>i * rsSums;
      let s0 = v128.load(sum);
      let s1 = vectors > 1 ? v128.load(sum, 16) : zero;
      let s2 = vectors > 2 ? v128.load(sum, 32) : zero;
      let s3 = vectors > 3 ? v128.load(sum, 48) : zero;
      let s4 = vectors > 4 ? v128.load(sum, 64) : zero, s5 = vectors > 4 ? v128.load(sum, 80) : zero;
      let s6 = vectors > 4 ? v128.load(sum, 96) : zero, s7 = vectors > 4 ? v128.load(sum, 112) : zero;
      let fromA = a + <usize>i * rsA;
      let fromB = b;
      let left = group;
      do {
        const x = v128.load32_splat(fromA);
        s0 = madd(x, v128.load(fromB), s0);
        if (vectors > 1) s1 = madd(x, v128.load(fromB, 16), s1);
        if (vectors > 2) s2 = madd(x, v128.load(fromB, 32), s2);
        if (vectors > 3) s3 = madd(x, v128.load(fromB, 48), s3);
        if (vectors > 4) s4 = madd(x, v128.load(fromB, 64), s4), s5 = madd(x, v128.load(fromB, 80), s5);
        if (vectors > 4) s6 = madd(x, v128.load(fromB, 96), s6), s7 = madd(x, v128.load(fromB, 112), s7);
        fromA += csA;
        fromB += rsB;
      } while (--left != 0);
      v128.store(sum, s0);
      if (vectors > 1) v128.store(sum, s1, 16);
      if (vectors > 2) v128.store(sum, s2, 32);
      if (vectors > 3) v128.store(sum, s3, 48);
      if (vectors > 4) v128.store(sum, s4, 64), v128.store(sum, s5, 80), v128.store(sum, s6, 96), v128.store(sum, s7, 112);
    }
    sums += vectors << 4;
    b += vectors << 4;
  }
}

/** The same for `lanes` < 4 columns. */
function addLanes(
  sums: usize, a: usize, b: usize, lanes: i32, rows: i32, group: i32, rsSums: usize, rsA: usize, csA: usize, rsB: usize,
): void {
  for (let i = 0; i < rows; ++i) {
    let sum = loadPartial(sums, lanes);
    for (let p = 0; p < group; ++p) {
      sum = madd(v128.load32_splat(a + <usize>p * csA), loadPartial(b + <usize>p * rsB, lanes), sum);
    }
    storePartial(sums, sum, lanes);
    sums += rsSums;
    a += rsA;
  }
}

/**
 * sums (rows × columns) ← A·B where rows of A and columns of B are contiguous: four columns at a time, a quarter of all apart, so that each
 * is followed by the next one in memory and four streams run through B without a new start (Zen 4, 1 × 4096 × 4096 by neighbours and by
 * quarters: relaxed 8.3 and 12.1 GFLOP/s, strict 7.9 and 11.7).
 */
function sumDots(
  sums: usize, a: usize, b: usize, rows: i32, columns: i32, k: i32, rsA: usize, csB: usize,
): void {
  const quarter = (columns + 3) >> 2;
  for (let j0 = 0; j0 < quarter; ++j0) {
    // What the last quarters lack repeats the first one's column, to the same sum.
    const j1 = j0 + quarter < columns ? j0 + quarter : j0;
    const j2 = j0 + 2 * quarter < columns ? j0 + 2 * quarter : j0;
    const j3 = j0 + 3 * quarter < columns ? j0 + 3 * quarter : j0;
    let sum = sums;
    let x = a;
    for (let i = 0; i < rows; ++i) {
      const dots = fourDots(x, b + <usize>j0 * csB, b + <usize>j1 * csB, b + <usize>j2 * csB, b + <usize>j3 * csB, k);
      v128.store32_lane(sum + (<usize>j3 << 2), dots, 3);
      v128.store32_lane(sum + (<usize>j2 << 2), dots, 2);
      v128.store32_lane(sum + (<usize>j1 << 2), dots, 1);
      v128.store32_lane(sum + (<usize>j0 << 2), dots, 0);
      sum += <usize>columns << 2;
      x += rsA;
    }
  }
}

/** (x·b0, x·b1, x·b2, x·b3) over k floats each: four lanes and two chains a lane, added up at the end. */
function fourDots(x: usize, b0: usize, b1: usize, b2: usize, b3: usize, k: i32): v128 {
  const zero = f32x4.splat(0);
  let even0 = zero, even1 = zero, even2 = zero, even3 = zero;
  let odd0 = zero, odd1 = zero, odd2 = zero, odd3 = zero;
  const bytes = <usize>k << 2;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const x0 = v128.load(x + at), x1 = v128.load(x + at, 16);
    even0 = madd(x0, v128.load(b0 + at), even0);
    odd0 = madd(x1, v128.load(b0 + at, 16), odd0);
    even1 = madd(x0, v128.load(b1 + at), even1);
    odd1 = madd(x1, v128.load(b1 + at, 16), odd1);
    even2 = madd(x0, v128.load(b2 + at), even2);
    odd2 = madd(x1, v128.load(b2 + at, 16), odd2);
    even3 = madd(x0, v128.load(b3 + at), even3);
    odd3 = madd(x1, v128.load(b3 + at, 16), odd3);
  }
  for (; at < bytes; at += 16) {
    const lanes = min(4, <i32>((bytes - at) >> 2));
    const x0 = loadPartial(x + at, lanes);
    even0 = madd(x0, loadPartial(b0 + at, lanes), even0);
    even1 = madd(x0, loadPartial(b1 + at, lanes), even1);
    even2 = madd(x0, loadPartial(b2 + at, lanes), even2);
    even3 = madd(x0, loadPartial(b3 + at, lanes), even3);
  }
  const sum0 = f32x4.add(even0, odd0), sum1 = f32x4.add(even1, odd1);
  const sum2 = f32x4.add(even2, odd2), sum3 = f32x4.add(even3, odd3);
  return sumsOfLanes(sum0, sum1, sum2, sum3);
}
