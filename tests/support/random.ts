/** Seeded test data. A small generator of its own, so that no test depends on the kernels that it tests. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits (mulberry32). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + (this.bits() % (high - low + 1));
  }

  /** A float64 in [low, high). */
  uniform(low = -1, high = 1): number {
    return low + (this.bits() / 2 ** 32) * (high - low);
  }

  /** 0 … n − 1 in random order. */
  permutation(n: number): Int32Array {
    const all = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [all[i], all[j]] = [all[j] as number, all[i] as number];
    }
    return all;
  }

  pick<T>(values: ArrayLike<T>): T {
    return values[this.integer(0, values.length - 1)] as T;
  }

  /** n floats in [low, high). */
  floats(n: number, low = -1, high = 1): Float32Array {
    return Float32Array.from({ length: n }, () => this.uniform(low, high));
  }

  /** n small integers as floats: sums of their products are exact in any order below 2²⁴. */
  integers(n: number, low = -8, high = 8): Float32Array {
    return Float32Array.from({ length: n }, () => this.integer(low, high));
  }
}

/** The float32 values where kernels go wrong: zeros, infinities, NaN, denormals, the edges of the normal range, ±1. */
export const SPECIALS = Float32Array.of(
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  2 ** -149,
  -(2 ** -149),
  2 ** -126 - 2 ** -149,
  -(2 ** -126 - 2 ** -149),
  2 ** -126,
  -(2 ** -126),
  3.4028234663852886e38,
  -3.4028234663852886e38,
  1,
  -1,
  2 ** 24 + 2,
  -0.5,
);

/** Half special values, half ordinary ones, in every lane. */
export function mixed(random: Random, n: number, low = -4, high = 4): Float32Array {
  return Float32Array.from({ length: Math.max(n, 0) }, () =>
    random.bits() & 1 ? random.pick(SPECIALS) : random.uniform(low, high),
  );
}

/** Values spread over the whole range of float32, specials among them. */
export function anyFloats(random: Random, n: number): Float32Array {
  const bits = Uint32Array.from({ length: Math.max(n, 0) }, () => random.bits());
  return new Float32Array(bits.buffer).map((value) => (random.bits() % 4 === 0 ? random.pick(SPECIALS) : value));
}
