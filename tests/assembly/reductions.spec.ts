import { loadPartialRepeated } from "../../assembly/partial";
import { rowMaximum, rowSum, sumLanes } from "../../assembly/reductions";

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
        expect<bool>(f32x4.extract_lane(rowMaximum(changetype<usize>(x), n), 0) == -3).toBe(true, "maximum");
        x[0] = 5;
        x[place] = NaN;
        const maximum = rowMaximum(changetype<usize>(x), n);
        expect<bool>(i32x4.all_true(f32x4.ne(maximum, maximum))).toBe(true, "NaN in every lane");
      }
    }
  });

  it("is −∞ where all are, and is not 0 below 0", () => {
    const x: StaticArray<f32> = [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity];
    expect<f32>(f32x4.extract_lane(rowMaximum(changetype<usize>(x), 5), 3)).toBe(-Infinity);
  });
});

describe("rowSum", () => {
  it("adds every element once, in every length", () => {
    const x = new StaticArray<f32>(LONGEST);
    let sum: f32 = 0;
    for (let n = 0; n <= LONGEST; n++) {
      expect<f32>(rowSum(changetype<usize>(x), n)).toBe(sum);
      if (n == LONGEST) break;
      x[n] = <f32>(n * n + 1);
      sum += x[n];
    }
  });
});

describe("sumLanes", () => {
  it("adds the lanes as (0 + 2) + (1 + 3)", () => {
    // Any other order loses the ones beside 2²⁵.
    expect<f32>(sumLanes(f32x4(33554432, 1, -33554432, 1))).toBe(2);
  });
});
