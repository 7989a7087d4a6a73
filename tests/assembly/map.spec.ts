import {
  Vector0,
  load as loadLanes,
  firstLanes,
  loadBytes,
  mapBinary,
  mapSum,
  mapUnaryWith,
  mapUnaryWithConstants,
  mapUnaryWithConstantsAnd,
  store as storeLanes,
} from "../../assembly/map";
import { sumLanes } from "../../assembly/reductions";

/** What no operation may touch. */
const GUARD: i32 = 0x7fc0dead;

function sameBits(a: v128, b: v128): bool {
  return i32x4.all_true(i32x4.eq(a, b));
}

describe("load", () => {
  it("fills the lanes behind a partial vector with zeros", () => {
    const x = changetype<usize>([1, 2, 3, 4, 5, 6, 7, 8] as StaticArray<i32>);
    expect<bool>(sameBits(loadLanes<Vector0>(x, 2, 1), i32x4(3, 0, 0, 0))).toBe(true, "one lane");
    expect<bool>(sameBits(loadLanes<Vector0>(x, 2, 2), i32x4(3, 4, 0, 0))).toBe(true, "two lanes");
    expect<bool>(sameBits(loadLanes<Vector0>(x, 2, 3), i32x4(3, 4, 5, 0))).toBe(true, "three lanes");
    expect<bool>(sameBits(loadLanes<Vector0>(x, 2, 4), i32x4(3, 4, 5, 6))).toBe(true, "four lanes");
    expect<bool>(sameBits(loadLanes<Vector0>(x, 2, 6), i32x4(3, 4, 5, 6))).toBe(true, "more than a vector");
  });

  it("reads up to the last byte of memory and no further", () => {
    // A load that crossed the end would trap. The allocator keeps its last block there, so this only looks.
    const end = <usize>memory.size() << 16;
    for (let lanes = 1; lanes <= 4; lanes++) {
      const words = end - (<usize>lanes << 2);
      const word = load<i32>(words);
      const wordLane = i32x4.extract_lane(loadLanes<Vector0>(words, 0, lanes), 0);
      const bytes = end - lanes;
      const byte = <i32>load<u8>(bytes);
      const byteLane = i32x4.extract_lane(loadBytes<Vector0>(bytes, 0, lanes), 0);
      expect<i32>(wordLane).toBe(word);
      expect<i32>(byteLane).toBe(byte);
    }
  });
});

describe("loadBytes", () => {
  it("widens bytes without their sign", () => {
    const x = changetype<usize>([9, 255, 128, 127, 1, 9] as StaticArray<u8>);
    expect<bool>(sameBits(loadBytes<Vector0>(x, 1, 1), i32x4(255, 0, 0, 0))).toBe(true, "one lane");
    expect<bool>(sameBits(loadBytes<Vector0>(x, 1, 2), i32x4(255, 128, 0, 0))).toBe(true, "two lanes");
    expect<bool>(sameBits(loadBytes<Vector0>(x, 1, 3), i32x4(255, 128, 127, 0))).toBe(true, "three lanes");
    expect<bool>(sameBits(loadBytes<Vector0>(x, 1, 4), i32x4(255, 128, 127, 1))).toBe(true, "four lanes");
  });
});

describe("store", () => {
  it("writes its lanes and nothing else", () => {
    const out = new StaticArray<i32>(6);
    for (let lanes = 1; lanes <= 5; lanes++) {
      out.fill(GUARD);
      storeLanes<Vector0>(changetype<usize>(out), 1, i32x4(1, 2, 3, 4), lanes);
      for (let i = 0; i < 6; i++) {
        expect<i32>(out[i]).toBe(i >= 1 && i <= min(lanes, 4) ? i : GUARD, `lanes ${lanes}, element ${i}`);
      }
    }
  });
});

describe("firstLanes", () => {
  it("leaves zeros behind them", () => {
    const v = i32x4(1, 2, 3, 4);
    expect<bool>(sameBits(firstLanes(v, 1), i32x4(1, 0, 0, 0))).toBe(true, "one lane");
    expect<bool>(sameBits(firstLanes(v, 2), i32x4(1, 2, 0, 0))).toBe(true, "two lanes");
    expect<bool>(sameBits(firstLanes(v, 3), i32x4(1, 2, 3, 0))).toBe(true, "three lanes");
    expect<bool>(sameBits(firstLanes(v, 9), v)).toBe(true, "a vector and more");
  });
});

@final class Squares {
  @inline
  step<At>(
    sum: v128, i: usize, lanes: i32, x: usize, _b: usize, _c: usize, _d: usize,
    _0: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): v128 {
    const v = loadLanes<At>(x, i, lanes);
    return f32x4.add(sum, f32x4.mul(v, v));
  }
}

describe("mapSum", () => {
  it("adds every element once, in every length", () => {
    const x = new StaticArray<f32>(70);
    let sum: f32 = 0;
    for (let n = 0; n < 70; n++) {
      expect<f32>(f32x4.extract_lane(sumLanes(mapSum<Squares>(n, changetype<usize>(x))), 0)).toBe(sum);
      x[n] = <f32>(n + 1);
      sum += x[n] * x[n];
    }
  });
});

@final class Scale {
  @inline
  apply(x: v128, p: v128): v128 {
    return f32x4.mul(x, p);
  }
}

@final class Polynomial {
  @inline
  constants(i: i32): v128 {
    return f32x4.splat(<f32>(i + 2));
  }

  @inline
  apply(x: v128, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128): v128 {
    const y = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(x, a), b), c), d);
    return f32x4.sub(f32x4.mul(f32x4.add(f32x4.mul(y, e), f), g), a);
  }
}

@final class Subtract {
  @inline
  apply(x: v128, y: v128): v128 {
    return f32x4.sub(x, y);
  }
}

describe("the loop", () => {
  it("visits every element once, in place, for every count around a vector and an iteration", () => {
    const x = new StaticArray<f32>(80);
    for (let n = -1; n <= 70; n++) {
      for (let i = 0; i < 80; i++) x[i] = f32(i + 1);
      const begin = changetype<usize>(x) + 4;
      mapUnaryWith<Scale>(begin, begin, n, f32x4.splat(3));
      let right = 0;
      while (right < 80 && x[right] == (right >= 1 && right <= n ? 3 : 1) * f32(right + 1)) right++;
      expect<i32>(right).toBe(80, `count ${n}: the first wrong element`);
    }
  });

  it("hands over constants in their order", () => {
    const x = new StaticArray<f32>(21);
    for (let i = 0; i < 21; i++) x[i] = f32(i);
    const begin = changetype<usize>(x);
    mapUnaryWithConstants<Polynomial>(begin, begin, 21);
    for (let i = 0; i < 21; i++) expect<f32>(x[i]).toBe((((2 * f32(i) + 3) * 4 + 5) * 6 + 7) * 8 - 2);
    for (let i = 0; i < 21; i++) x[i] = f32(i);
    mapUnaryWithConstantsAnd<Polynomial>(begin, begin, 21, f32x4.splat(3));
    for (let i = 0; i < 21; i++) expect<f32>(x[i]).toBe((((2 * f32(i) + 3) * 4 + 5) * 6 + 7) * 3 - 2);
  });

  it("keeps the order of two inputs", () => {
    const x = new StaticArray<f32>(40);
    const y = new StaticArray<f32>(40);
    for (let n = 0; n <= 40; n++) {
      for (let i = 0; i < 40; i++) {
        x[i] = 5 * f32(i);
        y[i] = f32(i);
      }
      mapBinary<Subtract>(changetype<usize>(y), changetype<usize>(x), changetype<usize>(y), n);
      let right = 0;
      while (right < 40 && y[right] == (right < n ? 4 : 1) * f32(right)) right++;
      expect<i32>(right).toBe(40, `count ${n}: the first wrong element`);
    }
  });
});
