/** Softmax and log-softmax with their derivatives. losses.test.ts has stability and special values. */
import * as softmaxes from "../../reference/softmax.js";
import type { Accumulated } from "../../reference/matmul.js";
import type { Operand } from "../../support/harness.js";
import type { KernelName } from "../../support/kernels.js";
import { Layout } from "../../support/layout.js";
import type { Random } from "../../support/random.js";
import { nans, rowsOfManyScales, softmaxRoundings } from "../calls.js";
import { rowBands } from "./shapes.js";
import { add } from "./table.js";

type RowsReference = (
  rows: number,
  cols: number,
  random: Random,
) => { inputs: Record<string, Float32Array>; expected: Accumulated };

/** A kernel over rows: `output` ← f(inputs), each operand with another gap between its rows. */
function byRows(
  kernel: KernelName,
  output: string,
  roundings: (cols: number) => number,
  reference: RowsReference,
): void {
  add(kernel, {
    shapes: rowBands,
    call: ({ rows, cols, gap, rowBegin, rowEnd }, random) => {
      const [height, width] = [Math.max(rows, 0), Math.max(cols, 0)];
      const { inputs, expected } = reference(height, width, random);
      const names = [output, ...Object.keys(inputs)];
      const layouts = names.map((_, i) => new Layout(height, width, width + gap * (i + 1)));
      const tolerance = { roundings: roundings(width) };
      const after = layouts[0]!.expect(expected, tolerance, [rowBegin, rowEnd], [0, width]);
      const operands: Record<string, Operand> = { [output]: { before: nans(layouts[0]!.length), after } };
      Object.entries(inputs).forEach(([name, values], i) => {
        operands[name] = { before: layouts[i + 1]!.place(values) };
      });
      const strides = layouts.map(({ rowStride }) => rowStride);
      return {
        operands,
        arguments: (p) => [...names.map((name) => p[name]!), rows, cols, ...strides, rowBegin, rowEnd],
      };
    },
    inPlace: kernel.endsWith("Backward") ? [{ [output]: "y" }, { [output]: "dy" }] : [{ [output]: "x" }],
  });
}

byRows("softmax", "y", softmaxRoundings, (rows, cols, random) => {
  const x = rowsOfManyScales(random, rows, cols);
  return { inputs: { x }, expected: softmaxes.softmax(x, rows, cols) };
});
byRows("logSoftmax", "y", softmaxRoundings, (rows, cols, random) => {
  const x = rowsOfManyScales(random, rows, cols);
  return { inputs: { x }, expected: softmaxes.logSoftmax(x, rows, cols) };
});
byRows("softmaxBackward", "dx", softmaxRoundings, (rows, cols, random) => {
  const [y, dy] = [random.floats(rows * cols, 0, 1), random.floats(rows * cols)];
  return { inputs: { y, dy }, expected: softmaxes.softmaxBackward(y, dy, rows, cols) };
});
byRows("logSoftmaxBackward", "dx", softmaxRoundings, (rows, cols, random) => {
  const [y, dy] = [random.floats(rows * cols, -110, 0), random.floats(rows * cols)];
  return { inputs: { y, dy }, expected: softmaxes.logSoftmaxBackward(y, dy, rows, cols) };
});
