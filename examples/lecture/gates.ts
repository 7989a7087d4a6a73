/** Gates and what they do to a gradient: add distributes, multiply switches, max routes; paths that converge add up. */
import { add, exp, grad, maximum, multiply, relu, square, sum, type Value } from "simdgrad/graph";
import type { Runtime } from "simdgrad";
import { equal, type Part } from "./claim.js";

type Pair = { readonly x: Value; readonly y: Value };

export const gates: Part = {
  name: "gates",
  title: "A gate view of gradients",
  run(runtime: Runtime) {
    const x = runtime.tensor([3, -1, 2]);
    const y = runtime.tensor([-2, 4, 5]);
    const upstream = runtime.tensor([1, 10, 100]);
    const gradients = (gate: (x: Value, y: Value) => Value): number[] => {
      const { x: dx, y: dy } = grad(({ x, y }: Pair) => gate(x, y))({ x, y }, { seed: upstream });
      return [...dx.toArray(), ...dy.toArray()];
    };
    const converging = grad((x) => sum(add(square(x), exp(x))))(x).toArray();
    const first = grad((x) => sum(square(x)))(x).toArray();
    const second = grad((x) => sum(exp(x)))(x).toArray();
    return {
      claims: [
        equal("add gate: distributes the gradient to both inputs", gradients(add), [1, 10, 100, 1, 10, 100], 0),
        equal("multiply gate: switches, each input gets the other", gradients(multiply), [-2, 40, 500, 3, -10, 200], 0),
        equal("max gate: routes to the greater, 0 to the other", gradients(maximum), [1, 0, 0, 0, 10, 100], 0),
        equal("ReLU gate: I{x > 0}", grad((x) => sum(relu(x)))(x).toArray(), [1, 0, 1], 0),
        equal(
          "converging paths: dL/dx = dL/dq1 + dL/dq2",
          converging,
          first.map((value, i) => value + second[i]!),
          1e-6,
        ),
      ],
    };
  },
};
