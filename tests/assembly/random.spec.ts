import { below, multiplyHigh, multiplyLow, philoxPermutation } from "../../assembly/random";

describe("multiplyLow and multiplyHigh", () => {
  it("are the halves of the unsigned product, lane by lane", () => {
    const a: StaticArray<u32> = [0xffffffff, 0x80000000, 12345, 0xd2511f53];
    const b: StaticArray<u32> = [0xffffffff, 2, 678, 0x9e3779b9];
    const low = new StaticArray<u32>(4);
    const high = new StaticArray<u32>(4);
    const x = v128.load(changetype<usize>(a));
    const y = v128.load(changetype<usize>(b));
    v128.store(changetype<usize>(low), multiplyLow(x, y));
    v128.store(changetype<usize>(high), multiplyHigh(x, y));
    for (let i = 0; i < 4; i++) {
      const product = <u64>a[i] * <u64>b[i];
      expect<u32>(low[i]).toBe(<u32>product);
      expect<u32>(high[i]).toBe(<u32>(product >> 32));
    }
  });
});

describe("below", () => {
  it("is the next float32 towards −∞", () => {
    expect<f32>(below(1)).toBe(<f32>0.99999994);
    expect<f32>(below(-1)).toBe(<f32>-1.0000001);
    expect<u32>(reinterpret<u32>(below(0))).toBe(0x80000001);
    expect<u32>(reinterpret<u32>(below(-0.0))).toBe(0x80000001);
    expect<u32>(reinterpret<u32>(below(reinterpret<f32>(1)))).toBe(0);
    expect<u32>(reinterpret<u32>(below(Infinity))).toBe(0x7f7fffff);
  });
});

describe("philoxPermutation", () => {
  it("takes every place of the order as often as any other", () => {
    // 24 orders of four: each 1000 ± 5 standard deviations of 31 in 24000.
    const out = new StaticArray<i32>(4);
    const counts = new StaticArray<i32>(256);
    for (let seed: u32 = 0; seed < 24000; seed++) {
      philoxPermutation(changetype<usize>(out), 4, seed, 0, 0, 0);
      counts[out[0] | (out[1] << 2) | (out[2] << 4) | (out[3] << 6)]++;
    }
    let orders = 0;
    for (let i = 0; i < 256; i++) {
      if (counts[i] == 0) continue;
      orders++;
      expect<bool>(counts[i] > 845 && counts[i] < 1155).toBe(true, `order ${i}: ${counts[i]}`);
    }
    expect<i32>(orders).toBe(24);
  });
});
