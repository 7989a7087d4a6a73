/** Losses as gates: a batch in, one number out. */
import { softmaxCrossEntropy as lossAndGradient, type Labels } from "../../losses.js";
import type { Tensor } from "../../tensor.js";
import { Value, type Operand } from "../value.js";
import { multiply, scale } from "./arithmetic.js";
import { softmax, softmaxGradient } from "./softmax.js";

/**
 * The mean over rows of −log softmax(logits)[label], one number: logits are rows × classes, labels one class for each row. Its
 * gradient is (softmax − onehot) / rows.
 */
export function softmaxCrossEntropy(logits: Operand, labels: Labels): Value {
  let gradient: Tensor | undefined;
  return Value.apply<readonly [logits: Value]>(
    {
      name: "softmaxCrossEntropy",
      forward: ([logits], recorded) => {
        const { loss, dLogits } = lossAndGradient(logits, labels);
        if (recorded) gradient = dLogits;
        else dLogits.dispose();
        return logits.runtime.tensor([loss]);
      },
      backward: (dy, [logits]) => [multiply(crossEntropyGradient(logits, labels), dy)],
      backwardKernels: (dy) => [multiply(gradient as Tensor, dy).tensor],
    },
    [logits],
  );
}

/** (softmax − onehot) / rows; its own gradient is that of softmax. */
function crossEntropyGradient(logits: Value, labels: Labels): Value {
  return Value.apply<readonly [logits: Value]>(
    {
      name: "softmaxCrossEntropy's gradient",
      forward: ([logits]) => lossAndGradient(logits, labels).dLogits,
      backward: (ddx, [logits]) => [scale(softmaxGradient(softmax(logits), ddx), 1 / (logits.shape[0] as number))],
    },
    [logits],
  );
}
