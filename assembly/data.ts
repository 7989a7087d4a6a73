import { madd } from "./simd";
import { loadBytes, map, store } from "./map";
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

/** y_i ← x_index(i) · scale + shift: `rows` rows of `cols` bytes, picked from the rows of x (× cols) and scaled. */
export function gatherRowsUint8(
  y: usize, x: usize, index: usize, rows: i32, cols: i32, scale: f32, shift: f32,
): void {
  for (let i = 0; i < rows; ++i) {
    uint8ToFloat32(y, x + <usize>load<i32>(index + (<usize>i << 2)) * <usize>cols, cols, scale, shift);
    y += <usize>cols << 2;
  }
}
