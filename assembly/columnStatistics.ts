/**
 * The mean of each column of a row-major matrix and the sum of its squared deviations, in one reading of the matrix.
 *
 * A tile of rows gives Σ d and Σ d² of d = x − the tile's first row. That row is one of the samples, so Σ d² is at most `TILE`
 * times what Σ d² − (Σ d)² / n leaves: the subtraction loses four bits at worst, wherever the data lie. The tiles are joined by
 * the update of Chan, Golub and LeVeque (1983, "Algorithms for computing the sample variance"), the means counted from the
 * first row of all, so that a mean of 1e4 beside a deviation of 1e-2 keeps its places. The order follows from `rows` alone.
 */
import { clear } from "./map";
import { madd } from "./simd";
import { loadPartial, storePartial } from "./partial";

/** Columns that go together: four vectors, one cache line. */
const GROUP = 16;

/** Rows of a tile. */
const TILE = 16;

/**
 * For the columns [colBegin, colEnd) of x (rows × cols), statistics (3 × cols) ← the mean rounded to float32; what that rounding
 * lost; Σ (x − mean)².
 */
export function columnStatistics(
  statistics: usize, x: usize, rows: i32, cols: i32, rsX: i32, colBegin: i32, colEnd: i32,
): void {
  if (rows <= 0) return;
  const end = min(colEnd, cols);
  beginStatistics(statistics, cols, colBegin, end);
  addRows(statistics, x, 0, rows, rows, cols, rsX, colBegin, end);
  finishStatistics(statistics, x, cols, colBegin, end);
}

/** Statistics of no rows: `addRows` adds some, `finishStatistics` makes them what `columnStatistics` promises. */
export function beginStatistics(statistics: usize, cols: i32, colBegin: i32, colEnd: i32): void {
  clear(at(statistics, 0, cols, colBegin), colEnd - colBegin);
  clear(at(statistics, 2, cols, colBegin), colEnd - colBegin);
}

/**
 * Adds the whole tiles among the rows [begin, end) of x, and the last tile of all `rows` if it ends there. Returns the first row
 * that is left, where the next call begins.
 */
export function addRows(
  statistics: usize, x: usize, begin: i32, end: i32, rows: i32, cols: i32, rsX: i32, colBegin: i32, colEnd: i32,
): i32 {
  let i = begin;
  for (; end - i >= TILE || (i < end && end == rows); i += TILE) {
    addTile(statistics, x, i, min(rows - i, TILE), cols, rsX, colBegin, colEnd);
  }
  return min(i, rows);
}

/** The means of `addRows`, which count from the first row, as a float32 and the error of its rounding. */
export function finishStatistics(statistics: usize, x: usize, cols: i32, colBegin: i32, colEnd: i32): void {
  for (let c = colBegin; c < colEnd; c += 4) {
    const lanes = colEnd - c;
    const first = loadPartial(at(x, 0, 0, c), lanes);
    const rest = loadPartial(at(statistics, 0, cols, c), lanes);
    const mean = f32x4.add(first, rest);
    storePartial(at(statistics, 0, cols, c), mean, lanes);
    storePartial(at(statistics, 1, cols, c), residualOf(first, rest, mean), lanes);
  }
}

/** The address of element (i, j) of a row-major matrix. */
// @ts-ignore: decorator
@inline
export function at(x: usize, i: i32, rs: i32, j: i32): usize {
  return x + ((<usize>i * <usize>rs + <usize>j) << 2);
}

/** What rounding to float32 lost of mean = first + rest: Knuth's two-sum. */
// @ts-ignore: decorator
@inline
export function residualOf(first: v128, rest: v128, mean: v128): v128 {
  const restOfMean = f32x4.sub(mean, first);
  return f32x4.add(f32x4.sub(first, f32x4.sub(mean, restOfMean)), f32x4.sub(rest, restOfMean));
}

/** Adds the `count` rows from row i. */
function addTile(
  statistics: usize, x: usize, i: i32, count: i32, cols: i32, rsX: i32, colBegin: i32, colEnd: i32,
): void {
  const step = <usize>rsX << 2;
  const reciprocal = f32x4.splat(1 / <f32>count);
  const countShare: f32 = <f32>count / <f32>(i + count);
  const share = f32x4.splat(countShare);
  const distance = f32x4.splat(countShare * <f32>i);
  let c = colBegin;
  for (; colEnd - c >= GROUP; c += GROUP) {
    const first = at(x, 0, 0, c);
    addGroup(
      at(statistics, 0, cols, c), at(statistics, 2, cols, c), first, at(x, i, rsX, c), step, count, reciprocal, share, distance,
    );
  }
  for (; c < colEnd; c += 4) {
    const first = at(x, 0, 0, c);
    addVector(
      at(statistics, 0, cols, c), at(statistics, 2, cols, c), first, at(x, i, rsX, c), step, count, reciprocal, share, distance, colEnd - c,
    );
  }
}

// @ts-ignore: decorator
@inline
function addGroup(
  means: usize, squares: usize, first: usize, x: usize, step: usize, count: i32, reciprocal: v128, share: v128, distance: v128,
): void {
  const t0 = v128.load(x);
  const t1 = v128.load(x, 16);
  const t2 = v128.load(x, 32);
  const t3 = v128.load(x, 48);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  for (let i = 1; i < count; ++i) {
    x += step;
    const d0 = f32x4.sub(v128.load(x), t0);
    s0 = f32x4.add(s0, d0);
    q0 = madd(d0, d0, q0);
    const d1 = f32x4.sub(v128.load(x, 16), t1);
    s1 = f32x4.add(s1, d1);
    q1 = madd(d1, d1, q1);
    const d2 = f32x4.sub(v128.load(x, 32), t2);
    s2 = f32x4.add(s2, d2);
    q2 = madd(d2, d2, q2);
    const d3 = f32x4.sub(v128.load(x, 48), t3);
    s3 = f32x4.add(s3, d3);
    q3 = madd(d3, d3, q3);
  }
  join(means, squares, first, t0, s0, q0, reciprocal, share, distance, 4);
  join(means + 16, squares + 16, first + 16, t1, s1, q1, reciprocal, share, distance, 4);
  join(means + 32, squares + 32, first + 32, t2, s2, q2, reciprocal, share, distance, 4);
  join(means + 48, squares + 48, first + 48, t3, s3, q3, reciprocal, share, distance, 4);
}

// @ts-ignore: decorator
@inline
function addVector(
  means: usize, squares: usize, first: usize, x: usize, step: usize, count: i32,
  reciprocal: v128, share: v128, distance: v128, lanes: i32,
): void {
  const t = loadPartial(x, lanes);
  let s = f32x4.splat(0), q = s;
  for (let i = 1; i < count; ++i) {
    x += step;
    const d = f32x4.sub(loadPartial(x, lanes), t);
    s = f32x4.add(s, d);
    q = madd(d, d, q);
  }
  join(means, squares, first, t, s, q, reciprocal, share, distance, lanes);
}

/**
 * With μ the tile's mean, counted from the first row of all, and δ = μ − mean:
 * mean ← mean + δ · count / (before + count), squares ← squares + (Σ d² − (Σ d)² / count) + δ² · before · count / (before + count)
 */
// @ts-ignore: decorator
@inline
function join(
  means: usize, squares: usize, first: usize, tileFirst: v128, sum: v128, sumOfSquares: v128,
  reciprocal: v128, share: v128, distance: v128, lanes: i32,
): void {
  const offset = f32x4.mul(sum, reciprocal);
  const inTile = madd(f32x4.neg(sum), offset, sumOfSquares);
  const mean = loadPartial(means, lanes);
  const tileMean = f32x4.add(f32x4.sub(tileFirst, loadPartial(first, lanes)), offset);
  const delta = f32x4.sub(tileMean, mean);
  storePartial(means, madd(delta, share, mean), lanes);
  const between = f32x4.mul(delta, distance);
  storePartial(squares, f32x4.add(loadPartial(squares, lanes), madd(between, delta, inTile)), lanes);
}
