/** What writes C besides the register tile: edges narrower than a tile, column strides, products of few rows, and tanh. */
import { ADD_BIAS, APPLY_LEAKY_RELU, APPLY_RELU, APPLY_TANH, READ_C } from "./microkernel";
import { madd } from "../simd";
import { leakyReluV, tanhV } from "../math";
import { loadPartial, storePartial } from "../partial";
import { tanh } from "../activations";

/**
 * C (rows × columns) ← alpha · sums [+ beta · C] [+ bias] [ReLU, leaky ReLU or tanh], with the very operations of the register tile, so
 * that an element's bits do not tell which road it took. Sums are contiguous along a row and may be read up to a vector's
 * end; `bias` steps by 4 bytes a column, or by 0. Strides are in bytes.
 */
export function mergeTile(
  c: usize, sums: usize, bias: usize, rows: i32, columns: i32, rsSums: usize, rsC: usize, csC: usize,
  alpha: f32, beta: f32, write: i32, slope: f32, biasStride: usize,
): void {
  const scale = f32x4.splat(alpha), old = f32x4.splat(beta), zero = f32x4.splat(0), factor = f32x4.splat(slope);
  for (let j = 0; j < columns; j += 4) {
    const lanes = min(4, columns - j);
    const biases = write & ADD_BIAS ? loadBias(bias, j, lanes, biasStride) : zero;
    let from = sums + (<usize>j << 2);
    let to = c + <usize>j * csC;
    for (let i = 0; i < rows; ++i) {
      let v = f32x4.mul(v128.load(from), scale);
      if (write & READ_C) v = madd(old, loadLanes(to, lanes, csC), v);
      if (write & ADD_BIAS) v = f32x4.add(v, biases);
      if (write & APPLY_RELU) v = f32x4.pmax(v, zero);
      if (write & APPLY_LEAKY_RELU) v = leakyReluV(v, factor);
      if (write & APPLY_TANH) v = tanhV(v);
      storeLanes(to, v, lanes, csC);
      from += rsSums;
      to += rsC;
    }
  }
}

/** The biases of columns j…j+lanes−1, which lie `stride` bytes apart: 4, or 0 for one of all. */
// @ts-ignore: decorator
@inline
function loadBias(bias: usize, j: i32, lanes: i32, stride: usize): v128 {
  return stride == 0 ? v128.load32_splat(bias) : loadPartial(bias + (<usize>j << 2), lanes);
}

/** Loads `lanes` (1…4) floats that lie `stride` bytes apart; the other lanes are zero. */
function loadLanes(p: usize, lanes: i32, stride: usize): v128 {
  if (stride == 4) return loadPartial(p, lanes);
  let v = v128.load32_zero(p);
  if (lanes > 1) v = v128.load_lane<f32>(p + stride, v, 1);
  if (lanes > 2) v = v128.load_lane<f32>(p + 2 * stride, v, 2);
  if (lanes > 3) v = v128.load_lane<f32>(p + 3 * stride, v, 3);
  return v;
}

/** Stores the first `lanes` (1…4) floats of `v`, `stride` bytes apart. */
function storeLanes(p: usize, v: v128, lanes: i32, stride: usize): void {
  if (stride == 4) return storePartial(p, v, lanes);
  v128.store_lane<f32>(p, v, 0);
  if (lanes > 1) v128.store_lane<f32>(p + stride, v, 1);
  if (lanes > 2) v128.store_lane<f32>(p + 2 * stride, v, 2);
  if (lanes > 3) v128.store_lane<f32>(p + 3 * stride, v, 3);
}

/** C ← tanh C over contiguous rows, which have just been written: in a loop of its own, tanh takes half as long as after each tile. */
export function tanhRows(c: usize, rows: i32, columns: i32, rsC: usize): void {
  for (let i = 0; i < rows; ++i) {
    tanh(c, c, columns);
    c += rsC;
  }
}
