/** Losses of a batch, row by row: the value and the gradient together. */
import { Exp, constantsOf, logV, runtimeZero } from "./math";
import { Scale } from "./elementwise";
import { load as loadLanes, map, mapUnaryWith, store as storeLanes } from "./map";
import { madd } from "./simd";
import { loadPartial, storePartial } from "./partial";
import { rowMaximum, rowSum, sumLanes } from "./reductions";

/** exp(x − maximum), with the constants of Exp in a…c. */
@final class ShiftedExp {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    maximum: v128, a: v128, b: v128, c: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    const shifted = f32x4.sub(loadLanes<At>(x, i, lanes), maximum);
    storeLanes<At>(y, i, changetype<Exp>(0).apply(shifted, a, b, c, c, c, c, c), lanes);
  }
}

/**
 * loss_i ← −log softmax(logits_i)[label_i], dLogits ← (softmax − onehot(label)) · scale for the rows [rowBegin, rowEnd)
 * of logits (rows × cols), 0 ≤ label < cols. dLogits may be logits. A NaN or +∞ among a row's logits makes its loss
 * and gradient NaN, as in PyTorch.
 *
 * With m the row's maximum, softmax_j = exp(x_j − m) / Σ exp(x − m) and the loss is log Σ exp(x − m) + (m − x_label):
 * no exponential overflows and the sum is at least 1, for logits of any size. A row stays in the first-level cache from
 * its maximum to its last write.
 */
export function softmaxCrossEntropy(
  loss: usize, dLogits: usize, logits: usize, labels: usize,
  rows: i32, cols: i32, rsD: i32, rsLogits: i32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  if (cols <= 0) return;
  const end = min(rowEnd, rows);
  const zero = runtimeZero(cols);
  const a = constantsOf<Exp>(0, zero);
  const b = constantsOf<Exp>(1, zero);
  const c = constantsOf<Exp>(2, zero);
  let sums = f32x4.splat(0);
  let distances = sums;
  for (let i = rowBegin; i < end; ++i) {
    const x = at(logits, i, rsLogits);
    const d = at(dLogits, i, rsD);
    const label = load<i32>(at(labels, i, 1));
    const maximum = rowMaximum(x, cols);
    const distance = f32x4.sub(maximum, v128.load32_splat(at(x, label, 1)));
    map<ShiftedExp>(cols, d, x, 0, 0, maximum, a, b, c);
    const sum = f32x4.splat(rowSum(d, cols));
    mapUnaryWith<Scale>(d, d, cols, f32x4.div(f32x4.splat(scale), sum));
    const target = at(d, label, 1);
    store<f32>(target, load<f32>(target) - scale);
    // Four rows share one logarithm.
    const lane = (i - rowBegin) & 3;
    const selected = i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(lane));
    sums = v128.bitselect(sum, sums, selected);
    distances = v128.bitselect(distance, distances, selected);
    if (lane == 3 || i + 1 == end) {
      storePartial(at(loss, i - lane, 1), f32x4.add(logV(sums, zero), distances), lane + 1);
    }
  }
}

/** The address of element i of floats (or integers) that stand `step` apart. */
// @ts-ignore: decorator
@inline
function at(p: usize, i: i32, step: i32): usize {
  return p + (<usize>i * <usize>step << 2);
}

/**
 * loss_i ← Σ_j (y_ij − target_ij)², dy ← (y − target) · scale for the rows [rowBegin, rowEnd) of contiguous matrices
 * (rows × cols). dy may be y or target.
 */
export function meanSquaredError(
  loss: usize, dy: usize, y: usize, target: usize, rows: i32, cols: i32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  const end = min(rowEnd, rows);
  const factor = f32x4.splat(scale);
  for (let i = rowBegin; i < end; ++i) {
    const sum = squaredErrors(at(dy, i, cols), at(y, i, cols), at(target, i, cols), cols, factor);
    store<f32>(at(loss, i, 1), sum);
  }
}

/** One row: the sum of its squared errors. Four sums hide the latency of the additions. */
// @ts-ignore: decorator
@inline
function squaredErrors(dy: usize, y: usize, target: usize, n: i32, factor: v128): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let j = 0;
  for (; n - j >= 16; j += 16) {
    const p = <usize>j << 2;
    s0 = addSquaredError(s0, dy + p, y + p, target + p, 4, factor);
    s1 = addSquaredError(s1, dy + p + 16, y + p + 16, target + p + 16, 4, factor);
    s2 = addSquaredError(s2, dy + p + 32, y + p + 32, target + p + 32, 4, factor);
    s3 = addSquaredError(s3, dy + p + 48, y + p + 48, target + p + 48, 4, factor);
  }
  for (; j < n; j += 4) {
    const p = <usize>j << 2;
    s0 = addSquaredError(s0, dy + p, y + p, target + p, n - j, factor);
  }
  return sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
}

// @ts-ignore: decorator
@inline
function addSquaredError(sum: v128, dy: usize, y: usize, target: usize, count: i32, factor: v128): v128 {
  const error = f32x4.sub(loadPartial(y, count), loadPartial(target, count));
  storePartial(dy, f32x4.mul(error, factor), count);
  return madd(error, error, sum);
}
