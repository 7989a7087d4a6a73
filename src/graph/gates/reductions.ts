/** Sums, and what undoes them, as gates. */
import { Value, type Operand } from "../value.js";

/** The sum of all elements, one number: distributes its gradient to all of them. */
export function sum(x: Operand): Value {
  return Value.apply<[x: Value]>(
    {
      name: "sum",
      forward: ([{ runtime, pointer, size }]) => {
        const y = runtime.empty("sum", [1], "float32");
        runtime.kernels.columnSums(y.pointer, pointer, size, 1, 1, 0, 0, 1);
        return y;
      },
      backward: (dy, [{ shape }]) => [expand(dy, shape)],
    },
    [x],
  );
}

/** A shape filled with one number. */
function expand(x: Value, shape: readonly number[]): Value {
  return Value.apply<[x: Value]>(
    {
      name: "expand",
      forward: ([x]) => {
        const y = x.runtime.empty("expand", shape, "float32");
        const begin = y.pointer >>> 2;
        x.runtime.heapF32.fill(x.toArray()[0] as number, begin, begin + y.size);
        return y;
      },
      backward: (dy) => [sum(dy)],
    },
    [x],
  );
}
