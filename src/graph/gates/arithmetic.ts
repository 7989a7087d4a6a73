/** Arithmetic element by element, as gates. */
import * as check from "../../check.js";
import { Value, type Operand } from "../value.js";

/** factor · x for a number that nobody differentiates. */
export function scale(x: Operand, factor: number): Value {
  check.finite("scale", "factor", factor);
  return Value.apply<[x: Value]>(
    {
      name: "scale",
      forward: ([x]) => {
        const y = x.runtime.empty("scale", x.shape, "float32");
        x.runtime.kernels.scale(y.pointer, x.pointer, x.size, factor);
        return y;
      },
      backward: (dy) => [scale(dy, factor)],
    },
    [x],
  );
}
