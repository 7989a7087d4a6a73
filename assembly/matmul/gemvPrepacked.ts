/**
 * One or two rows of A by a packed B. The register tile would wait for its two or four chains of multiply-adds; here eight run side by
 * side, over panels that lie far apart: each is read front to back, one after the other, by a stream that never starts anew.
 */
import { NR, ceilDiv } from "./blocking";
import { mergeTile } from "./epilogue";
import { madd } from "../simd";

/** Most rows of A that take this road; three give the register tile six chains. */
// @ts-ignore: decorator
@inline
export const SWEEP_ROWS: i32 = 2;

/** Sums of C at once: 18 KiB that stay in L1 while panels of B stream past, in pieces as long as can be. */
// @ts-ignore: decorator
@inline
const SUMS: i32 = 4608;

/**
 * C ← epilogue(alpha · A·B + beta · C) for up to SWEEP_ROWS rows and one packed block of B: k × columns in panels of NR columns. Strides are in
 * bytes. The sums of each element and what is done to them are those of the register tile, so are the bits.
 *
 * @param work SUMS floats, or rows · (columns + NR − 1)
 */
export function sweepPanels(
  c: usize, a: usize, b: usize, bias: usize, rows: i32, columns: i32, k: i32, rsC: usize, csC: usize, rsA: usize, csA: usize,
  alpha: f32, beta: f32, write: i32, slope: f32, work: usize,
): void {
  const most = SUMS / rows / NR * NR;
  for (let j = 0; j < columns; j += most) {
    const width = min(most, columns - j);
    const panels = ceilDiv(width, NR);
    const rsSums = <usize>(panels * NR) << 2;
    const block = b + (<usize>j * <usize>k << 2);
    if (rows == 1) sweep<OneRow>(work, a, block, panels, k, rsSums, rsA, csA);
    else sweep<TwoRows>(work, a, block, panels, k, rsSums, rsA, csA);
    const at = <usize>j << 2;
    mergeTile(c + <usize>j * csC, work, bias + at, rows, width, rsSums, rsC, csC, alpha, beta, write, slope, 4);
  }
}

/** Rows of A, by as many panels as make eight chains. */
interface Rows {
  two(): bool;
}
@final class OneRow implements Rows { @inline two(): bool { return false; } }
@final class TwoRows implements Rows { @inline two(): bool { return true; } }

/** sums (rows × NR · panels) ← A·B */
function sweep<R extends Rows>(
  sums: usize, a: usize, b: usize, panels: i32, k: i32, rsSums: usize, rsA: usize, csA: usize,
): void {
  const two = changetype<R>(0).two();
  const streams = two ? 2 : 4;
  const length = ceilDiv(panels, streams);
  const panelBytes = <usize>(k * NR) << 2;
  for (let first = 0; first < length; ++first) {
    // What the last streams lack repeats the first one's panel, to the same sums.
    const second = first + length < panels ? first + length : first;
    const third = first + 2 * length < panels ? first + 2 * length : first;
    const fourth = first + 3 * length < panels ? first + 3 * length : first;
    eightChains<R>(
      k, a, rsA, csA,
      b + <usize>first * panelBytes, b + <usize>second * panelBytes, b + <usize>third * panelBytes, b + <usize>fourth * panelBytes,
      sums + (<usize>(first * NR) << 2), sums + (<usize>(second * NR) << 2),
      two ? sums + (<usize>(first * NR) << 2) + rsSums : sums + (<usize>(third * NR) << 2),
      two ? sums + (<usize>(second * NR) << 2) + rsSums : sums + (<usize>(fourth * NR) << 2),
    );
  }
}

/** One row by four panels, whose sums go to sums0…3, or two rows by the first two panels. */
function eightChains<R extends Rows>(
  k: i32, a: usize, rsA: usize, csA: usize, b0: usize, b1: usize, b2: usize, b3: usize,
  sums0: usize, sums1: usize, sums2: usize, sums3: usize,
): void {
  const two = changetype<R>(0).two();
  const zero = f32x4.splat(0);
  let s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
  const end = b0 + (<usize>(k * NR) << 2);
  while (b0 != end) {
    const x = v128.load32_splat(a);
    const x1 = two ? v128.load32_splat(a + rsA) : x;
    let y = v128.load(b0);
    s00 = madd(x, y, s00), s20 = madd(x1, two ? y : v128.load(b2), s20);
    y = v128.load(b0, 16);
    s01 = madd(x, y, s01), s21 = madd(x1, two ? y : v128.load(b2, 16), s21);
    y = v128.load(b1);
    s10 = madd(x, y, s10), s30 = madd(x1, two ? y : v128.load(b3), s30);
    y = v128.load(b1, 16);
    s11 = madd(x, y, s11), s31 = madd(x1, two ? y : v128.load(b3, 16), s31);
    a += csA;
    b0 += NR << 2, b1 += NR << 2, b2 += NR << 2, b3 += NR << 2;
  }
  v128.store(sums0, s00), v128.store(sums0, s01, 16);
  v128.store(sums1, s10), v128.store(sums1, s11, 16);
  v128.store(sums2, s20), v128.store(sums2, s21, 16);
  v128.store(sums3, s30), v128.store(sums3, s31, 16);
}
