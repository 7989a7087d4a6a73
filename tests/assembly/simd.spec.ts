import { laneSelect, madd } from "../../assembly/simd";

describe("madd", () => {
  it("multiplies and adds in every lane", () => {
    const sum = madd(f32x4(1, 2, 3, 4), f32x4(5, 6, 7, 8), f32x4(9, 10, 11, 12));
    const expected = f32x4(14, 22, 32, 44);
    expect<bool>(i8x16.all_true(f32x4.eq(sum, expected))).toBe(true);
  });

  it("rounds the product before the sum on the strict build", () => {
    // (1 + 2⁻¹²)² = 1 + 2⁻¹¹ + 2⁻²⁴; the last term is lost where the product is rounded first.
    const x = f32x4.splat(<f32>(1.0 + 1.0 / 4096.0));
    const sum = madd(x, x, f32x4.splat(<f32>(-1.0 - 1.0 / 2048.0)));
    expect<f32>(f32x4.extract_lane(sum, 0)).toBe(0);
  });
});

describe("laneSelect", () => {
  it("takes each lane by its mask", () => {
    const mask = f32x4.lt(f32x4(1, 2, 3, 4), f32x4(2, 1, 4, 3));
    const chosen = laneSelect(f32x4(1, 2, 3, 4), f32x4(5, 6, 7, 8), mask);
    expect<bool>(i8x16.all_true(f32x4.eq(chosen, f32x4(1, 6, 3, 8)))).toBe(true);
  });
});
