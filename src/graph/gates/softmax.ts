/** Softmax over the rows of a matrix, as gates. */
import * as kernels from "../../ops/softmax.js";
import { Value, type Operand } from "../value.js";
import { exp, multiply, subtract } from "./arithmetic.js";
import { sum } from "./reductions.js";

const ALONG_ROWS = { axis: 1, keepDims: true } as const;

/** exp(x) / Σ exp(x) by rows. */
export function softmax(x: Operand): Value {
  return Value.apply<readonly [x: Value]>(
    {
      name: "softmax",
      forward: ([x]) => kernels.softmax(x),
      backward: (dy, _, y) => [softmaxGradient(y, dy)],
      backwardKernels: (dy, _, y) => [kernels.softmaxBackward(y, dy)],
    },
    [x],
  );
}

/** y · (dy − Σ y · dy) by rows, where y = softmax(x). */
export function softmaxGradient(y: Value, dy: Value): Value {
  return multiply(y, subtract(dy, sum(multiply(y, dy), ALONG_ROWS)));
}

/** x − ln Σ exp(x) by rows: dx = dy − exp(y) · Σ dy. */
export function logSoftmax(x: Operand): Value {
  return Value.apply<readonly [x: Value]>(
    {
      name: "logSoftmax",
      forward: ([x]) => kernels.logSoftmax(x),
      backward: (dy, _, y) => [subtract(dy, multiply(exp(y), sum(dy, ALONG_ROWS)))],
      backwardKernels: (dy, _, y) => [kernels.logSoftmaxBackward(y, dy)],
    },
    [x],
  );
}
