import { UNARY } from "../reference/unary.js";
import { expectClose } from "../support/compare.js";
import { testVariants } from "../support/harness.js";
import type { KernelName } from "../support/kernels.js";
import { nans } from "./calls.js";

/** Every so many of the 2³² floats: a prime, so that all exponents and all low bits occur. `npm run accuracy` takes all. */
const STEP = 7919;

const inputs = new Float32Array(Uint32Array.from({ length: Math.floor(2 ** 32 / STEP) }, (_, i) => i * STEP).buffer);

for (const [kernel, { reference, tolerance, scalars }] of Object.entries(UNARY)) {
  const bound = tolerance === "exact" ? "exact" : `within ${String(tolerance.ulp)} ULP`;
  const values = Float64Array.from(inputs, reference);
  testVariants(kernel, `${bound} over the whole range of float32`, (harness) => {
    harness.run({
      kernel: kernel as KernelName,
      shape: `every ${String(STEP)}th float32`,
      operands: { y: { before: nans(inputs.length), after: { values, tolerance } }, x: { before: inputs } },
      arguments: (p) => [p.y!, p.x!, inputs.length, ...scalars],
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
