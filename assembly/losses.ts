/** Losses of a batch, row by row: the value and the gradient together. */
import { logV, runtimeZero } from "./math";
import { Scale } from "./elementwise";
import { at, load as loadLanes, mapSum, mapUnaryWith, store as storeLanes } from "./map";
import { madd } from "./simd";
import { storePartial } from "./partial";
import { rowMaximum, sumLanes } from "./reductions";
import { shiftedExp } from "./softmax";

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
  let sums = f32x4.splat(0);
  let distances = sums;
  for (let i = rowBegin; i < end; ++i) {
    const x = at(logits, i, rsLogits);
    const d = at(dLogits, i, rsD);
    const label = load<i32>(at(labels, i, 1));
    const maximum = rowMaximum(x, cols, false);
    const distance = f32x4.sub(maximum, v128.load32_splat(at(x, label, 1)));
    const sum = shiftedExp(d, x, cols, maximum, zero);
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
    const sum = sumLanes(
      mapSum<SquaredError>(cols, at(dy, i, cols), at(y, i, cols), at(target, i, cols), 0, factor),
    );
    storePartial(at(loss, i, 1), sum, 1);
  }
}

/** dy = (y − target) · factor, and the sum of (y − target)². */
@final class SquaredError {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, dy: usize, y: usize, target: usize, _d: usize,
    factor: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const error = f32x4.sub(loadLanes<At>(y, i, lanes), loadLanes<At>(target, i, lanes));
    storeLanes<At>(dy, i, f32x4.mul(error, factor), lanes);
    return madd(error, error, sum);
  }
}
