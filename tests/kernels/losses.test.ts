import assert from "node:assert/strict";
import { softmaxCrossEntropy } from "../reference/losses.js";
import { logSoftmax, softmax } from "../reference/softmax.js";
import { expectClose, expectSameBits } from "../support/compare.js";
import { testVariants } from "../support/harness.js";
import { Random } from "../support/random.js";
import { nans, softmaxCall, softmaxRoundings } from "./calls.js";

const CLASSES = 10;

function labelsFor(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => i % CLASSES);
}

testVariants("softmaxCrossEntropy", "stable for logits of ±1e4: finite, and right to the last bits", (harness) => {
  for (const scale of [1e4, 1e3, 88, 1]) {
    const rows = 40;
    const random = new Random(scale);
    const logits = Float32Array.from({ length: rows * CLASSES }, () =>
      random.pick([-scale, scale, 0, random.uniform() * scale]),
    );
    const { loss, dLogits } = harness.run(softmaxCall({ rows, cols: CLASSES }, logits, labelsFor(rows)));
    assert.ok([...loss!, ...dLogits!].every(Number.isFinite), `not finite at ${String(scale)}`);
  }
});

testVariants(
  "softmaxCrossEntropy",
  "adding a constant to a row changes nothing; equal logits give log(classes)",
  (harness) => {
    const logits = Float32Array.from({ length: 8 * CLASSES }, (_, at) => (at % CLASSES) / 4);
    const plain = harness.run(softmaxCall({ rows: 8, cols: CLASSES }, logits, labelsFor(8)));
    const moved = harness.run(
      softmaxCall(
        { rows: 8, cols: CLASSES },
        logits.map((x) => x + 512),
        labelsFor(8),
      ),
    );
    const context = `softmaxCrossEntropy ${harness.variant}`;
    expectSameBits(context, "loss", moved.loss!, plain.loss!);
    expectSameBits(context, "dLogits", moved.dLogits!, plain.dLogits!);
    const { loss } = harness.run(softmaxCall({ rows: 4, cols: CLASSES }, new Float32Array(4 * CLASSES), labelsFor(4)));
    expectClose(context, "loss", loss!, { values: loss!.map(() => Math.log(CLASSES)), tolerance: { ulp: 2 } });
  },
);

testVariants(
  "softmaxCrossEntropy",
  "a row's gradients add up to 0, and equal central differences of the loss",
  (harness) => {
    const [rows, scale] = [5, 0.5];
    const random = new Random(3);
    const logits = random.floats(rows * CLASSES, -3, 3);
    const labels = labelsFor(rows);
    const { dLogits } = harness.run(softmaxCall({ rows, cols: CLASSES, scale }, logits, labels));
    for (let i = 0; i < rows; i++) {
      const sum = [...dLogits!.slice(i * CLASSES, (i + 1) * CLASSES)].reduce(
        (total: number, value) => total + value,
        0,
      );
      assert.ok(Math.abs(sum) < 1e-6, `row ${String(i)} adds up to ${String(sum)}`);
    }
    logits.forEach((_, at) => {
      const loss = (step: number) => {
        const moved = Float64Array.from(logits);
        moved[at]! += step;
        return softmaxCrossEntropy(moved, labels, rows, CLASSES, scale).loss.values[Math.floor(at / CLASSES)]! * scale;
      };
      const difference = (loss(1e-6) - loss(-1e-6)) / 2e-6;
      assert.ok(
        Math.abs(difference - dLogits![at]!) < 1e-6,
        `dLogits[${String(at)}] is ${String(dLogits![at])}, not ${String(difference)}`,
      );
    });
  },
);

testVariants("softmaxCrossEntropy", "NaN and infinities as IEEE has them, in their own row alone", (harness) => {
  for (const values of [[NaN], [Infinity], [-Infinity], [Infinity, -Infinity], [NaN, Infinity], [Infinity, Infinity]]) {
    for (const column of [0, 3, 8]) {
      const logits = new Random(4).floats(9 * CLASSES);
      values.forEach((value, i) => (logits[4 * CLASSES + column + i] = value));
      harness.run(softmaxCall({ rows: 9, cols: CLASSES }, logits, labelsFor(9)));
    }
  }
  const all = new Float32Array(3 * CLASSES).fill(-Infinity, CLASSES, 2 * CLASSES);
  harness.run(softmaxCall({ rows: 3, cols: CLASSES }, all, labelsFor(3)));
});

testVariants("softmaxCrossEntropy", "a band of rows has the bits of the whole", (harness) => {
  const [rows, cols] = [23, 37];
  const logits = new Random(5).floats(rows * cols, -20, 20);
  const whole = harness.run(softmaxCall({ rows, cols }, logits, labelsFor(rows)));
  for (const band of [
    [0, 1],
    [1, 8],
    [5, 22],
    [22, 23],
  ] as const) {
    const part = harness.run(softmaxCall({ rows, cols, band }, logits, labelsFor(rows)));
    const context = `softmaxCrossEntropy ${harness.variant} [rows ${band.join(" to ")}]`;
    expectSameBits(context, "loss", part.loss!.slice(...band), whole.loss!.slice(...band));
    const [from, to] = [band[0] * cols, band[1] * cols];
    expectSameBits(context, "dLogits", part.dLogits!.slice(from, to), whole.dLogits!.slice(from, to));
  }
});

for (const [kernel, reference] of [
  ["softmax", softmax],
  ["logSoftmax", logSoftmax],
] as const) {
  testVariants(
    kernel,
    "stable for values of ±1e4; NaN and infinities as IEEE has them, in their own row alone",
    (harness) => {
      const rows = 16;
      const x = Float32Array.from({ length: rows * CLASSES }, (_, at) =>
        at % 7 === 0 ? 1e4 : at % 5 === 0 ? -1e4 : at % 3,
      );
      const special = [[NaN], [Infinity], [-Infinity], [Infinity, -Infinity], [NaN, Infinity], [Infinity, Infinity]];
      special.forEach((values, i) => values.forEach((value, j) => (x[(2 * i + 1) * CLASSES + 3 * i + j] = value)));
      x.fill(-Infinity, 13 * CLASSES, 14 * CLASSES);
      const tolerance = { roundings: softmaxRoundings(CLASSES) };
      const after = { ...reference(x, rows, CLASSES), tolerance };
      harness.run({
        kernel,
        shape: `${String(rows)}×${String(CLASSES)}`,
        operands: { y: { before: nans(x.length), after }, x: { before: x } },
        arguments: (p) => [p.y!, p.x!, rows, CLASSES, CLASSES, CLASSES, 0, rows],
      });
    },
  );
}
