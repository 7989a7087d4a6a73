/**
 * Products with so few rows that each element of B is used only once or thrice: they run at the speed at which B can be
 * read, so B is read in the order in which it lies and never copied.
 */
import { clear, load, map, store } from "../map";
import { loadPartial, storePartial } from "../partial";
import { madd } from "../simd";
import { sumsOfLanes } from "./dots";
import { mergeTile } from "./epilogue";

/** Most rows of A that take this road; with more, packing B and the register tile are faster. */
// @ts-ignore: decorator
@inline
export const GEMV_ROWS: i32 = 3;

/**
 * Sums of C at once: 18 KiB that stay in L1 while rows of B stream past, in pieces as long as can be (1 × 4096 × 4096 with half as
 * many columns at once: 0.9).
 */
// @ts-ignore: decorator
@inline
const SUMS: i32 = 4608;

/** Floats of `work` that `multiplyFewRows` needs: its sums, and copies of rows of A that are not contiguous. */
// @ts-ignore: decorator
@inline
export function fewRowsWorkSize(rows: i32, n: i32, k: i32): i32 {
  return rows > 0 ? rows * (min(n, SUMS / rows) + k) : 0;
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
  const most = SUMS / rows;
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

/**
 * sums + x₀·b₀ + … + x₅·b₅, one after the other; rows of B lie rsB bytes apart. Eight rows were slower by 10 to 20 % (in one set of
 * L1 where they lie 4 KiB apart), four by up to 13 %.
 */
@final class AddSixRows {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, sums: usize, b: usize, rsB: usize, _d: usize,
    x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, _6: v128, _7: v128,
  ): void {
    let sum = load<At>(sums, i, lanes);
    sum = madd(x0, load<At>(b, i, lanes), sum);
    sum = madd(x1, load<At>(b + rsB, i, lanes), sum);
    sum = madd(x2, load<At>(b + 2 * rsB, i, lanes), sum);
    sum = madd(x3, load<At>(b + 3 * rsB, i, lanes), sum);
    sum = madd(x4, load<At>(b + 4 * rsB, i, lanes), sum);
    sum = madd(x5, load<At>(b + 5 * rsB, i, lanes), sum);
    store<At>(sums, i, sum, lanes);
  }
}

/** sums + x·b. */
@final class AddRow {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, sums: usize, b: usize, _c: usize, _d: usize,
    x: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    store<At>(sums, i, madd(x, load<At>(b, i, lanes), load<At>(sums, i, lanes)), lanes);
  }
}

/** sums (rows × columns) ← A·B, six rows of B at a time; each element one chain in order of k. */
function sumRows(
  sums: usize, a: usize, b: usize, rows: i32, columns: i32, k: i32, rsA: usize, csA: usize, rsB: usize,
): void {
  const rowBytes = <usize>columns << 2;
  clear(sums, rows * columns);
  for (let p = 0; p < k; ) {
    const six = k - p >= 6;
    let x = a;
    let sum = sums;
    for (let i = 0; i < rows; ++i) {
      if (six) {
        map<AddSixRows>(
          columns, sum, b, rsB, 0,
          v128.load32_splat(x), v128.load32_splat(x + csA),
          v128.load32_splat(x + 2 * csA), v128.load32_splat(x + 3 * csA),
          v128.load32_splat(x + 4 * csA), v128.load32_splat(x + 5 * csA),
        );
      } else {
        map<AddRow>(columns, sum, b, 0, 0, v128.load32_splat(x));
      }
      x += rsA;
      sum += rowBytes;
    }
    const done = six ? 6 : 1;
    a += <usize>done * csA;
    b += <usize>done * rsB;
    p += done;
  }
}

/** sums (rows × columns) ← A·B where rows of A and columns of B are contiguous: four columns of B at a time. */
function sumDots(
  sums: usize, a: usize, b: usize, rows: i32, columns: i32, k: i32, rsA: usize, csB: usize,
): void {
  for (let j = 0; j < columns; j += 4) {
    const lanes = min(4, columns - j);
    // What the last group lacks repeats its last column; its sums are not stored.
    const b0 = b + <usize>j * csB;
    const b1 = b0 + (lanes > 1 ? csB : 0);
    const b2 = b1 + (lanes > 2 ? csB : 0);
    const b3 = b2 + (lanes > 3 ? csB : 0);
    for (let i = 0; i < rows; ++i) {
      const dots = fourDots(a + <usize>i * rsA, b0, b1, b2, b3, k);
      storePartial(sums + (<usize>(i * columns + j) << 2), dots, lanes);
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
