/**
 * Products with so few rows that each element of B is used only once or thrice: they run at the speed at which B can be
 * read, so B is never copied, and read by streams that end only where B does.
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

/** Floats of `work` that `multiplyFewRows` needs: its sums, and copies of rows of A that are not contiguous. */
// @ts-ignore: decorator
@inline
export function fewRowsWorkSize(rows: i32, n: i32, k: i32): i32 {
  return rows > 0 ? rows * (n + k) : 0;
}

/**
 * C ← epilogue(alpha · A·B + beta · C) for up to GEMV_ROWS rows, where a row or a column of B is contiguous.
 * Strides are in bytes; `bias` steps by `biasStride` bytes a column (0: one number for all).
 */
export function multiplyFewRows(
  c: usize, a: usize, b: usize, bias: usize, rows: i32, n: i32, k: i32, rsC: usize, csC: usize,
  rsA: usize, csA: usize, rsB: usize, csB: usize, alpha: f32, beta: f32, write: i32, slope: f32, biasStride: usize, work: usize,
): void {
  const sums = work;
  if (rsB == 4) {
    if (csA != 4) {
      const copy = sums + (<usize>(rows * n) << 2);
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
    sumDots(sums, a, b, rows, n, k, rsA, csB);
  } else {
    sumRows(sums, a, b, rows, n, k, rsA, csA, rsB);
  }
  mergeTile(c, sums, bias, rows, n, <usize>n << 2, rsC, csC, alpha, beta, write, slope, biasStride);
}

/** How many vectors of sums stay in registers while a strip of B goes by: eight are two lines of each row. */
interface Width {
  vectors(): i32;
}
@final class One implements Width { @inline vectors(): i32 { return 1; } }
@final class Two implements Width { @inline vectors(): i32 { return 2; } }
@final class Three implements Width { @inline vectors(): i32 { return 3; } }
@final class Four implements Width { @inline vectors(): i32 { return 4; } }
@final class Five implements Width { @inline vectors(): i32 { return 5; } }
@final class Six implements Width { @inline vectors(): i32 { return 6; } }
@final class Seven implements Width { @inline vectors(): i32 { return 7; } }
@final class Eight implements Width { @inline vectors(): i32 { return 8; } }

/** Columns of the widest strip. */
// @ts-ignore: decorator
@inline
const STRIP: i32 = 32;

/** Bytes of each row of B that stay in L1 until all rows of A have been there: whole strips (2 × 4096 × 4096 without: 0.82 of its speed). */
// @ts-ignore: decorator
@inline
const PIECE_BYTES: usize = 1024;

/**
 * Rows of B side by side. They lie a share of k apart, so that each is followed by the next one in memory: streams that never start
 * anew, as many as prefetchers follow (Zen 4, 1 × 128 × 784 by 6, 8, 12, 16, 24: 83, 87, 91, 89, 57 % of a stream that only reads, strict).
 */
// @ts-ignore: decorator
@inline
const STREAMS: i32 = 12;

/**
 * The same where all share the sets of L1, each of which holds eight lines (1 × 1024 × 1024 by 4, 5, 6, 8, 12: 71, 73, 75, 53, 48 %;
 * 1 × 4096 × 4096, from memory, by 4, 5, 6, 12: 86, 88, 85, 75 %).
 */
// @ts-ignore: decorator
@inline
const STREAMS_OF_SETS: i32 = 5;
// @ts-ignore: decorator
@inline
const SETS_BYTES: u64 = 4096;

/** Bytes of B that L1 holds: all rows go side by side, and sums are stored once (1 × 32 × 256 by twelve: 0.86 of that). */
// @ts-ignore: decorator
@inline
const SMALL_BYTES: u64 = 49152;

/** How many of B's k rows, which are rsB bytes apart, go side by side. */
function streamsOf(k: i32, rsB: u64): i32 {
  if (rsB * k <= SMALL_BYTES) return k;
  return rsB * (k / STREAMS) % SETS_BYTES == 0 ? STREAMS_OF_SETS : STREAMS;
}

/**
 * sums (rows × columns) ← A·B. Each element is one chain over the rows p, p + share, p + 2 · share, … of B for p = 0 … share − 1, and then over
 * those that are left.
 */
function sumRows(
  sums: usize, a: usize, b: usize, rows: i32, columns: i32, k: i32, rsA: usize, csA: usize, rsB: usize,
): void {
  clear(sums, rows * columns);
  if (k == 0) return;
  const streams = streamsOf(k, rsB);
  const share = k / streams;
  // Several rows of A take turns at each group of rows of B.
  const turns = rows == 1 ? share : 1;
  for (let p = 0; p < share; p += turns) {
    const fromA = a + <usize>p * csA, fromB = b + <usize>p * rsB;
    addRows(turns, streams, sums, fromA, fromB, rows, columns, rsA, csA, rsB, csA * share, rsB * share);
  }
  const left = k % streams;
  if (left == 0) return;
  const lastA = a + <usize>(k - left) * csA, lastB = b + <usize>(k - left) * rsB;
  addRows(1, left, sums, lastA, lastB, rows, columns, rsA, csA, rsB, csA, rsB);
}

/** sums (rows × columns) + A·B over `turns` groups of `group` rows of B, which lie stepB bytes apart, and groups rsB. */
function addRows(
  turns: i32, group: i32, sums: usize, a: usize, b: usize, rows: i32, columns: i32, rsA: usize, csA: usize, rsB: usize, stepA: usize, stepB: usize,
): void {
  const wide = <usize>(columns / STRIP * STRIP) << 2;
  const vectors = (columns % STRIP) >> 2;
  const lanes = columns & 3;
  const most = rows == 1 ? wide : PIECE_BYTES;
  for (let at: usize = 0; at < wide; at += most) {
    const bytes = min(most, wide - at);
    for (let i = 0; i < rows; ++i) {
      const sum = sums + (<usize>(i * columns) << 2) + at;
      addStrips<Eight>(turns, group, sum, bytes, a + <usize>i * rsA, b + at, csA, rsB, stepA, stepB);
    }
  }
  for (let i = 0; i < rows; ++i) {
    const sum = sums + wide, rest = b + wide;
    switch (vectors) {
      case 1: addStrips<One>(turns, group, sum, 16, a, rest, csA, rsB, stepA, stepB); break;
      case 2: addStrips<Two>(turns, group, sum, 32, a, rest, csA, rsB, stepA, stepB); break;
      case 3: addStrips<Three>(turns, group, sum, 48, a, rest, csA, rsB, stepA, stepB); break;
      case 4: addStrips<Four>(turns, group, sum, 64, a, rest, csA, rsB, stepA, stepB); break;
      case 5: addStrips<Five>(turns, group, sum, 80, a, rest, csA, rsB, stepA, stepB); break;
      case 6: addStrips<Six>(turns, group, sum, 96, a, rest, csA, rsB, stepA, stepB); break;
      case 7: addStrips<Seven>(turns, group, sum, 112, a, rest, csA, rsB, stepA, stepB); break;
    }
    const end = <usize>vectors << 4;
    if (lanes > 0) addLanes(turns, group, sum + end, lanes, a, rest + end, csA, rsB, stepA, stepB);
    sums += <usize>columns << 2;
    a += rsA;
  }
}

/** sums (`bytes` of them) + A·B for one row of A, in strips as many vectors wide as `Width` says. */
function addStrips<W extends Width>(
  turns: i32, group: i32, sums: usize, bytes: usize, a: usize, b: usize, csA: usize, rsB: usize, stepA: usize, stepB: usize,
): void {
  const vectors = changetype<W>(0).vectors();
  const zero = f32x4.splat(0);
  const end = sums + bytes;
  do {
    let sum = sums, strip = b;
    do {
      let s0 = v128.load(sum);
      let s1 = vectors > 1 ? v128.load(sum, 16) : zero, s2 = vectors > 2 ? v128.load(sum, 32) : zero;
      let s3 = vectors > 3 ? v128.load(sum, 48) : zero, s4 = vectors > 4 ? v128.load(sum, 64) : zero;
      let s5 = vectors > 5 ? v128.load(sum, 80) : zero, s6 = vectors > 6 ? v128.load(sum, 96) : zero;
      let s7 = vectors > 7 ? v128.load(sum, 112) : zero;
      let fromA = a, fromB = strip;
      let left = group;
      do {
        const x = v128.load32_splat(fromA);
        s0 = madd(x, v128.load(fromB), s0);
        if (vectors > 1) s1 = madd(x, v128.load(fromB, 16), s1);
        if (vectors > 2) s2 = madd(x, v128.load(fromB, 32), s2);
        if (vectors > 3) s3 = madd(x, v128.load(fromB, 48), s3);
        if (vectors > 4) s4 = madd(x, v128.load(fromB, 64), s4);
        if (vectors > 5) s5 = madd(x, v128.load(fromB, 80), s5);
        if (vectors > 6) s6 = madd(x, v128.load(fromB, 96), s6);
        if (vectors > 7) s7 = madd(x, v128.load(fromB, 112), s7);
        fromA += stepA;
        fromB += stepB;
      } while (--left != 0);
      v128.store(sum, s0);
      if (vectors > 1) v128.store(sum, s1, 16);
      if (vectors > 2) v128.store(sum, s2, 32);
      if (vectors > 3) v128.store(sum, s3, 48);
      if (vectors > 4) v128.store(sum, s4, 64);
      if (vectors > 5) v128.store(sum, s5, 80);
      if (vectors > 6) v128.store(sum, s6, 96);
      if (vectors > 7) v128.store(sum, s7, 112);
      sum += vectors << 4;
      strip += vectors << 4;
    } while (sum != end);
    a += csA;
    b += rsB;
  } while (--turns != 0);
}

/** The same for `lanes` < 4 columns. */
function addLanes(
  turns: i32, group: i32, sums: usize, lanes: i32, a: usize, b: usize, csA: usize, rsB: usize, stepA: usize, stepB: usize,
): void {
  let sum = loadPartial(sums, lanes);
  do {
    let fromA = a, fromB = b;
    let left = group;
    do {
      sum = madd(v128.load32_splat(fromA), loadPartial(fromB, lanes), sum);
      fromA += stepA;
      fromB += stepB;
    } while (--left != 0);
    a += csA;
    b += rsB;
  } while (--turns != 0);
  storePartial(sums, sum, lanes);
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
