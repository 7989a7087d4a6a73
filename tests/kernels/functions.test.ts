import { expectClose, type Tolerance } from "../support/compare.js";
import { testVariants } from "../support/harness.js";
import { nans, TANH_ULP } from "./calls.js";

/** Every so many of the 2³² floats: a prime, so that all exponents and all low bits occur. `npm run accuracy` takes all. */
const STEP = 7919;

const inputs = new Float32Array(Uint32Array.from({ length: Math.floor(2 ** 32 / STEP) }, (_, i) => i * STEP).buffer);

for (const [kernel, reference, ulp] of [
  ["tanh", Math.tanh, TANH_ULP],
  ["exp", Math.exp, 1],
  ["log", Math.log, 1],
] as const) {
  const tolerance: Tolerance = { ulp };
  testVariants(kernel, `within ${String(ulp)} ULP over the whole range of float32`, (harness) => {
    harness.run({
      kernel,
      shape: `every ${String(STEP)}th float32`,
      operands: {
        y: { before: nans(inputs.length), after: { values: Float64Array.from(inputs, reference), tolerance } },
        x: { before: inputs },
      },
      arguments: (p) => [p.y!, p.x!, inputs.length],
    });
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
