/**
 * Philox 4×32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, 2011), one block at a time in
 * 64-bit integers, and what is drawn from it.
 */
const WORD = 0xffffffffn;

/** Key = the seed's two words; counter = a 64-bit block counter in the low half, the stream in the high half. */
export interface Source {
  seed: bigint;
  stream: bigint;
  counter: bigint;
}

/** Four 32-bit words. */
export function philoxBlock({ seed, stream, counter }: Source): [number, number, number, number] {
  let [c0, c1, c2, c3] = [counter & WORD, (counter >> 32n) & WORD, stream & WORD, (stream >> 32n) & WORD];
  let [k0, k1] = [seed & WORD, (seed >> 32n) & WORD];
  for (let round = 0; round < 10; round++) {
    const product0 = 0xd2511f53n * c0;
    const product1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(product1 >> 32n) ^ c1 ^ k0, product1 & WORD, (product0 >> 32n) ^ c3 ^ k1, product0 & WORD];
    k0 = (k0 + 0x9e3779b9n) & WORD;
    k1 = (k1 + 0xbb67ae85n) & WORD;
  }
  return [Number(c0), Number(c1), Number(c2), Number(c3)];
}

/** The first n words: word i is word i & 3 of block counter + (i >> 2); the counter wraps at 2⁶⁴ and leaves the stream alone. */
export function philoxBits(source: Source, n: number): Uint32Array {
  const words = new Uint32Array(n);
  for (let i = 0; i < n; i += 4) {
    const counter = BigInt.asUintN(64, source.counter + BigInt(i >> 2));
    words.set(philoxBlock({ ...source, counter }).slice(0, n - i), i);
  }
  return words;
}

/** low + (high − low)·u with u = ⌊word / 2⁸⌋·2⁻²⁴, each operation rounded to float32; never high itself. */
export function uniformOf(word: number, low: number, high: number): number {
  const value = Math.fround(low + Math.fround(Math.fround(high - low) * ((word >>> 8) / 2 ** 24)));
  return Math.min(value, below(high));
}

/** Whether u = ⌊word / 2⁸⌋·2⁻²⁴ is below the probability. */
export function happens(word: number, probability: number): boolean {
  return (word >>> 8) / 2 ** 24 < probability;
}

/** x·0 for each element whose word's u is below the rate, x / (1 − rate) for the others (Srivastava et al. 2014). */
export function dropout(x: ArrayLike<number>, source: Source, rate: number): number[] {
  const words = philoxBits(source, x.length);
  const kept = Math.fround(1 / (1 - rate));
  return Array.from(x, (value, i) => value * (happens(words[i]!, rate) ? 0 : kept));
}

/** The greatest float32 below x. */
function below(x: number): number {
  const float = Float32Array.of(x);
  const bits = new Int32Array(float.buffer);
  if (x === 0) return -(2 ** -149);
  bits[0]! += x > 0 ? -1 : 1;
  return float[0]!;
}

/**
 * Two independent standard normals of two words (Box and Muller 1958): r·cos 2πu and r·sin 2πu with r = √(−2 ln v),
 * v = (first + ½)·2⁻³² in float32, u = ⌊second / 2⁸⌋·2⁻²⁴.
 */
export function normalsOf(first: number, second: number): [number, number] {
  const v = Math.fround(Math.fround(first) / 2 ** 32 + 2 ** -33);
  const r = Math.sqrt(-2 * Math.log(v));
  // Quarter turns first, so that the zeros of sine and cosine are exact.
  const quarters = (second >>> 8) / 2 ** 22;
  const k = Math.round(quarters);
  const angle = ((quarters - k) * Math.PI) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const turned: [number, number][] = [
    [cos, sin],
    [-sin, cos],
    [-cos, -sin],
    [sin, -cos],
  ];
  const [x, y] = turned[k & 3]!;
  return [r * x, r * y];
}

/**
 * 0…n−1 in random order: Fisher and Yates from the inside out, step i swapping the new element with place j, uniform in
 * 0…i: the high half of word·(i + 1); a low half below 2³² mod (i + 1) rejects the word (Lemire 2019). The first words are
 * those of blocks 2⁶³…; attempt a ≥ 1 of step i takes word 0 of block 2⁶³ + 2³²·a + i.
 */
export function permutation(
  { seed, stream }: Pick<Source, "seed" | "stream">,
  n: number,
): { order: Int32Array; rejections: number } {
  const order = new Int32Array(n);
  const words = philoxBits({ seed, stream, counter: 2n ** 63n }, n);
  let rejections = 0;
  for (let i = 0; i < n; i++) {
    const bound = BigInt(i) + 1n;
    let product = BigInt(words[i]!) * bound;
    for (let attempt = 1n; (product & WORD) < 2n ** 32n % bound; attempt++) {
      const [word] = philoxBlock({ seed, stream, counter: 2n ** 63n + (attempt << 32n) + BigInt(i) });
      product = BigInt(word) * bound;
      rejections++;
    }
    const j = Number(product >> 32n);
    order[i] = order[j]!;
    order[j] = i;
  }
  return { order, rejections };
}
