/** Losses of a batch, row by row: the value and the gradient together. */
import { Exp, constantsOf, logV, runtimeZero, sigmoidV, softplusV } from "./math";
import { at, firstLanes, load as loadLanes, mapSum, store as storeLanes } from "./map";
import { madd } from "./simd";
import { loadPartial, storePartial } from "./partial";
import { rowMaximum, sumLanes } from "./reductions";
import { BLOCK, exponentials, newLanes, normalizeRow, shiftRow, shiftedExp } from "./softmax";

/**
 * loss_i ← −log softmax(logits_i)[label_i], dLogits ← (softmax − onehot(label)) · scale for the rows [rowBegin, rowEnd)
 * of logits (rows × cols), 0 ≤ label < cols. dLogits may be logits. A NaN or +∞ among a row's logits makes its loss
 * and gradient NaN, as in PyTorch.
 *
 * With m the row's maximum, softmax_j = exp(x_j − m) / Σ exp(x − m) and the loss is log Σ exp(x − m) + (m − x_label):
 * no exponential overflows and the sum is at least 1, for logits of any size. Rows take each pass together, see `BLOCK`; between
 * the first and the last of them, loss_i holds m − x_label.
 */
export function softmaxCrossEntropy(
  loss: usize, dLogits: usize, logits: usize, labels: usize,
  rows: i32, cols: i32, rsD: i32, rsLogits: i32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  if (cols <= 0) return;
  const end = min(rowEnd, rows);
  const zero = runtimeZero(cols);
  const factor = f32x4.splat(scale);
  const lanes = newLanes(cols);
  for (let first = rowBegin; first < end; first += BLOCK) {
    const next = min(first + BLOCK, end);
    for (let i = first; i < next; ++i) {
      const x = at(logits, i, rsLogits);
      const labelled = load<f32>(at(x, load<i32>(at(labels, i, 1)), 1));
      const maximum = shiftRow(at(dLogits, i, rsD), x, cols);
      store<f32>(at(loss, i, 1), f32x4.extract_lane(maximum, 0) - labelled);
    }
    exponentials(at(dLogits, first, rsD), next - first, cols, rsD);
    let sums = f32x4.splat(1);
    for (let i = first; i < next; ++i) {
      const d = at(dLogits, i, rsD);
      sums = v128.shuffle<f32>(sums, normalizeRow(d, cols, factor, lanes), 1, 2, 3, 4);
      const target = at(d, load<i32>(at(labels, i, 1)), 1);
      store<f32>(target, load<f32>(target) - scale);
      // Four rows share one logarithm.
      const lane = i - first & 3;
      if (lane == 3 || i + 1 == next) addLogarithms(at(loss, i - lane, 1), sums, lane + 1, zero);
    }
  }
}

/** loss ← ln s + loss for `count` ≤ 4 rows, whose sums s stand at the end of `sums`. */
// @ts-ignore: decorator
@inline
function addLogarithms(loss: usize, sums: v128, count: i32, zero: v128): void {
  for (let lane = count; lane < 4; ++lane) sums = v128.shuffle<f32>(sums, sums, 1, 2, 3, 0);
  storePartial(loss, f32x4.add(logV(sums, zero), loadPartial(loss, count)), count);
}

/**
 * As `softmaxCrossEntropy` with q_j = weight_j ((1 − smoothing) t_j + smoothing / cols) for onehot:
 * loss_i ← −Σ_j q_j log softmax(logits_i)_j, dLogits ← (softmax · Σ q − q) · scale. With `probabilities` set, t is a row of
 * `targets` (rows × cols), else onehot of the label in targets (rows). Without `weighted` the weights are 1 and none is
 * read. dLogits may be logits. 0 · log 0 counts as 0.
 */
export function softmaxCrossEntropyWeighted(
  loss: usize, dLogits: usize, logits: usize, targets: usize, weights: usize,
  rows: i32, cols: i32, rsD: i32, rsLogits: i32, rsTargets: i32,
  probabilities: i32, weighted: i32, smoothing: f32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  if (cols <= 0) return;
  const end = min(rowEnd, rows);
  const zero = runtimeZero(cols);
  const a = constantsOf<Exp>(0, zero);
  const b = constantsOf<Exp>(1, zero);
  const c = constantsOf<Exp>(2, zero);
  const take = f32x4.splat(1 - smoothing);
  const share = f32x4.splat(smoothing / <f32>cols);
  for (let i = rowBegin; i < end; ++i) {
    const x = at(logits, i, rsLogits);
    const d = at(dLogits, i, rsD);
    const t = at(targets, i, rsTargets);
    const label = probabilities ? 0 : load<i32>(t);
    const maximum = rowMaximum(x, cols, false);
    let mass0 = f32x4.splat(0);
    let distance0 = mass0;
    for (let j = 0; j < cols; j += 4) {
      const lanes = cols - j;
      const q = coefficients(t, probabilities, label, weights, weighted, j, lanes, take, share);
      mass0 = f32x4.add(mass0, q);
      // Nothing where q = 0, however far: a logit of −∞ there, and the missing lanes of a last vector.
      const distance = f32x4.sub(maximum, loadPartial(at(x, j, 1), lanes));
      distance0 = madd(q, v128.and(distance, f32x4.ne(q, f32x4.splat(0))), distance0);
    }
    const mass = sumLanes(mass0);
    const sum = shiftedExp(d, x, cols, maximum, a, b, c);
    const value = madd(mass, logV(sum, zero), sumLanes(distance0));
    storePartial(at(loss, i, 1), value, 1);
    const factor = f32x4.div(mass, sum);
    for (let j = 0; j < cols; j += 4) {
      const lanes = cols - j;
      const p = at(d, j, 1);
      const q = coefficients(t, probabilities, label, weights, weighted, j, lanes, take, share);
      const slope = f32x4.sub(f32x4.mul(loadPartial(p, lanes), factor), q);
      storePartial(p, f32x4.mul(slope, f32x4.splat(scale)), lanes);
    }
  }
}

/** q_j…q_j+3 of a row, 0 beyond `lanes`. */
// @ts-ignore: decorator
@inline
function coefficients(
  targets: usize, probabilities: i32, label: i32, weights: usize, weighted: i32, j: i32, lanes: i32, take: v128, share: v128,
): v128 {
  let t: v128;
  if (probabilities) {
    t = loadPartial(at(targets, j, 1), lanes);
  } else {
    t = v128.and(i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(label - j)), f32x4.splat(1));
  }
  const q = f32x4.add(f32x4.mul(t, take), share);
  if (weighted) return f32x4.mul(q, loadPartial(at(weights, j, 1), lanes));
  return firstLanes(q, lanes);
}

/** (y − t)² and, but for a factor, its derivative y − t. */
@final class Squared {
  // @ts-ignore: decorator
  @inline
  value(y: v128, t: v128, _p: v128, _zero: v128): v128 {
    const error = f32x4.sub(y, t);
    return f32x4.mul(error, error);
  }
  // @ts-ignore: decorator
  @inline
  slope(y: v128, t: v128, _p: v128, _zero: v128): v128 {
    return f32x4.sub(y, t);
  }
}

/** |y − t| and its derivative sign(y − t), 0 at 0. */
@final class Absolute {
  // @ts-ignore: decorator
  @inline
  value(y: v128, t: v128, _p: v128, _zero: v128): v128 {
    return f32x4.abs(f32x4.sub(y, t));
  }
  // @ts-ignore: decorator
  @inline
  slope(y: v128, t: v128, _p: v128, _zero: v128): v128 {
    const error = f32x4.sub(y, t);
    const zero = f32x4.splat(0);
    const one = f32x4.splat(1);
    const sign = f32x4.sub(v128.and(f32x4.gt(error, zero), one), v128.and(f32x4.lt(error, zero), one));
    return v128.or(sign, f32x4.ne(error, error)); // all bits set is NaN
  }
}

/** ½e² where |e| ≤ delta, else delta (|e| − ½ delta), for e = y − t, and its derivative e within ± delta. */
@final class Huber {
  // @ts-ignore: decorator
  @inline
  value(y: v128, t: v128, delta: v128, _zero: v128): v128 {
    const size = f32x4.abs(f32x4.sub(y, t));
    // With c = min(|e|, delta) both are c (|e| − ½ c).
    const c = f32x4.pmin(size, delta);
    return f32x4.mul(c, f32x4.sub(size, f32x4.mul(c, f32x4.splat(0.5))));
  }
  // @ts-ignore: decorator
  @inline
  slope(y: v128, t: v128, delta: v128, _zero: v128): v128 {
    return f32x4.pmin(f32x4.pmax(f32x4.sub(y, t), f32x4.neg(delta)), delta);
  }
}

/** −t log σ(y) − (1 − t) log(1 − σ(y)) = max(y, 0) − y t + ln(1 + e^−|y|), and its derivative σ(y) − t. */
@final class Logistic {
  // @ts-ignore: decorator
  @inline
  value(y: v128, t: v128, _p: v128, zero: v128): v128 {
    // y (1 − t) or −y t, without cancellation where t is 0 or 1.
    const side = f32x4.sub(v128.and(f32x4.gt(y, f32x4.splat(0)), f32x4.splat(1)), t);
    return f32x4.add(f32x4.mul(y, side), softplusV(f32x4.neg(f32x4.abs(y)), zero));
  }
  // @ts-ignore: decorator
  @inline
  slope(y: v128, t: v128, _p: v128, zero: v128): v128 {
    return f32x4.sub(sigmoidV(y, zero), t);
  }
}

/** dy = Op.slope(y, target; p) · factor, and the sum of Op.value(y, target; p). */
@final class Scored<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, dy: usize, y: usize, target: usize, _d: usize,
    factor: v128, p: v128, zero: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const a = loadLanes<At>(y, i, lanes);
    const b = loadLanes<At>(target, i, lanes);
    storeLanes<At>(dy, i, f32x4.mul(changetype<Op>(0).slope(a, b, p, zero), factor), lanes);
    return f32x4.add(sum, firstLanes(changetype<Op>(0).value(a, b, p, zero), lanes));
  }
}

/** loss_i ← Σ_j Op.value(y_ij, t_ij; p), dy ← Op.slope(y, t; p) · scale for the rows [rowBegin, rowEnd). */
// @ts-ignore: decorator
@inline
function elementwise<Op>(
  loss: usize, dy: usize, y: usize, target: usize, rows: i32, cols: i32, p: f32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  const end = min(rowEnd, rows);
  const factor = f32x4.splat(scale);
  const parameter = f32x4.splat(p);
  const zero = runtimeZero(rows);
  for (let i = rowBegin; i < end; ++i) {
    const sum = sumLanes(
      mapSum<Scored<Op>>(cols, at(dy, i, cols), at(y, i, cols), at(target, i, cols), 0, factor, parameter, zero),
    );
    storePartial(at(loss, i, 1), sum, 1);
  }
}

/**
 * loss_i ← Σ_j (y_ij − target_ij)², dy ← (y − target) · scale for the rows [rowBegin, rowEnd) of contiguous matrices
 * (rows × cols). dy may be y or target, here and below.
 */
export function meanSquaredError(
  loss: usize, dy: usize, y: usize, target: usize, rows: i32, cols: i32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  elementwise<Squared>(loss, dy, y, target, rows, cols, 0, scale, rowBegin, rowEnd);
}

/** loss_i ← Σ_j |y_ij − target_ij|, dy ← sign(y − target) · scale, with sign 0 = 0 */
export function meanAbsoluteError(
  loss: usize, dy: usize, y: usize, target: usize, rows: i32, cols: i32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  elementwise<Absolute>(loss, dy, y, target, rows, cols, 0, scale, rowBegin, rowEnd);
}

/**
 * loss_i ← Σ_j ½ e² where |e| ≤ delta, else delta (|e| − ½ delta), with e = y − target; dy ← e within ± delta, times scale
 * (Huber 1964). delta > 0.
 */
export function huber(
  loss: usize, dy: usize, y: usize, target: usize, rows: i32, cols: i32,
  delta: f32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  elementwise<Huber>(loss, dy, y, target, rows, cols, delta, scale, rowBegin, rowEnd);
}

/**
 * loss_i ← Σ_j −t log σ(y) − (1 − t) log(1 − σ(y)) with t = target, from logits y of any finite size without overflow;
 * dy ← (σ(y) − t) · scale
 */
export function sigmoidBinaryCrossEntropy(
  loss: usize, dy: usize, y: usize, target: usize, rows: i32, cols: i32, scale: f32, rowBegin: i32, rowEnd: i32,
): void {
  elementwise<Logistic>(loss, dy, y, target, rows, cols, 0, scale, rowBegin, rowEnd);
}
