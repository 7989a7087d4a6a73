import { loadPartialRepeated } from "../../assembly/partial";
import { rowMaximum, sumLanes } from "../../assembly/reductions";

/** Every n up to past the unrolled loop and its remainders. */
const LONGEST: i32 = 40;

describe("loadPartialRepeated", () => {
  it("fills the lanes behind a partial vector with values that it read", () => {
    const x = changetype<usize>([1, 2, 3, 4, 5] as StaticArray<i32>);
    expect<bool>(i32x4.all_true(i32x4.eq(loadPartialRepeated(x, 1), i32x4(1, 1, 1, 1)))).toBe(true, "one lane");
    expect<bool>(i32x4.all_true(i32x4.eq(loadPartialRepeated(x, 2), i32x4(1, 2, 1, 2)))).toBe(true, "two lanes");
    expect<bool>(i32x4.all_true(i32x4.eq(loadPartialRepeated(x, 3), i32x4(1, 2, 3, 2)))).toBe(true, "three lanes");
    expect<bool>(i32x4.all_true(i32x4.eq(loadPartialRepeated(x, 5), i32x4(1, 2, 3, 4)))).toBe(true, "a vector");
  });
});

describe("rowMaximum", () => {
  it("finds the maximum and NaN at every place of every length", () => {
    for (let n = 1; n <= LONGEST; n++) {
      for (let place = 0; place < n; place++) {
        const x = new StaticArray<f32>(n);
        x.fill(-Infinity);
        x[place] = -3;
        expect<bool>(f32x4.extract_lane(rowMaximum(changetype<usize>(x), n, true), 0) == -3).toBe(true, "maximum");
        x[0] = 5;
        x[place] = NaN;
        const maximum = rowMaximum(changetype<usize>(x), n, true);
        expect<bool>(i32x4.all_true(f32x4.ne(maximum, maximum))).toBe(true, "NaN in every lane");
      }
    }
  });

  it("is −∞ where all are, and is not 0 below 0", () => {
    const x: StaticArray<f32> = [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity];
    expect<f32>(f32x4.extract_lane(rowMaximum(changetype<usize>(x), 5, true), 3)).toBe(-Infinity);
  });
});

describe("sumLanes", () => {
  it("adds the lanes as (0 + 2) + (1 + 3), in every lane", () => {
    // Any other order loses the ones beside 2²⁵.
    expect<bool>(i32x4.all_true(f32x4.eq(sumLanes(f32x4(33554432, 1, -33554432, 1)), f32x4.splat(2)))).toBe(true);
  });
});
