import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constantRate, cosineDecay, rateSequence, stepDecay, warmUp, type Schedule } from "../../src/index.js";
import { throws } from "./support.js";

/** Rates of the steps 0 … n − 1. */
const first = (n: number, schedule: Schedule) => Array.from({ length: n }, (_, step) => schedule(step));

function near(actual: readonly number[], expected: readonly number[], bound = 1e-15): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) <= bound, `step ${i}: ${value}, expected ${expected[i]!}`);
  });
}

describe("schedules", () => {
  test("constantRate never changes", () => {
    assert.deepEqual(first(3, constantRate(0.25)), [0.25, 0.25, 0.25]);
  });

  test("stepDecay multiplies by the factor after every so many steps", () => {
    const halves = stepDecay(1, { every: 3, factor: 0.5 });
    assert.deepEqual(first(10, halves), [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]);
    assert.equal(halves(3 * 40), 2 ** -40);
    near([stepDecay(2, { every: 1 })(2)], [0.02], 1e-17);
    assert.deepEqual(first(3, stepDecay(1, { every: 1, factor: 0 })), [1, 0, 0]);
  });

  test("cosineDecay is half a cosine, to the last bits of float64, then the minimum", () => {
    for (const steps of [1, 2, 7, 1000]) {
      const [rate, minimum] = [0.5, 0.125];
      const expected = Array.from(
        { length: steps + 3 },
        (_, t) => minimum + ((rate - minimum) * (1 + Math.cos((Math.PI * Math.min(t, steps)) / steps))) / 2,
      );
      near(first(steps + 3, cosineDecay(rate, { steps, minimum })), expected, 2 ** -53);
    }
    const toZero = cosineDecay(1, { steps: 4 });
    assert.equal(toZero(0), 1);
    assert.equal(toZero(2), 0.5);
    assert.equal(toZero(4), 0);
    assert.equal(toZero(1e9), 0);
  });

  test("cosineDecay's bits are these on every engine", () => {
    const bits = (value: number) => new BigUint64Array(Float64Array.of(value).buffer)[0]!.toString(16);
    assert.deepEqual(
      [1, 3, 10, 77].map((step) => bits(cosineDecay(1e-3, { steps: 100 })(step))),
      ["3f506144e91df7f1", "3f5058ff2c00ea55", "3f4ff752fb875687", "3f206070c8980462"],
    );
  });

  test("warmUp rises linearly from its start to the rate", () => {
    near(first(6, warmUp(3, { steps: 4 })), [1, 1.5, 2, 2.5, 3, 3]);
    assert.deepEqual(first(4, warmUp(1, { steps: 2, start: 0 })), [0, 0.5, 1, 1]);
    assert.deepEqual(first(3, warmUp(1, { steps: 1, start: 0.25 })), [0.25, 1, 1]);
  });

  test("they compose: a warm-up of a decay, a decay of a warm-up, one after the other", () => {
    const decay = stepDecay(1, { every: 2, factor: 0.5 });
    assert.deepEqual(first(6, warmUp(decay, { steps: 4, start: 0 })), [0, 0.25, 0.25, 0.375, 0.25, 0.25]);
    assert.deepEqual(
      first(6, stepDecay(warmUp(1, { steps: 4, start: 0 }), { every: 2, factor: 0.5 })),
      [0, 0.25, 0.25, 0.375, 0.25, 0.25],
    );
    const warm = warmUp(1, { steps: 2, start: 0 });
    const inOrder = rateSequence(
      [
        [2, warm],
        [3, 8],
      ],
      decay,
    );
    assert.deepEqual(first(9, inOrder), [0, 0.5, 8, 8, 8, 1, 1, 0.5, 0.5]);
    assert.equal(rateSequence([], 0.5)(7), 0.5);
    assert.equal(cosineDecay(decay, { steps: 4 })(2), 0.25);
  });

  const wrong = (value: unknown) => value as never;
  const rate = "it must be a finite float32 of at least 0.";
  const count = "it must be an integer from 1 to 2147483647.";
  const bad: [call: () => unknown, message: string][] = [
    [() => constantRate(-1), `constantRate: rate is -1; ${rate}`],
    [() => stepDecay(NaN, { every: 1 }), `stepDecay: rate is NaN; ${rate}`],
    [() => stepDecay(1, wrong(undefined)), "stepDecay: options is undefined; it must be an object."],
    [() => stepDecay(1, { every: 0 }), `stepDecay: every is 0; ${count}`],
    [() => stepDecay(1, { every: 1, factor: -2 }), `stepDecay: factor is -2; ${rate}`],
    [() => cosineDecay(wrong("1"), { steps: 1 }), `cosineDecay: rate is "1"; ${rate}`],
    [() => cosineDecay(1, wrong(null)), "cosineDecay: options is null; it must be an object."],
    [() => cosineDecay(1, { steps: 1.5 }), `cosineDecay: steps is 1.5; ${count}`],
    [() => cosineDecay(1, { steps: 1, minimum: Infinity }), `cosineDecay: minimum is Infinity; ${rate}`],
    [() => warmUp(1, wrong(3)), "warmUp: options is 3; it must be an object."],
    [() => warmUp(-0.5, { steps: 3 }), `warmUp: rate is -0.5; ${rate}`],
    [() => warmUp(1, { steps: 0 }), `warmUp: steps is 0; ${count}`],
    [() => warmUp(1, { steps: 3, start: 2 }), "warmUp: start is 2; it must be a number from 0 to 1."],
    [() => rateSequence(wrong(1), 1), "rateSequence: parts is 1; it must be an array of pairs [steps, rate]."],
    [() => rateSequence([wrong([1])], 1), "rateSequence: parts[0] is an array of 1; it must be a pair [steps, rate]."],
    [() => rateSequence([[0, 1]], 1), `rateSequence: parts[0][0] is 0; ${count}`],
    [
      () =>
        rateSequence(
          [
            [1, 1],
            [1, -1],
          ],
          1,
        ),
      `rateSequence: parts[1][1] is -1; ${rate}`,
    ],
    [() => rateSequence([], -1), `rateSequence: last is -1; ${rate}`],
  ];
  for (const [call, message] of bad) {
    test(`refuses: ${message}`, () => {
      throws(call, "ERR_ARGUMENT", message);
    });
  }
});
