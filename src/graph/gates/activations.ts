/** Activations as gates. */
import { relu as reluKernel, reluBackward } from "../../ops/activations.js";
import { Value, type Operand } from "../value.js";

/** max(x, 0): routes the gradient to where x > 0. */
export function relu(x: Operand): Value {
  return Value.apply<[x: Value]>(
    {
      name: "relu",
      forward: ([x]) => reluKernel(x),
      backward: (dy, _, y) => [reluGradient(y, dy)],
    },
    [x],
  );
}

/** dy where y > 0, else 0: linear in dy, and constant in y wherever it has a derivative. */
function reluGradient(y: Value, dy: Value): Value {
  return Value.apply<[y: Value, dy: Value]>(
    {
      name: "relu's gradient",
      forward: ([y, dy]) => reluBackward(y, dy),
      backward: (ddx, [y]) => [undefined, reluGradient(y, ddx)],
    },
    [y, dy],
  );
}
