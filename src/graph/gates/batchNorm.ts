/** Batch norm as a fused gate, and what it means in gates. */
import * as check from "../../check.js";
import { batchNorm as normalize, batchNormBackward, type BatchNormOptions } from "../../ops/batchNorm.js";
import type { Tensor } from "../../tensor.js";
import { fused } from "../gate.js";
import { Value, type Operand } from "../value.js";
import { relu } from "./activations.js";
import { add, divide, multiply, square, sqrt, subtract } from "./arithmetic.js";
import { columnMeans } from "./reductions.js";

export type BatchNormGateOptions = Omit<BatchNormOptions, "out" | "training">;

/**
 * γ · (x − μ) / √(σ² + eps) + β by columns of x, rows × columns, with the batch's mean and biased variance (Ioffe & Szegedy 2015);
 * `activation` applies a ReLU in the same pass, and running statistics are updated if they came.
 */
export function batchNorm(x: Operand, gamma: Operand, beta: Operand, options: BatchNormGateOptions = {}): Value {
  const { eps = 1e-5, activation } = check.options("batchNorm", options);
  let saved: Tensor | undefined;
  return Value.apply<readonly [x: Value, gamma: Value, beta: Value]>(
    fused("batchNorm", (inputs) => byGates(inputs, eps, activation), {
      forward: ([x, gamma, beta], recorded) => {
        const result = normalize(x, gamma, beta, options);
        if (recorded) saved = result.saved;
        else result.saved.dispose();
        return result.y;
      },
      backward: (dy, [x, gamma, beta], _, __, [outX, outGamma, outBeta]) => {
        const out = {
          ...(outX && { dx: outX }),
          ...(outGamma && { dGamma: outGamma }),
          ...(outBeta && { dBeta: outBeta }),
        };
        const given = { out, ...(activation && { activation }) };
        const { dx, dGamma, dBeta } = batchNormBackward(dy, x, saved as Tensor, gamma, beta, given);
        return [dx, dGamma, dBeta];
      },
    }),
    [x, gamma, beta],
  );
}

function byGates(
  [x, gamma, beta]: readonly [x: Value, gamma: Value, beta: Value],
  eps: number,
  activation: BatchNormOptions["activation"],
): Value {
  const centred = subtract(x, columnMeans(x));
  const deviation = sqrt(add(columnMeans(square(centred)), eps));
  const y = add(multiply(gamma, divide(centred, deviation)), beta);
  return activation === "relu" ? relu(y) : y;
}
