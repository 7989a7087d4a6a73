/** Ways to make gates: one's own, and those that stand for a composition of gates and run as few kernels. */
import * as check from "../check.js";
import { gradientsAt } from "./gradients.js";
import { Value, type Gate, type Operand } from "./value.js";

/**
 * A gate of one's own, as a function of as many operands as forward takes:
 *
 *     const cube = gate<[x: Value]>({
 *       name: "cube",
 *       forward: ([x]) => …, // a new tensor, by any functions over tensors
 *       backward: (dy, [x]) => [multiply(dy, multiply(3, square(x)))],
 *     });
 */
export function gate<Inputs extends readonly Value[] = readonly Value[]>(
  definition: Gate<Inputs>,
): (...operands: { readonly [Key in keyof Inputs]: Operand }) => Value {
  const { name, forward, backward, backwardKernels } = check.options("gate", definition, "definition");
  if (typeof name !== "string") check.argument("gate", "name", name, "a string");
  if (typeof forward !== "function") check.argument("gate", "forward", forward, "a function");
  if (typeof backward !== "function") check.argument("gate", "backward", backward, "a function");
  if (backwardKernels !== undefined && typeof backwardKernels !== "function") {
    check.argument("gate", "backwardKernels", backwardKernels, "a function or undefined");
  }
  return (...operands) => Value.apply(definition, operands);
}

/** The two passes of a fused gate, by kernels. */
export interface FusedKernels<Inputs extends readonly Value[]> {
  readonly forward: Gate<Inputs>["forward"];
  readonly backward: NonNullable<Gate<Inputs>["backwardKernels"]>;
}

/**
 * A gate that means `byGates`, a composition of other gates, and runs as kernels. Where its backward pass is itself
 * differentiated, that of the composition takes its place.
 */
export function fused<Inputs extends readonly Value[]>(
  name: string,
  byGates: (inputs: Inputs) => Value,
  { forward, backward }: FusedKernels<Inputs>,
): Gate<Inputs> {
  return {
    name,
    forward,
    backward: (dy, inputs) => gradientsAt(name, (at) => byGates(at as unknown as Inputs), inputs, dy).gradients,
    backwardKernels: backward,
  };
}
