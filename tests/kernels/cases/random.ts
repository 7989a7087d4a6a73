/** Random numbers. random.test.ts has known answers, ranges, moments and counters. */
import * as philox from "../../reference/random.js";
import type { Tolerance } from "../../support/compare.js";
import type { Data } from "../../support/harness.js";
import type { KernelName } from "../../support/kernels.js";
import { anyFloats, type Random } from "../../support/random.js";
import { EQUAL, dropoutCall, nans, philoxArguments } from "../calls.js";
import { counts } from "./shapes.js";
import { add } from "./table.js";

function source(random: Random): philox.Source {
  const word = () => (BigInt(random.bits()) << 32n) | BigInt(random.bits());
  return { seed: word(), stream: word(), counter: word() };
}

/** A kernel that fills an array from a source; `values` makes the elements from the words. */
function drawn(
  kernel: KernelName,
  scalars: readonly number[],
  tolerance: Tolerance,
  values: (words: Uint32Array) => { values: ArrayLike<number>; magnitude?: ArrayLike<number> },
  before: (length: number) => Data = nans,
): void {
  add(kernel, {
    shapes: counts,
    call: ({ n }, random) => {
      const from = source(random);
      const length = Math.max(n, 0);
      // Whole blocks, so that pairs are whole; the array takes the first n.
      const { values: all, magnitude } = values(philox.philoxBits(from, Math.ceil(length / 4) * 4));
      const first = (array: ArrayLike<number>) => Array.from(array).slice(0, length);
      const after = { values: first(all), tolerance, ...(magnitude && { magnitude: first(magnitude) }) };
      return {
        operands: { out: { before: before(length), after } },
        arguments: (p) => [p.out!, n, ...philoxArguments(from), ...scalars],
      };
    },
  });
}

drawn(
  "philoxBits",
  [],
  EQUAL,
  (words) => ({ values: words }),
  (n) => new Uint32Array(n),
);

const [low, high] = [Math.fround(-0.3), Math.fround(1.7)];
drawn("philoxUniform", [low, high], "exact", (words) => ({
  values: Array.from(words, (word) => philox.uniformOf(word, low, high)),
}));

const [mean, deviation] = [0.5, 3];
drawn("philoxNormal", [mean, deviation], { roundings: 10 }, (words) => {
  const z = Array.from(words, (_, i) => philox.normalsOf(words[i & ~1]!, words[i | 1]!)[i & 1]!);
  return {
    values: z.map((value) => mean + deviation * value),
    magnitude: z.map((value) => mean + Math.abs(deviation * value)),
  };
});

for (const probability of [0, Math.fround(0.3), 1]) {
  drawn("philoxBernoulli", [probability], "exact", (words) => ({
    values: Array.from(words, (word) => (philox.happens(word, probability) ? 1 : 0)),
  }));
}

add("dropout", {
  shapes: [0, 0.25, 0.9]
    .flatMap((rate) => counts.map(({ n }) => ({ n, rate, begin: 0, end: n })))
    .concat(
      [0, 1, 2, 3, 4, 21].flatMap((begin) =>
        [0, 1, 2, 3, 4, 6, 30].map((more) => ({ n: 51, rate: 0.5, begin, end: begin + more })),
      ),
      [{ n: 20, rate: 0.5, begin: 14, end: 40 }],
    ),
  call: ({ n, rate, begin, end }, random) => dropoutCall(n, rate, [begin, end], source(random), anyFloats(random, n)),
  inPlace: [{ y: "x" }],
});

add("philoxPermutation", {
  shapes: counts,
  call: ({ n }, random) => {
    const from = source(random);
    const { order } = philox.permutation(from, Math.max(n, 0));
    return {
      operands: { out: { before: new Int32Array(order.length).fill(-1), after: { values: order, tolerance: EQUAL } } },
      arguments: (p) => [p.out!, n, ...philoxArguments(from).slice(0, 4)],
    };
  },
});
