/**
 * The elementwise loops over matrices whose operands may be broadcast: a row or column stride of 0 repeats one row, one column
 * or one element. These operations are as light as a copy, so their loops are made small: two vectors an iteration are as
 * fast as four beyond L1 and within 0.01 ns of them in it, and what a row leaves goes by the element, through the same
 * operation. The output may be an input that has its strides; otherwise it must not overlap one.
 */
import { at } from "./map";
import { laneSelect } from "./simd";

/**
 * z_ij ← f(x_ij, y_ij; p) for rows × cols elements: `apply(x: v128, y: v128, p: v128): v128`. Where the column strides are 1,
 * or one of them 0, rows go by the vector; other strides are for views that are rare, such as transposed ones.
 */
// @ts-ignore: decorator
@inline
export function mapBroadcast<Op>(
  z: usize, x: usize, y: usize,
  rows: i32, cols: i32, rsZ: i32, rsX: i32, csX: i32, rsY: i32, csY: i32, p: v128 = i32x4.splat(0),
): void {
  if (rows <= 0) return;
  if (rsZ == cols && rsX == cols * csX && rsY == cols * csY) {
    // The rows lie end to end in all three: they are one.
    cols *= rows;
    rows = 1;
  }
  for (let i = 0; i < rows; ++i) mapRow<Op>(at(z, i, rsZ), at(x, i, rsX), at(y, i, rsY), cols, csX, csY, p);
}

/** z_j ← f(x_j, y_j; p) for n elements. */
// @ts-ignore: decorator
@inline
function mapRow<Op>(z: usize, x: usize, y: usize, n: i32, csX: i32, csY: i32, p: v128): void {
  const op = changetype<Op>(0);
  let j = 0;
  if (csX == 1 && csY == 1) {
    for (; n - j >= 8; j += 8) {
      const to = at(z, j, 1);
      const a = at(x, j, 1);
      const b = at(y, j, 1);
      v128.store(to, op.apply(v128.load(a), v128.load(b), p));
      v128.store(to, op.apply(v128.load(a, 16), v128.load(b, 16), p), 16);
    }
  } else if (csX == 1 && csY == 0) {
    const one = v128.load32_splat(y);
    for (; n - j >= 8; j += 8) {
      const to = at(z, j, 1);
      const a = at(x, j, 1);
      v128.store(to, op.apply(v128.load(a), one, p));
      v128.store(to, op.apply(v128.load(a, 16), one, p), 16);
    }
  } else if (csX == 0 && csY == 1) {
    const one = v128.load32_splat(x);
    for (; n - j >= 8; j += 8) {
      const to = at(z, j, 1);
      const b = at(y, j, 1);
      v128.store(to, op.apply(one, v128.load(b), p));
      v128.store(to, op.apply(one, v128.load(b, 16), p), 16);
    }
  }
  for (; j < n; ++j) {
    v128.store32_lane(at(z, j, 1), op.apply(v128.load32_splat(at(x, j, csX)), v128.load32_splat(at(y, j, csY)), p), 0);
  }
}

/** z_ij ← x_ij where c_ij is not 0 (NaN is not 0), else y_ij, for rows × cols elements with strides as above. */
export function select(
  z: usize, condition: usize, x: usize, y: usize,
  rows: i32, cols: i32, rsZ: i32, rsC: i32, csC: i32, rsX: i32, csX: i32, rsY: i32, csY: i32,
): void {
  if (rows <= 0) return;
  if (rsZ == cols && rsC == cols * csC && rsX == cols * csX && rsY == cols * csY) {
    cols *= rows;
    rows = 1;
  }
  const vectors = <u32>csC <= 1 && <u32>csX <= 1 && <u32>csY <= 1;
  for (let i = 0; i < rows; ++i) {
    const to = at(z, i, rsZ);
    const c = at(condition, i, rsC);
    const a = at(x, i, rsX);
    const b = at(y, i, rsY);
    let j = 0;
    if (vectors) {
      for (; cols - j >= 4; j += 4) {
        v128.store(at(to, j, 1), choose(loadOrRepeat(c, j, csC), loadOrRepeat(a, j, csX), loadOrRepeat(b, j, csY)));
      }
    }
    for (; j < cols; ++j) {
      const chosen = choose(
        v128.load32_splat(at(c, j, csC)), v128.load32_splat(at(a, j, csX)), v128.load32_splat(at(b, j, csY)),
      );
      v128.store32_lane(at(to, j, 1), chosen, 0);
    }
  }
}

/** x_j … x_j+3, or the one x in all lanes where its stride is 0. */
// @ts-ignore: decorator
@inline
function loadOrRepeat(x: usize, j: i32, step: i32): v128 {
  return step ? v128.load(at(x, j, 1)) : v128.load32_splat(x);
}

// @ts-ignore: decorator
@inline
function choose(condition: v128, x: v128, y: v128): v128 {
  return laneSelect(x, y, f32x4.ne(condition, f32x4.splat(0)));
}
