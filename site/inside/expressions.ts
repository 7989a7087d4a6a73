/** Small expressions as graphs of gates, with the value and the gradient on every edge. */
import type { Runtime } from "../../src/core.js";
import { add, exp, log, maximum, multiply, relu, square, subtract, valueAndGrad, type Value } from "../../src/graph.js";
import type { Drawn, ExpressionName } from "./drawnGraph.js";

/** A gate's sign, what it takes (inputs or gates before it, by name) and what it does. */
interface Step {
  readonly name: string;
  readonly sign: string;
  readonly of: readonly string[];
  readonly apply: (...operands: readonly Value[]) => Value;
}

/** Gates in order, the last one the result. */
type Expression = readonly Step[];

const two = (gate: (a: Value, b: Value) => Value) => (a?: Value, b?: Value) => gate(a!, b!);
const one = (gate: (a: Value) => Value) => (a?: Value) => gate(a!);

const EXPRESSIONS: Record<ExpressionName, Expression> = {
  gates: [
    { name: "sum", sign: "+", of: ["x", "y"], apply: two(add) },
    { name: "larger", sign: "max", of: ["y", "z"], apply: two(maximum) },
    { name: "f", sign: "×", of: ["sum", "larger"], apply: two(multiply) },
  ],
  neuron: [
    { name: "product", sign: "×", of: ["w", "x"], apply: two(multiply) },
    { name: "sum", sign: "+", of: ["product", "b"], apply: two(add) },
    { name: "h", sign: "ReLU", of: ["sum"], apply: one(relu) },
    { name: "error", sign: "−", of: ["h", "z"], apply: two(subtract) },
    { name: "loss", sign: "a²", of: ["error"], apply: one(square) },
  ],
  softplus: [
    { name: "power", sign: "exp", of: ["x"], apply: one(exp) },
    { name: "sum", sign: "+ 1", of: ["power"], apply: one((power) => add(power, 1)) },
    { name: "y", sign: "ln", of: ["sum"], apply: one(log) },
  ],
};

/**
 * Evaluates an expression and sends the gradient back. Every edge adds a variable that is 0: the result's gradient by it is what
 * flows back along that edge.
 */
export function evaluate(runtime: Runtime, name: ExpressionName, inputs: Readonly<Record<string, number>>): Drawn {
  const steps = EXPRESSIONS[name];
  return runtime.scope(() => {
    const values = new Map<string, number>(Object.entries(inputs));
    const edges = steps.flatMap(({ name: to, of }) => of.map((from) => ({ from, to })));
    const { gradient } = valueAndGrad((probes: readonly Value[]) => {
      const known = new Map<string, Value>();
      let probe = 0;
      let result: Value | undefined;
      for (const { name, of, apply } of steps) {
        const operands = of.map((from) => add(probes[probe++]!, known.get(from) ?? inputs[from]!));
        result = apply(...operands);
        known.set(name, result);
        values.set(name, result.toArray()[0]!);
      }
      return result!;
    })(edges.map(() => runtime.zeros([1])));
    const signs = new Map(steps.map(({ name, sign }) => [name, sign]));
    return {
      nodes: [...values].map(([name, value]) => ({ name, value, sign: signs.get(name) })),
      edges: edges.map((edge, i) => ({ ...edge, gradient: gradient[i]!.toArray()[0]! })),
    };
  });
}
