/** Losses with their gradients. */
import * as losses from "../../tests/reference/losses.js";
import { expectClose } from "../../tests/support/compare.js";
import { FEW, f32, twice, type BenchCase } from "./setup.js";

/** Loss and gradient of every row. */
export function softmaxCrossEntropy(rows: number, classes: number): BenchCase {
  const n = rows * classes;
  return {
    name: `softmaxCrossEntropy ${rows}x${classes}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "copy", length: 4 * n, arrays: [1, 2] },
    prepare: (desk) =>
      twice(desk.kernels.softmaxCrossEntropy, () => {
        const logits = desk.uniform(n, -5, 5);
        const labels = desk.integers(rows, classes);
        const [loss, dLogits] = [desk.output(rows), desk.output(n)];
        const args = [loss, dLogits, logits, labels, rows, classes, classes, classes, 1 / rows, 0, rows];
        const check = () => {
          const [x, targets] = [desk.floats(logits, n), desk.ints(labels, rows)];
          const expected = losses.softmaxCrossEntropy(x, targets, rows, classes, 1 / rows);
          const tolerance = { roundings: classes + 16 };
          expectClose("softmaxCrossEntropy", "loss", desk.floats(loss, rows), { ...expected.loss, tolerance });
          expectClose("softmaxCrossEntropy", "dLogits", desk.floats(dLogits, n), { ...expected.dLogits, tolerance });
        };
        return { args, check };
      }),
  };
}

/** Softmax cross-entropy against probability rows with label smoothing. */
export function softmaxCrossEntropyWeighted(rows: number, classes: number): BenchCase {
  const n = rows * classes;
  return {
    name: `softmaxCrossEntropyWeighted ${rows}x${classes}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [1, 2, 3] },
    prepare: (desk) =>
      twice(desk.kernels.softmaxCrossEntropyWeighted, () => {
        const [logits, targets] = [desk.uniform(n, -5, 5), desk.uniform(n, 0, 1)];
        const [loss, dLogits] = [desk.output(rows), desk.output(n)];
        const check = () => {
          const inputs = [desk.floats(logits, n), desk.floats(targets, n)] as const;
          const expected = losses.softmaxCrossEntropyWeighted(...inputs, undefined, rows, classes, 0.125, 0.5);
          const tolerance = { roundings: 2 * classes + 24 };
          const name = "softmaxCrossEntropyWeighted";
          expectClose(name, "loss", desk.floats(loss, rows), { ...expected.loss, tolerance });
          expectClose(name, "dLogits", desk.floats(dLogits, n), { ...expected.dLogits, tolerance });
        };
        const strides = [classes, classes, classes];
        return {
          args: [loss, dLogits, logits, targets, 0, rows, classes, ...strides, 1, 0, 0.125, 0.5, 0, rows],
          check,
        };
      }),
  };
}

/** Squared errors of every row and their gradient. */
export function meanSquaredError(rows: number, columns: number): BenchCase {
  const n = rows * columns;
  return {
    name: `meanSquaredError ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [1, 2, 3] },
    prepare: (desk) =>
      twice(desk.kernels.meanSquaredError, () => {
        const [y, target] = [desk.uniform(n), desk.uniform(n)];
        const [loss, dy] = [desk.output(rows), desk.output(n)];
        const check = () => {
          const expected = losses.meanSquaredError(
            desk.floats(y, n),
            desk.floats(target, n),
            rows,
            columns,
            f32(2 / n),
          );
          const tolerance = { roundings: columns + 8 };
          const actual = desk.floats(loss, rows);
          expectClose("meanSquaredError", "loss", actual, {
            values: expected.loss,
            magnitude: expected.loss,
            tolerance,
          });
          const magnitude = expected.dy.map(() => 4 / n);
          expectClose("meanSquaredError", "dy", desk.floats(dy, n), { values: expected.dy, magnitude, tolerance: FEW });
        };
        return { args: [loss, dy, y, target, rows, columns, f32(2 / n), 0, rows], check };
      }),
  };
}

/** A loss of y and a target, element by element, and dy. */
export function elementwiseLoss(
  kernel: "meanAbsoluteError" | "huber" | "sigmoidBinaryCrossEntropy",
  rows: number,
  columns: number,
): BenchCase {
  const n = rows * columns;
  const [term, parameters] = {
    meanAbsoluteError: [losses.absolute, []] as const,
    huber: [losses.huber(1), [1]] as const,
    sigmoidBinaryCrossEntropy: [losses.logistic, []] as const,
  }[kernel];
  return {
    name: `${kernel} ${rows}x${columns}`,
    unit: "ns/element",
    amount: n,
    limit: { stream: "scaleAdd", length: 4 * n, arrays: [1, 2, 3] },
    prepare: (desk) => {
      const run: (...args: number[]) => void = desk.kernels[kernel];
      return twice(run, () => {
        const [y, target] = [desk.uniform(n, -4, 4), desk.uniform(n, 0, 1)];
        const [loss, dy] = [desk.output(rows), desk.output(n)];
        const check = () => {
          const expected = losses.elementwise(term, desk.floats(y, n), desk.floats(target, n), rows, columns, 0.5);
          const tolerance = { roundings: columns };
          expectClose(kernel, "loss", desk.floats(loss, rows), { ...expected.loss, tolerance });
          expectClose(kernel, "dy", desk.floats(dy, n), { ...expected.dy, tolerance });
        };
        return { args: [loss, dy, y, target, rows, columns, ...parameters, 0.5, 0, rows], check };
      });
    },
  };
}
