import { madd } from "./simd";
import { at, loadBytes, map, store } from "./map";
import { loadPartial, storePartial } from "./partial";

@final class Scale {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    scale: v128, shift: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    store<At>(y, i, madd(f32x4.convert_i32x4_s(loadBytes<At>(x, i, lanes)), scale, shift), lanes);
  }
}

/** y ← x · scale + shift for n bytes x: pixels to floats. */
export function uint8ToFloat32(y: usize, x: usize, n: i32, scale: f32, shift: f32): void {
  map<Scale>(n, y, x, 0, 0, f32x4.splat(scale), f32x4.splat(shift));
}

/** y_i ← x_index(i), bit for bit: `rows` rows of `cols` elements of 4 bytes, picked from the rows of x (× cols). */
export function gatherRows(y: usize, x: usize, index: usize, rows: i32, cols: i32): void {
  const bytes = <usize>cols << 2;
  for (let i = 0; i < rows; ++i) {
    copy(y, x + <usize>load<i32>(index + (<usize>i << 2)) * bytes, cols);
    y += bytes;
  }
}

/** y ← x, n elements of 4 bytes */
// @ts-ignore: decorator
@inline
function copy(y: usize, x: usize, n: i32): void {
  let j = 0;
  for (; n - j >= 16; j += 16) {
    const v0 = v128.load(x);
    const v1 = v128.load(x, 16);
    const v2 = v128.load(x, 32);
    const v3 = v128.load(x, 48);
    v128.store(y, v0);
    v128.store(y, v1, 16);
    v128.store(y, v2, 32);
    v128.store(y, v3, 48);
    x += 64;
    y += 64;
  }
  for (; j < n; j += 4) {
    storePartial(y, loadPartial(x, n - j), n - j);
    x += 16;
    y += 16;
  }
}

/**
 * y_ij ← x_ij, bit for bit, for rows × cols elements of 4 bytes with these row strides. Columns of x lie side by side
 * (csX = 1) or are one (csX = 0), which all of y's row gets; rsX = 0 repeats a row.
 */
export function copyMatrix(y: usize, x: usize, rows: i32, cols: i32, rsY: i32, rsX: i32, csX: i32): void {
  for (let i = 0; i < rows; ++i) {
    if (csX != 0) copy(at(y, i, rsY), at(x, i, rsX), cols);
    else fill(at(y, i, rsY), at(x, i, rsX), cols);
  }
}

/** All n elements of y ← the one at x. */
// @ts-ignore: decorator
@inline
function fill(y: usize, x: usize, n: i32): void {
  if (n <= 0) return;
  const v = v128.load32_splat(x);
  let j = 0;
  for (; n - j >= 4; j += 4) v128.store(at(y, j, 1), v);
  for (; j < n; ++j) v128.store32_lane(at(y, j, 1), v, 0);
}

/** y_i ← x_index(i) · scale + shift: `rows` rows of `cols` bytes, picked from the rows of x (× cols) and scaled. */
export function gatherRowsUint8(
  y: usize, x: usize, index: usize, rows: i32, cols: i32, scale: f32, shift: f32,
): void {
  for (let i = 0; i < rows; ++i) {
    uint8ToFloat32(y, x + <usize>load<i32>(index + (<usize>i << 2)) * <usize>cols, cols, scale, shift);
    y += <usize>cols << 2;
  }
}

/**
 * y_index(i) ← y_index(i) + x_i, i = 0 … rows − 1 in this order, so that the bits are always the same: `rows` rows of `cols`
 * floats, added to the rows of y (× cols).
 */
export function scatterAddRows(y: usize, x: usize, index: usize, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; ++i) addTo(at(y, load<i32>(at(index, i, 1)), cols), at(x, i, cols), cols);
}

/** y ← y + x, n floats */
// @ts-ignore: decorator
@inline
function addTo(y: usize, x: usize, n: i32): void {
  let j = 0;
  for (; n - j >= 8; j += 8) {
    const from = at(x, j, 1);
    const to = at(y, j, 1);
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    v128.store(to, f32x4.add(v128.load(to, 16), v128.load(from, 16)), 16);
  }
  for (; j < n; ++j) {
    const to = at(y, j, 1);
    v128.store32_lane(to, f32x4.add(v128.load32_zero(to), v128.load32_zero(at(x, j, 1))), 0);
  }
}

/** Rows of x that become whole lines of y, 64 bytes: with 4 a power of two as row stride takes twice as long. */
const STRIP = 16;

/** y_ji ← x_ij for x of rows × cols elements of 4 bytes, bit for bit */
export function transpose(y: usize, x: usize, rows: i32, cols: i32, rsY: i32, rsX: i32): void {
  for (let i = 0; i < rows; i += STRIP) {
    const count = min(rows - i, STRIP);
    const strip = at(x, i, rsX);
    const to = at(y, i, 1);
    let j = 0;
    for (; cols - j >= 4; j += 4) transposeColumns(at(to, j, rsY), <usize>rsY << 2, at(strip, j, 1), <usize>rsX << 2, count);
    for (; j < cols; ++j) {
      for (let k = 0; k < count; ++k) {
        v128.store32_lane(at(at(to, j, rsY), k, 1), v128.load32_zero(at(at(strip, k, rsX), j, 1)), 0);
      }
    }
  }
}

/** Four rows of y from four columns of x, `rows` elements each; strides in bytes. */
// @ts-ignore: decorator
@inline
function transposeColumns(y: usize, stepY: usize, x: usize, stepX: usize, rows: i32): void {
  let k = 0;
  for (; rows - k >= 4; k += 4) {
    const a = v128.load(x);
    const b = v128.load(x + stepX);
    const c = v128.load(x + 2 * stepX);
    const d = v128.load(x + 3 * stepX);
    const ab01 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const ab23 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd01 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cd23 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(y, v128.shuffle<i64>(ab01, cd01, 0, 2));
    v128.store(y + stepY, v128.shuffle<i64>(ab01, cd01, 1, 3));
    v128.store(y + 2 * stepY, v128.shuffle<i64>(ab23, cd23, 0, 2));
    v128.store(y + 3 * stepY, v128.shuffle<i64>(ab23, cd23, 1, 3));
    x += 4 * stepX;
    y += 16;
  }
  for (; k < rows; ++k) {
    const v = v128.load(x);
    v128.store32_lane(y, v, 0);
    v128.store32_lane(y + stepY, v, 1);
    v128.store32_lane(y + 2 * stepY, v, 2);
    v128.store32_lane(y + 3 * stepY, v, 3);
    x += stepX;
    y += 4;
  }
}
