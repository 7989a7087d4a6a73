import assert from "node:assert/strict";
import { test } from "node:test";
import * as reference from "../reference/random.js";
import { expectSameBits } from "../support/compare.js";
import { testVariants, type Call, type Data, type Harness } from "../support/harness.js";
import { dropoutCall, EQUAL, nans, philoxArguments } from "./calls.js";

type Draw = "philoxBits" | "philoxUniform" | "philoxNormal" | "philoxBernoulli";

/** n elements of a draw. */
function draw(harness: Harness, kernel: Draw, n: number, source: reference.Source, ...scalars: number[]): Data {
  const before = kernel === "philoxBits" ? new Uint32Array(n) : nans(n);
  return harness.run({
    kernel,
    shape: `n ${String(n)}, seed ${String(source.seed)}, stream ${String(source.stream)}, counter ${String(source.counter)}`,
    operands: { out: { before, unchecked: true } },
    arguments: (p) => [p.out!, n, ...philoxArguments(source), ...scalars],
  }).out!;
}

function permutationCall(n: number, { seed, stream }: { seed: bigint; stream: bigint }, expected?: Int32Array): Call {
  const after = expected && { values: expected, tolerance: EQUAL };
  return {
    kernel: "philoxPermutation",
    shape: `n ${String(n)}, seed ${String(seed)}, stream ${String(stream)}`,
    operands: { out: { before: new Int32Array(n).fill(-1), ...(after ? { after } : { unchecked: true }) } },
    arguments: (p) => [p.out!, n, ...philoxArguments({ seed, stream, counter: 0n }).slice(0, 4)],
  };
}

/** Random123's known answers (kat_vectors): counter, key, words; the lowest word first. */
const KNOWN_ANSWERS = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
] as const;

const join = (low: number, high: number) => (BigInt(high) << 32n) | BigInt(low);

function sourceOf([c0, c1, c2, c3]: readonly number[], [k0, k1]: readonly number[]): reference.Source {
  return { seed: join(k0!, k1!), stream: join(c2!, c3!), counter: join(c0!, c1!) };
}

test("the reference's Philox gives the known answers", () => {
  for (const [counter, key, words] of KNOWN_ANSWERS) {
    assert.deepEqual(reference.philoxBlock(sourceOf(counter, key)), [...words]);
  }
});

testVariants("philoxBits", "Random123's known answers", (harness) => {
  for (const [counter, key, words] of KNOWN_ANSWERS) {
    const bits = draw(harness, "philoxBits", 4, sourceOf(counter, key));
    expectSameBits(`philoxBits ${harness.variant}`, "out", bits, Uint32Array.from(words));
  }
});

testVariants(
  "philoxBits",
  "the counter carries into its high word, and wraps without touching the stream",
  (harness) => {
    for (const start of [2n ** 32n - 3n, 2n ** 64n - 2n]) {
      for (const behind of [0n, 1n, 2n, 5n]) {
        const source = { seed: 7n, stream: 3n, counter: BigInt.asUintN(64, start - behind) };
        const bits = draw(harness, "philoxBits", 53, source);
        const expected = reference.philoxBits(source, 53);
        expectSameBits(`philoxBits ${harness.variant} [counter ${String(source.counter)}]`, "out", bits, expected);
      }
    }
  },
);

const scalarsOf = { philoxBits: [], philoxUniform: [-2, 5], philoxNormal: [1, 3], philoxBernoulli: [0.5] };

for (const kernel of ["philoxBits", "philoxUniform", "philoxNormal", "philoxBernoulli"] as const) {
  testVariants(kernel, "a range drawn in parts has the bits of the whole", (harness) => {
    const source = { seed: 2n ** 40n + 5n, stream: 9n, counter: 2n ** 32n - 10n };
    const n = 400;
    const scalars = scalarsOf[kernel];
    const whole = draw(harness, kernel, n, source, ...scalars);
    for (const from of [4, 16, 20, 100, 396]) {
      const part = draw(
        harness,
        kernel,
        n - from,
        { ...source, counter: source.counter + BigInt(from / 4) },
        ...scalars,
      );
      expectSameBits(`${kernel} ${harness.variant} [from ${String(from)}]`, "out", part, whole.slice(from));
    }
  });
}

testVariants("philoxUniform", "never leaves [low, high), and every binary draws the same bits", (harness) => {
  for (const [low, high] of [
    [0, 1],
    [-1, 0],
    [0, 2 ** -149],
    [1, 1 + 2 ** -22],
    [-3.5, 1e-3],
    [-1e38, 1e38],
  ] as const) {
    const source = { seed: 11n, stream: 0n, counter: 0n };
    const values = draw(harness, "philoxUniform", 4096, source, low, high);
    const words = reference.philoxBits(source, 4096);
    const bounds = Float32Array.of(low, high) as unknown as [number, number];
    const expected = Float32Array.from(words, (word) => reference.uniformOf(word, ...bounds));
    const outside = values.find((value) => !(value >= bounds[0] && value < bounds[1]));
    assert.equal(outside, undefined, `${String(outside)} is outside [${String(low)}, ${String(high)})`);
    expectSameBits(`philoxUniform ${harness.variant} [${String(low)}, ${String(high)})`, "out", values, expected);
  }
});

/** Mean of f over the values. */
const meanOf = (values: Data, f: (x: number, i: number) => number) =>
  (values as Float32Array).reduce((sum: number, x, i) => sum + f(x, i), 0) / values.length;

const COUNT = 2 ** 18;

testVariants("philoxUniform", "mean, variance and correlation are a uniform's", (harness) => {
  const values = draw(harness, "philoxUniform", COUNT, { seed: 1n, stream: 2n, counter: 0n }, 0, 1);
  // Five standard errors each.
  const error = 5 / Math.sqrt(COUNT);
  assert.ok(Math.abs(meanOf(values, (x) => x) - 1 / 2) < error * Math.sqrt(1 / 12));
  assert.ok(Math.abs(meanOf(values, (x) => (x - 0.5) ** 2) - 1 / 12) < error * Math.sqrt(1 / 180));
  for (const lag of [1, 2, 4, 16]) {
    const covariance = meanOf(values.slice(lag), (x, i) => (x - 0.5) * (values[i]! - 0.5));
    assert.ok(Math.abs(covariance) < error / 12, `lag ${String(lag)}`);
  }
});

testVariants("philoxNormal", "moments, tails and correlation are a normal's", (harness) => {
  const values = draw(harness, "philoxNormal", COUNT, { seed: 3n, stream: 4n, counter: 0n }, 0, 1);
  const error = 5 / Math.sqrt(COUNT);
  for (const [power, moment, variance] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ] as const) {
    const found = meanOf(values, (x) => x ** power);
    assert.ok(Math.abs(found - moment) < error * Math.sqrt(variance), `moment ${String(power)} is ${String(found)}`);
  }
  for (const [limit, share] of [
    [1, 0.3173105],
    [2, 0.0455003],
    [3, 0.0026998],
  ] as const) {
    const found = meanOf(values, (x) => (Math.abs(x) > limit ? 1 : 0));
    assert.ok(Math.abs(found - share) < error * Math.sqrt(share), `${String(found)} lie beyond ${String(limit)}`);
  }
  for (const lag of [1, 2, 4]) {
    const covariance = meanOf(values.slice(lag), (x, i) => x * values[i]!);
    assert.ok(Math.abs(covariance) < error, `lag ${String(lag)}`);
  }
});

/**
 * √n · sup |F_n − F| of n values under the distribution function F. Kolmogorov (1933) and Smirnov (1948): it exceeds x with
 * probability 2 Σ (−1)ᵏ⁻¹ exp(−2k²x²), 1e-6 for x = 2.7.
 */
function kolmogorovSmirnov(values: Data, distribution: (x: number) => number): number {
  const sorted = Float64Array.from(values as Float32Array).sort();
  const n = sorted.length;
  const distance = sorted.reduce((most, x, i) => {
    const f = distribution(x);
    return Math.max(most, (i + 1) / n - f, f - i / n);
  }, 0);
  return distance * Math.sqrt(n);
}

const KOLMOGOROV_SMIRNOV = 2.7;

/** Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/15 + …) (Marsaglia 2004), to float64 where |x| < 7. */
function normalDistribution(x: number): number {
  let [sum, term] = [x, x];
  for (let k = 3; sum !== sum + (term *= (x * x) / k); k += 2) sum += term;
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

testVariants("philoxUniform", "Kolmogorov–Smirnov: streams, counters and seeds draw from [0, 1) evenly", (harness) => {
  for (const [seed, stream, counter] of [
    [0n, 0n, 0n],
    [0n, 1n, 0n],
    [1n, 0n, 0n],
    [2n ** 63n, 2n ** 32n, 2n ** 40n],
  ] as const) {
    const values = draw(harness, "philoxUniform", 2 ** 16, { seed, stream, counter }, 0, 1);
    const statistic = kolmogorovSmirnov(values, (x) => x);
    assert.ok(statistic < KOLMOGOROV_SMIRNOV, `${statistic} for seed ${seed}, stream ${stream}, counter ${counter}`);
  }
});

testVariants("philoxNormal", "Kolmogorov–Smirnov: it is the normal distribution", (harness) => {
  for (const [seed, stream] of [
    [0n, 0n],
    [0n, 1n],
    [77n, 2n ** 33n],
  ] as const) {
    const values = draw(harness, "philoxNormal", 2 ** 16, { seed, stream, counter: 0n }, 0, 1);
    const statistic = kolmogorovSmirnov(values, normalDistribution);
    assert.ok(statistic < KOLMOGOROV_SMIRNOV, `${statistic} for seed ${seed}, stream ${stream}`);
  }
});

for (const kernel of ["philoxUniform", "philoxNormal"] as const) {
  testVariants(kernel, "neighbouring streams, seeds and counters are uncorrelated", (harness) => {
    const n = 2 ** 16;
    const [scalars, mean, deviation] =
      kernel === "philoxNormal" ? ([[0, 1], 0, 1] as const) : ([[0, 1], 0.5, Math.sqrt(1 / 12)] as const);
    const sources = [
      { seed: 0n, stream: 0n, counter: 0n },
      { seed: 0n, stream: 1n, counter: 0n },
      { seed: 0n, stream: 2n ** 32n, counter: 0n },
      { seed: 1n, stream: 0n, counter: 0n },
      { seed: 2n ** 32n, stream: 0n, counter: 0n },
      { seed: 0n, stream: 0n, counter: 2n ** 32n },
    ];
    const all = sources.map((from) => draw(harness, kernel, n, from, ...scalars) as Float32Array);
    all.forEach((a, i) => {
      for (const b of all.slice(i + 1)) {
        for (const lag of [0, 1, 2, 4]) {
          const covariance = meanOf(a.slice(lag), (x, j) => (x - mean) * (b[j]! - mean));
          const correlation = covariance / deviation ** 2;
          // Five standard errors.
          assert.ok(Math.abs(correlation) < 5 / Math.sqrt(n), `${correlation} at lag ${lag}`);
        }
      }
    });
  });
}

testVariants(
  "philoxBernoulli",
  "1 comes as often as the probability says, and where the uniform is below it",
  (harness) => {
    for (const probability of [0.001, 0.25, 0.5, 0.9]) {
      const from = { seed: 12n, stream: 5n, counter: 3n };
      const ones = draw(harness, "philoxBernoulli", COUNT, from, probability);
      const uniform = draw(harness, "philoxUniform", COUNT, from, 0, 1);
      ones.forEach((one, i) => {
        if ((uniform[i]! < Math.fround(probability) ? 1 : 0) !== one) throw new Error(`element ${i} is ${one}`);
      });
      const error = 5 * Math.sqrt((probability * (1 - probability)) / COUNT);
      assert.ok(Math.abs(meanOf(ones, (x) => x) - probability) < error);
    }
  },
);

testVariants("dropout", "keeps the mean, drops at its rate, and draws the same mask for a gradient", (harness) => {
  const x = new Float32Array(COUNT).fill(1);
  const dy = Float32Array.from({ length: COUNT }, (_, i) => i + 1);
  const from = { seed: 3n, stream: 1n, counter: 0n };
  for (const rate of [0.1, 0.5, 0.8]) {
    const run = (values: Float32Array) =>
      harness.run(dropoutCall(COUNT, rate, [0, COUNT], from, values)).y as Float32Array;
    const [y, dx] = [run(x), run(dy)];
    const error = 5 * Math.sqrt(rate / (1 - rate) / COUNT);
    assert.ok(Math.abs(meanOf(y, (value) => value) - 1) < error);
    const wrong = dx.findIndex((value, i) => (value === 0) !== (y[i] === 0));
    assert.equal(wrong, -1);
  }
});

testVariants("philoxPermutation", "holds every index once, and differs from stream to stream", (harness) => {
  const orders = new Set<string>();
  for (const stream of [0n, 1n, 2n ** 40n]) {
    for (const n of [2, 17, 1000]) {
      const order = harness.run(permutationCall(n, { seed: 5n, stream })).out!;
      const sorted = [...order].sort((a, b) => a - b);
      assert.deepEqual(
        sorted,
        Array.from({ length: n }, (_, i) => i),
      );
      if (n > 2) orders.add(order.join());
    }
  }
  assert.equal(orders.size, 6);
});

/** Long enough that some words are rejected. */
const LONG = 300_000;
let long: ReturnType<typeof reference.permutation> | undefined;

testVariants("philoxPermutation", "with rejected words it is still the reference's", (harness, t) => {
  const source = { seed: 1n, stream: 0n };
  long ??= reference.permutation(source, LONG);
  t.diagnostic(`${String(long.rejections)} words rejected`);
  assert.ok(long.rejections > 0);
  harness.run(permutationCall(LONG, source, long.order));
});

/** χ² with 23 degrees of freedom exceeds this once in 10⁶ times. */
const CHI_SQUARE_23 = 70;

testVariants("philoxPermutation", "each of the 24 orders of four is equally likely", (harness) => {
  const counts = new Map<string, number>();
  const trials = 24_000;
  for (let seed = 0; seed < trials; seed++) {
    const order = harness.run(permutationCall(4, { seed: BigInt(seed), stream: 0n })).out!.join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  const expected = trials / 24;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < CHI_SQUARE_23, `χ² = ${chiSquare.toFixed(1)}`);
});
