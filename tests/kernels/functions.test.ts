import assert from "node:assert/strict";
import { test } from "node:test";
import { erfc } from "../reference/erf.js";
import { expectUnary, UNARY, type UnaryKernel } from "../reference/unary.js";
import { expectClose, expectSameBits, type Expectation } from "../support/compare.js";
import { testVariants, type Call } from "../support/harness.js";
import type { KernelName } from "../support/kernels.js";
import { Random } from "../support/random.js";
import { nans } from "./calls.js";

/** Every so many of the 2³² floats: a prime, so that all exponents and all low bits occur. `npm run accuracy` takes all. */
const STEP = 7919;

const inputs = new Float32Array(Uint32Array.from({ length: Math.floor(2 ** 32 / STEP) }, (_, i) => i * STEP).buffer);

/** Where a result may underflow. */
const ZEROS = Float32Array.of(0, -0, -20, -104, -120, -1e4, -1e30, -Infinity);

for (const [kernel, unary] of Object.entries<UnaryKernel>(UNARY)) {
  const call = (shape: string, x: Float32Array, after: Expectation): Call => ({
    kernel: kernel as KernelName,
    shape,
    operands: { y: { before: nans(x.length), after }, x: { before: x } },
    arguments: (p) => [p.y!, p.x!, x.length, ...unary.scalars],
  });
  const all = call(`every ${String(STEP)}th float32`, inputs, expectUnary(unary, inputs));
  testVariants(kernel, `within ${JSON.stringify(unary.tolerance)} over the whole range of float32`, (harness) => {
    harness.run(all);
  });

  testVariants(kernel, "zeros have the sign of the reference", (harness) => {
    const x = ZEROS.filter((value) => Math.fround(unary.reference(value)) === 0);
    harness.run(call("zeros", x, { values: Float64Array.from(x, unary.reference), tolerance: "exact" }));
  });
}

for (const kernel of ["exp", "sigmoid", "silu"] as const) {
  testVariants(kernel, "the same bits whether or not sixteen elements take the cheaper way", (harness) => {
    const run = (x: Float32Array) =>
      harness.run({
        kernel,
        shape: `${String(x.length)} elements`,
        operands: { y: { before: nans(x.length), unchecked: true }, x: { before: x } },
        arguments: (p) => [p.y!, p.x!, x.length],
      }).y!;
    const random = new Random(1);
    const x = Float32Array.from({ length: 16 * 2000 }, (_, i) =>
      i % 16 === 15 ? 0 : i % 3 ? random.uniform(-86.99, 86.99) : random.uniform() * 2 ** random.integer(-149, 0),
    );
    const beside = x.map((value, i) => (i % 16 === 15 ? [NaN, 87, -Infinity, -110][(i >> 4) % 4]! : value));
    const [cheap, costly] = [run(x), run(beside)].map((y) => y.filter((_, i) => i % 16 !== 15));
    expectSameBits(`${kernel} ${harness.variant}`, "y", costly!, cheap!);
  });
}

testVariants("tanh", "tanh(−x) = −tanh(x), and never beyond ±1", (harness) => {
  const x = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 200);
  const operands = { y: { before: nans(x.length), unchecked: true }, x: { before: x } };
  const shape = "−10 to 10";
  const { y } = harness.run({ kernel: "tanh", shape, operands, arguments: (p) => [p.y!, p.x!, x.length] });
  const mirrored = Array.from(y!, (_, i) => (i === 2000 ? 0 : -y![x.length - 1 - i]!));
  expectClose(`tanh ${harness.variant}`, "y", y!, { values: mirrored, tolerance: "exact" });
  if (y!.some((value) => Math.abs(value) > 1)) throw new Error(`tanh ${harness.variant} leaves [−1, 1].`);
});

testVariants("sin", "exact zeros alone, and the multiples of π/2 that float32 comes nearest to", (harness) => {
  // The float32 next to a multiple of π/2: the reduction must keep 60 bits there.
  const x = Float32Array.from({ length: 4000 }, (_, k) => (k * Math.PI) / 2);
  for (const kernel of ["sin", "cos"] as const) {
    const operands = { y: { before: nans(x.length), after: expectUnary(UNARY[kernel], x) }, x: { before: x } };
    harness.run({ kernel, shape: "multiples of π/2", operands, arguments: (p) => [p.y!, p.x!, x.length] });
  }
});

test("erfc of the references: Abramowitz and Stegun, tables 7.1 and 7.3", () => {
  for (const [x, value] of [
    [0, 1],
    [0.5, 1 - 0.520499877813],
    [1, 1 - 0.842700792949715],
    [1.5, 1 - 0.966105146475311],
    [2, 1 - 0.995322265018953],
    [2.5, 4.069520174449589e-4],
    [5, 1.5374597944280349e-12],
    [-1, 1.842700792949715],
  ] as const) {
    const error = Math.abs(erfc(x) - value) / value;
    assert.ok(
      error < (x === 0.5 ? 1e-11 : 1e-12),
      `erfc(${String(x)}) is ${String(erfc(x))}, expected ${String(value)}`,
    );
  }
  assert.equal(erfc(Infinity), 0);
  assert.equal(erfc(-Infinity), 2);
  assert.ok(Number.isNaN(erfc(NaN)));
  // Series and continued fraction agree where they meet.
  assert.ok(Math.abs(erfc(2 - 2 ** -50) / erfc(2) - 1) < 1e-12);
});
