import { at, clear } from "./map";
import { loadPartial, loadPartialRepeated, storePartial } from "./partial";
import { laneSelect, madd } from "./simd";

/** Rows that are summed before their sum joins the total. */
const ROWS_PER_SUM = 32;

/** Elements of a row that are summed in float32 before their sum joins the total in float64: 32 chains of 32. */
const ELEMENTS_PER_SUM = 1024;

/** A sum: `identity` changes nothing, `step` takes an element in each lane, `join` two results. */
@final class Sum {
  // @ts-ignore: decorator
  @inline
  identity(): v128 {
    return f32x4.splat(0);
  }
  // @ts-ignore: decorator
  @inline
  step(sum: v128, x: v128): v128 {
    return f32x4.add(sum, x);
  }
  // @ts-ignore: decorator
  @inline
  join(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}

@final class SumOfSquares {
  // @ts-ignore: decorator
  @inline
  identity(): v128 {
    return f32x4.splat(0);
  }
  // @ts-ignore: decorator
  @inline
  step(sum: v128, x: v128): v128 {
    return madd(x, x, sum);
  }
  // @ts-ignore: decorator
  @inline
  join(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}

/** The greatest, NaN where there is one: pmax keeps a NaN in `greatest`, the mask brings in those of x. */
@final class Greatest {
  // @ts-ignore: decorator
  @inline
  identity(): v128 {
    return f32x4.splat(-<f32>Infinity);
  }
  // @ts-ignore: decorator
  @inline
  step(greatest: v128, x: v128): v128 {
    return v128.or(f32x4.pmax(greatest, x), f32x4.ne(x, x));
  }
  // @ts-ignore: decorator
  @inline
  join(a: v128, b: v128): v128 {
    return this.step(a, b);
  }
}

@final class Least {
  // @ts-ignore: decorator
  @inline
  identity(): v128 {
    return f32x4.splat(<f32>Infinity);
  }
  // @ts-ignore: decorator
  @inline
  step(least: v128, x: v128): v128 {
    return v128.or(f32x4.pmin(least, x), f32x4.ne(x, x));
  }
  // @ts-ignore: decorator
  @inline
  join(a: v128, b: v128): v128 {
    return this.step(a, b);
  }
}

/** Floats of `work` that `columnSums` and `columnSumsOfSquares` need, for any band. */
export function columnSumsWorkSize(cols: i32): i32 {
  return cols > 0 ? ((cols + 3) & ~3) * 2 : 0;
}

/**
 * out_j ← Σ_i x_ij, or out_j + Σ_i x_ij where `accumulate` is set, for the columns [colBegin, colEnd) of x (rows × cols), with at
 * most 34 roundings of 2⁻²⁴ of Σ_i |x_ij|, however many rows there are. The order of a column's additions depends on `rows` alone.
 * No rows: the sum is 0.
 */
export function columnSums(
  out: usize, x: usize, rows: i32, cols: i32, rsX: i32, accumulate: i32, colBegin: i32, colEnd: i32, work: usize,
): void {
  sumColumns<Sum>(out, x, rows, min(colEnd, cols), rsX, accumulate, colBegin, work);
}

/** out_j ← Σ_i x_ij² or out_j + Σ_i x_ij², as `columnSums` */
export function columnSumsOfSquares(
  out: usize, x: usize, rows: i32, cols: i32, rsX: i32, accumulate: i32, colBegin: i32, colEnd: i32, work: usize,
): void {
  sumColumns<SumOfSquares>(out, x, rows, min(colEnd, cols), rsX, accumulate, colBegin, work);
}

/** out_j ← max_i x_ij, NaN where there is one, for the columns [colBegin, colEnd) of x (rows × cols). No rows: −∞. */
export function columnMaxima(
  out: usize, x: usize, rows: i32, cols: i32, rsX: i32, colBegin: i32, colEnd: i32,
): void {
  reduceColumns<Greatest>(out, x, rows, min(colEnd, cols), rsX, colBegin);
}

/** out_j ← min_i x_ij, NaN where there is one, for the columns [colBegin, colEnd) of x (rows × cols). No rows: ∞. */
export function columnMinima(
  out: usize, x: usize, rows: i32, cols: i32, rsX: i32, colBegin: i32, colEnd: i32,
): void {
  reduceColumns<Least>(out, x, rows, min(colEnd, cols), rsX, colBegin);
}

/** Where the results of blocks of rows meet: vector k of `to`, or its first lanes. */
interface Totals {
  add(to: usize, k: i32, v: v128, lanes: i32): void;
}

/** Sums in float64, where a total of many blocks loses nothing that a float32 shows. */
@final class DoubleTotals implements Totals {
  // @ts-ignore: decorator
  @inline
  add(to: usize, k: i32, v: v128, _lanes: i32): void {
    const p = to + <usize>(k << 5);
    v128.store(p, f64x2.add(v128.load(p), f64x2.promote_low_f32x4(v)));
    const upper = v128.shuffle<f32>(v, v, 2, 3, 2, 3);
    v128.store(p, f64x2.add(v128.load(p, 16), f64x2.promote_low_f32x4(upper)), 16);
  }
}

/** Extremes in place. */
@final class Extremes<Op> implements Totals {
  // @ts-ignore: decorator
  @inline
  add(to: usize, k: i32, v: v128, lanes: i32): void {
    const p = to + <usize>(k << 4);
    storePartial(p, changetype<Op>(0).join(loadPartial(p, lanes), v), lanes);
  }
}

/** out_j ← Σ over column j of x, for the columns [begin, end); out_j joins where `accumulate` is set. */
// @ts-ignore: decorator
@inline
function sumColumns<Op>(
  out: usize, x: usize, rows: i32, end: i32, rsX: i32, accumulate: i32, begin: i32, work: usize,
): void {
  if (end <= begin) return;
  clear(work, columnSumsWorkSize(end - begin));
  for (let i = 0; i < rows; i += ROWS_PER_SUM) {
    const row = at(x, i, rsX) + (<usize>begin << 2);
    reduceRows<Op, DoubleTotals>(work, 8, row, min(rows - i, ROWS_PER_SUM), rsX, end - begin);
  }
  for (let j = begin; j < end; ++j) {
    const total = load<f64>(work + (<usize>(j - begin) << 3));
    const old: f64 = accumulate ? <f64>load<f32>(at(out, j, 1)) : 0;
    store<f32>(at(out, j, 1), <f32>(old + total));
  }
}

/** out_j ← the extreme of column j of x, for the columns [begin, end). */
// @ts-ignore: decorator
@inline
function reduceColumns<Op>(out: usize, x: usize, rows: i32, end: i32, rsX: i32, begin: i32): void {
  const identity = changetype<Op>(0).identity();
  for (let j = begin; j < end; ++j) v128.store32_lane(at(out, j, 1), identity, 0);
  for (let i = 0; i < rows; i += ROWS_PER_SUM) {
    const row = at(x, i, rsX) + (<usize>begin << 2);
    reduceRows<Op, Extremes<Op>>(at(out, begin, 1), 4, row, min(rows - i, ROWS_PER_SUM), rsX, end - begin);
  }
}

/** Joins `count` rows of `columns` columns to totals of `bytes` each. */
// @ts-ignore: decorator
@inline
function reduceRows<Op, T extends Totals>(
  totals: usize, bytes: usize, row: usize, count: i32, rsX: i32, columns: i32,
): void {
  const step = <usize>rsX << 2;
  let j = 0;
  for (; columns - j >= 32; j += 32) reduceRowsOf32<Op, T>(totals + <usize>j * bytes, at(row, j, 1), count, step);
  for (; j < columns; j += 4) reduceRowsOf4<Op, T>(totals + <usize>j * bytes, at(row, j, 1), count, step, columns - j);
}

/** 32 columns: eight chains hide the latency of one. */
// @ts-ignore: decorator
@inline
function reduceRowsOf32<Op, T extends Totals>(totals: usize, row: usize, count: i32, step: usize): void {
  const op = changetype<Op>(0);
  let s0 = op.identity();
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  for (let i = 0; i < count; ++i) {
    s0 = op.step(s0, v128.load(row));
    s1 = op.step(s1, v128.load(row, 16));
    s2 = op.step(s2, v128.load(row, 32));
    s3 = op.step(s3, v128.load(row, 48));
    s4 = op.step(s4, v128.load(row, 64));
    s5 = op.step(s5, v128.load(row, 80));
    s6 = op.step(s6, v128.load(row, 96));
    s7 = op.step(s7, v128.load(row, 112));
    row += step;
  }
  const all = changetype<T>(0);
  all.add(totals, 0, s0, 4);
  all.add(totals, 1, s1, 4);
  all.add(totals, 2, s2, 4);
  all.add(totals, 3, s3, 4);
  all.add(totals, 4, s4, 4);
  all.add(totals, 5, s5, 4);
  all.add(totals, 6, s6, 4);
  all.add(totals, 7, s7, 4);
}

/** Four columns, or the last fewer. */
// @ts-ignore: decorator
@inline
function reduceRowsOf4<Op, T extends Totals>(totals: usize, row: usize, count: i32, step: usize, columns: i32): void {
  const op = changetype<Op>(0);
  let reduced = op.identity();
  for (let i = 0; i < count; ++i) {
    reduced = op.step(reduced, loadPartial(row, columns));
    row += step;
  }
  changetype<T>(0).add(totals, 0, reduced, columns);
}

/**
 * out_i ← Σ_j x_ij for the rows [rowBegin, rowEnd) of x (rows × cols), with at most 48 roundings of 2⁻²⁴ of Σ_j |x_ij|, however
 * long a row is. A row of all elements sums them all. The order of the additions depends on `cols` alone.
 */
export function rowSums(out: usize, x: usize, rows: i32, cols: i32, rsX: i32, rowBegin: i32, rowEnd: i32): void {
  const end = min(rowEnd, rows);
  for (let i = rowBegin; i < end; ++i) store<f32>(at(out, i, 1), sumOf<Sum>(at(x, i, rsX), cols));
}

/** out_i ← Σ_j x_ij², as `rowSums` */
export function rowSumsOfSquares(
  out: usize, x: usize, rows: i32, cols: i32, rsX: i32, rowBegin: i32, rowEnd: i32,
): void {
  const end = min(rowEnd, rows);
  for (let i = rowBegin; i < end; ++i) store<f32>(at(out, i, 1), sumOf<SumOfSquares>(at(x, i, rsX), cols));
}

/** out_i ← max_j x_ij, NaN where there is one, for the rows [rowBegin, rowEnd) of x (rows × cols). No columns: −∞. */
export function rowMaxima(out: usize, x: usize, rows: i32, cols: i32, rsX: i32, rowBegin: i32, rowEnd: i32): void {
  const end = min(rowEnd, rows);
  for (let i = rowBegin; i < end; ++i) store<f32>(at(out, i, 1), reduceRow<Greatest>(at(x, i, rsX), cols));
}

/** out_i ← min_j x_ij, NaN where there is one, for the rows [rowBegin, rowEnd) of x (rows × cols). No columns: ∞. */
export function rowMinima(out: usize, x: usize, rows: i32, cols: i32, rsX: i32, rowBegin: i32, rowEnd: i32): void {
  const end = min(rowEnd, rows);
  for (let i = rowBegin; i < end; ++i) store<f32>(at(out, i, 1), reduceRow<Least>(at(x, i, rsX), cols));
}

/** The sum of n elements, in blocks. */
// @ts-ignore: decorator
@inline
function sumOf<Op>(x: usize, n: i32): f32 {
  let total: f64 = 0;
  for (let j = 0; j < n; j += ELEMENTS_PER_SUM) {
    total += <f64>reduceRow<Op>(at(x, j, 1), min(n - j, ELEMENTS_PER_SUM));
  }
  return <f32>total;
}

/** The reduction of n elements: eight chains of vectors, joined pairwise. */
// @ts-ignore: decorator
@inline
function reduceRow<Op>(x: usize, n: i32): f32 {
  const op = changetype<Op>(0);
  let s0 = op.identity();
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  let j = 0;
  for (; n - j >= 32; j += 32) {
    const p = at(x, j, 1);
    s0 = op.step(s0, v128.load(p));
    s1 = op.step(s1, v128.load(p, 16));
    s2 = op.step(s2, v128.load(p, 32));
    s3 = op.step(s3, v128.load(p, 48));
    s4 = op.step(s4, v128.load(p, 64));
    s5 = op.step(s5, v128.load(p, 80));
    s6 = op.step(s6, v128.load(p, 96));
    s7 = op.step(s7, v128.load(p, 112));
  }
  for (; n - j >= 4; j += 4) s0 = op.step(s0, v128.load(at(x, j, 1)));
  for (; j < n; ++j) s1 = op.step(s1, v128.load32_lane(at(x, j, 1), op.identity(), 0));
  s0 = op.join(op.join(op.join(s0, s1), op.join(s2, s3)), op.join(op.join(s4, s5), op.join(s6, s7)));
  s0 = op.join(s0, v128.shuffle<f32>(s0, s0, 2, 3, 0, 1));
  s0 = op.join(s0, v128.shuffle<f32>(s0, s0, 1, 0, 3, 2));
  return f32x4.extract_lane(s0, 0);
}

/**
 * index_j ← the first i with the greatest x_ij, for the columns [colBegin, colEnd) of x (rows ≥ 1 × cols); a NaN counts as the
 * greatest.
 */
export function argmaxColumns(
  index: usize, x: usize, rows: i32, cols: i32, rsX: i32, colBegin: i32, colEnd: i32,
): void {
  if (rows <= 0) return;
  const end = min(colEnd, cols);
  const step = <usize>rsX << 2;
  for (let j = colBegin; j < end; j += 4) {
    let row = at(x, j, 1);
    let greatest = loadPartial(row, end - j);
    let places = i32x4.splat(0);
    for (let i = 1; i < rows; ++i) {
      row += step;
      const v = loadPartial(row, end - j);
      // Greater, or NaN where no NaN came before: ≤ is false for both.
      const later = v128.andnot(f32x4.eq(greatest, greatest), f32x4.le(v, greatest));
      greatest = laneSelect(v, greatest, later);
      places = laneSelect(i32x4.splat(i), places, later);
    }
    storePartial(at(index, j, 1), places, end - j);
  }
}

/** Elements whose squares make one part of `sumOfSquares`: 16 KiB. */
const PART = 4096;

/** How many parts `sumOfSquares` makes of n elements. */
export function sumOfSquaresSize(n: i32): i32 {
  return n > 0 ? (n - 1) / PART + 1 : 0;
}

/**
 * parts_p ← Σ x² over elements 4096 p … 4096 p + 4095 of x (n), as float64 at any multiple of four, for the parts
 * [partBegin, partEnd): their sum in order is ‖x‖². In float64 a square is exact (so fused is the same as unfused) and
 * none overflows. A part is sixteen chains of up to 256 sums: its relative error is at most 260 · 2⁻⁵³.
 */
export function sumOfSquares(parts: usize, x: usize, n: i32, partBegin: i32, partEnd: i32): void {
  const end = min(partEnd, sumOfSquaresSize(n));
  for (let p = partBegin; p < end; ++p) {
    const first = p * PART;
    store<f64>(parts + (<usize>p << 3), partOfSquares(x + (<usize>first << 2), min(n - first, PART)), 0, 4);
  }
}

/** Σ x² of n elements: eight pairs of float64 sums. */
// @ts-ignore: decorator
@inline
function partOfSquares(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  let i = 0;
  for (; n - i >= 16; i += 16) {
    const p = x + (<usize>i << 2);
    s0 = f64x2.add(s0, squares(v128.load64_zero(p)));
    s1 = f64x2.add(s1, squares(v128.load64_zero(p, 8)));
    s2 = f64x2.add(s2, squares(v128.load64_zero(p, 16)));
    s3 = f64x2.add(s3, squares(v128.load64_zero(p, 24)));
    s4 = f64x2.add(s4, squares(v128.load64_zero(p, 32)));
    s5 = f64x2.add(s5, squares(v128.load64_zero(p, 40)));
    s6 = f64x2.add(s6, squares(v128.load64_zero(p, 48)));
    s7 = f64x2.add(s7, squares(v128.load64_zero(p, 56)));
  }
  for (; i < n; i += 4) {
    const v = loadPartial(x + (<usize>i << 2), n - i);
    s0 = f64x2.add(s0, squares(v));
    s1 = f64x2.add(s1, squares(v128.shuffle<i64>(v, v, 1, 1)));
  }
  const left = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  const sum = f64x2.add(left, f64x2.add(f64x2.add(s4, s5), f64x2.add(s6, s7)));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** The squares of lanes 0 and 1 as float64. */
// @ts-ignore: decorator
@inline
function squares(v: v128): v128 {
  const x = f64x2.promote_low_f32x4(v);
  return f64x2.mul(x, x);
}

/**
 * index_i ← the first j with the greatest x_ij, for the rows [rowBegin, rowEnd) of x (rows × cols, cols ≥ 1); a NaN
 * counts as the greatest.
 */
export function argmaxRows(index: usize, x: usize, rows: i32, cols: i32, rsX: i32, rowBegin: i32, rowEnd: i32): void {
  if (cols <= 0) return;
  const end = min(rowEnd, rows);
  for (let i = rowBegin; i < end; ++i) {
    store<i32>(index + (<usize>i << 2), argmax(x + (<usize>i * <usize>rsX << 2), cols));
  }
}

/**
 * The greatest of the n ≥ 1 floats at `row` in every lane, NaN where there is one if `nans` is set; if not, a NaN may be
 * skipped. f32x4.max would propagate NaN by itself, at eight instructions a vector on x86; pmax, which skips NaN, and a
 * mask beside it are three.
 */
// @ts-ignore: decorator
@inline
export function rowMaximum(row: usize, n: i32, nans: bool): v128 {
  let m0 = loadPartialRepeated(row, n);
  let m1 = m0;
  let m2 = m0;
  let m3 = m0;
  let nan = f32x4.ne(m0, m0);
  let j = 0;
  for (; n - j >= 16; j += 16) {
    const p = row + (<usize>j << 2);
    const v0 = v128.load(p);
    const v1 = v128.load(p, 16);
    const v2 = v128.load(p, 32);
    const v3 = v128.load(p, 48);
    m0 = f32x4.pmax(m0, v0);
    m1 = f32x4.pmax(m1, v1);
    m2 = f32x4.pmax(m2, v2);
    m3 = f32x4.pmax(m3, v3);
    if (nans) {
      nan = v128.or(nan, v128.or(f32x4.ne(v0, v0), f32x4.ne(v1, v1)));
      nan = v128.or(nan, v128.or(f32x4.ne(v2, v2), f32x4.ne(v3, v3)));
    }
  }
  for (; j < n; j += 4) {
    const v = loadPartialRepeated(row + (<usize>j << 2), n - j);
    m0 = f32x4.pmax(m0, v);
    if (nans) nan = v128.or(nan, f32x4.ne(v, v));
  }
  const m = maximumLane(f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3)));
  if (!nans) return m;
  nan = v128.or(nan, v128.shuffle<f32>(nan, nan, 2, 3, 0, 1));
  nan = v128.or(nan, v128.shuffle<f32>(nan, nan, 1, 0, 3, 2));
  return v128.or(m, nan);
}

/** The greatest of the four lanes in each; a NaN may be skipped. */
// @ts-ignore: decorator
@inline
export function maximumLane(v: v128): v128 {
  v = f32x4.pmax(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.pmax(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2));
}

/** The sum of the four lanes in each: (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): v128 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.add(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2));
}

/** The first place of the maximum: found by equality, or, where the maximum is NaN and equals nothing, by being NaN. */
// @ts-ignore: decorator
@inline
function argmax(row: usize, n: i32): i32 {
  const greatest = rowMaximum(row, n, true);
  for (let j = 0; j < n; j += 4) {
    const v = loadPartialRepeated(row + (<usize>j << 2), n - j);
    const mask = i32x4.bitmask(v128.or(f32x4.eq(v, greatest), f32x4.ne(v, v)));
    if (mask) return j + ctz(mask);
  }
  return 0;
}
