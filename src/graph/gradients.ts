/** Gradients of functions that are made of gates. */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { Value } from "./value.js";
import { toValue, Variables, type TensorsOf } from "./variables.js";

/** What a gradient may start from, and where it may go. */
export interface GradientOptions<Tree> {
  /** The gradient of f's result, of its shape: required where that is not one number, which has 1. */
  readonly seed?: Tensor | Value;
  /** Take the gradients, in the structure of the variables; for tensors only. What they hold is lost where f throws, too. */
  readonly out?: TensorsOf<Tree>;
}

/** The gradient of a function: tensors for tensors, and for values, inside another differentiation, values. */
export interface Gradient<Tree> {
  (variables: TensorsOf<Tree>, options?: GradientOptions<Tree>): TensorsOf<Tree>;
  (variables: Tree, options?: GradientOptions<Tree>): Tree;
}

/** Likewise, with the function's own value: a number where no seed came and tensors went in. */
export interface ValueAndGradient<Tree> {
  (
    variables: TensorsOf<Tree>,
    options: GradientOptions<Tree> & { readonly seed: Tensor },
  ): { readonly value: Tensor; readonly gradient: TensorsOf<Tree> };
  (
    variables: TensorsOf<Tree>,
    options?: GradientOptions<Tree>,
  ): { readonly value: number; readonly gradient: TensorsOf<Tree> };
  (variables: Tree, options?: GradientOptions<Tree>): { readonly value: Value; readonly gradient: Tree };
}

/**
 * The gradient of f as a function of f's variables: `grad((x) => sum(square(x)))(x)` is 2x. f takes a value, or an array or plain
 * object of values, and makes of it one number with gates; the gradient has the structure and the shapes of the variables
 * (the denominator layout), 0 where f does not depend on one. Tensors that f uses beside its variables are constants.
 *
 * The gradient's tensors are the caller's, or those of `out`; all others that f or the backward pass made are released. Calls
 * nest: inside another differentiation, on its values, the result is a value that can be differentiated again.
 *
 * Throws ShapeError where f's value is not one number and no seed came.
 */
export function grad<Tree = Value>(f: (variables: Tree) => Value, ...rest: never[]): Gradient<Tree> {
  return withOperation("grad", f, rest, ({ gradient }) => gradient) as Gradient<Tree>;
}

/** As grad, with f's value before: a number, or a tensor where a seed came. */
export function valueAndGrad<Tree = Value>(f: (variables: Tree) => Value, ...rest: never[]): ValueAndGradient<Tree> {
  return withOperation("valueAndGrad", f, rest, (result) => result) as ValueAndGradient<Tree>;
}

interface Result {
  readonly value: unknown;
  readonly gradient: unknown;
}

function withOperation(
  operation: string,
  f: (variables: never) => Value,
  rest: readonly unknown[],
  pick: (result: Result) => unknown,
) {
  checkFunction(operation, f, rest);
  return (tree: unknown, options: GradientOptions<unknown> = {}): unknown => {
    const { seed, out } = check.options(operation, options);
    const variables = new Variables(operation, tree);
    if (out !== undefined && variables.nested) {
      throw new ArgumentError(
        `${operation}: out came with variables that are values; it takes the gradients of tensors.`,
      );
    }
    const outs = out === undefined ? undefined : variables.alike("out", out);
    const run = () => {
      const at = (values: readonly Value[]) => f(variables.rebuild(values) as never);
      const { y, gradients } = gradientsAt(operation, at, variables.inputs, seed, outs);
      if (variables.nested) return pick({ value: y, gradient: variables.rebuild(gradients) });
      const tensors = gradients.map(({ tensor }, i) => {
        const out = outs?.[i];
        return out === tensor ? out : (out?.from(tensor) ?? copy(operation, tensor));
      });
      const value = seed ? copy(operation, y.tensor) : (y.toArray()[0] as number);
      return pick({ value, gradient: variables.rebuild(tensors) });
    };
    return variables.nested ? run() : variables.runtime.scope(run);
  };
}

/** f's value and its gradient by each input: zeros where it does not depend on one, and in its tensor of `outs` where that saves a copy. */
export function gradientsAt(
  operation: string,
  f: (inputs: readonly Value[]) => Value,
  inputs: readonly Value[],
  seed?: Tensor | Value,
  outs?: readonly Tensor[],
): { readonly y: Value; readonly gradients: readonly Value[] } {
  const result = (variables: readonly Value[]) => [checkValue(operation, f(variables))];
  return Value.differentiate(operation, inputs, result, ([y], pull) => {
    const dy = startOf(operation, y as Value, seed);
    return { y: y as Value, gradients: orZeros(pull([dy], outs), inputs) };
  });
}

/** Gradients, with zeros where none came. */
export function orZeros(gradients: readonly (Value | undefined)[], inputs: readonly Value[]): readonly Value[] {
  return gradients.map((gradient, i) => {
    const { runtime, shape } = (inputs[i] as Value).tensor;
    return gradient ?? Value.constant(runtime.zeros(shape));
  });
}

/** A function to differentiate, and nothing beside it: `grad(f, x)` would give a function that has never seen x. */
export function checkFunction(operation: string, f: unknown, rest: readonly unknown[]): void {
  if (typeof f !== "function") check.argument(operation, "f", f, "a function");
  if (rest.length === 0) return;
  throw new ArgumentError(
    `${operation}: ${String(rest.length + 1)} arguments came; it takes f alone and gives a function, as in ${operation}(f)(x).`,
  );
}

/** What f returned: a value. */
export function checkValue(operation: string, y: Value): Value {
  if (y instanceof Value) return y;
  check.synchronous(operation, "f", y);
  return check.argument(operation, "f's result", y, "a value that gates made, such as sum(x)");
}

/** The gradient of f's result that the backward pass starts from. */
function startOf(operation: string, y: Value, seed: Tensor | Value | undefined): Value {
  const { runtime, shape, size } = y.tensor;
  if (seed === undefined) {
    if (size === 1) return Value.constant(runtime.tensor([1], shape));
    throw new ShapeError(
      `${operation}: f's value is ${check.showShape(shape)}, not one number; ` +
        `reduce it with sum or mean, or give a seed of its shape: the gradient to start from.`,
    );
  }
  const start = toValue(operation, "seed", seed);
  check.tensor(operation, "seed", start.tensor, runtime);
  check.shape(operation, "seed", start.tensor, shape, "it must have the shape of f's value");
  return start;
}

/** A new tensor with a tensor's elements: what a caller gets shares nothing with what he gave. */
export function copy(operation: string, tensor: Tensor): Tensor {
  return tensor.runtime.empty(operation, tensor.shape, "float32").from(tensor);
}

/** A tensor as a value that depends on nothing: for functions that take only values, such as an inner gradient. */
export function constant(tensor: Tensor): Value {
  return toValue("constant", "tensor", tensor);
}
