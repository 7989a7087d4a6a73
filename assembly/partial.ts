/** Vectors at the end of a row: the first `count` ≥ 1 lanes, four at most; nothing beyond them is touched. */
import { Vector0, load, store } from "./map";

/** The `count` floats at `p`; missing lanes are 0. */
// @ts-ignore: decorator
@inline
export function loadPartial(p: usize, count: i32): v128 {
  return load<Vector0>(p, 0, count);
}

/** The `count` floats at `p`; missing lanes repeat one of them. */
// @ts-ignore: decorator
@inline
export function loadPartialRepeated(p: usize, count: i32): v128 {
  if (count >= 4) return v128.load(p);
  if (count == 1) return v128.load32_splat(p);
  const v = v128.load64_splat(p);
  return count == 2 ? v : v128.load32_lane(p, v, 2, 8);
}

/** Writes the first `count` lanes of `v` to `p`. */
// @ts-ignore: decorator
@inline
export function storePartial(p: usize, v: v128, count: i32): void {
  store<Vector0>(p, 0, v, count);
}
