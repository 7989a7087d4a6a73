/** The gradient beside differences of the function itself: a test of one's own gates. */
import * as check from "../check.js";
import { GradientError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { checkFunction, constant, copy, gradientsAt } from "./gradients.js";
import type { Value } from "./value.js";
import { Variables, type TensorsOf } from "./variables.js";

export interface CheckGradientsOptions {
  /** How far each element is moved, relative to max(1, |x|); 2⁻⁶ by default. f must be smooth within twice as much. */
  readonly step?: number;
  /** The difference that passes, relative to max(1, |gradient|), beside what float32 cannot tell; 10⁻³ by default. */
  readonly tolerance?: number;
}

/** One element's gradient, by the backward pass and by differences. */
export interface GradientComparison {
  /** Which element: "variables.W[5]", counted row by row. */
  readonly element: string;
  readonly gradient: number;
  readonly difference: number;
}

/** The comparison at some variables. */
export type GradientCheck<Tree> = (variables: TensorsOf<Tree>, options?: CheckGradientsOptions) => GradientComparison;

/** f is only known to some roundings of its size, and a difference divides them by the step. */
const ROUNDINGS = 4 / 16777216;

/**
 * Compares the gradient of f, which makes one number, with central differences of fourth order at every element of the variables, at
 * four evaluations of f each. Returns the element where they are furthest apart; throws GradientError, which names it, where
 * that is too far. What is not differentiable within two steps of the variables, such as a ReLU near 0, may fail.
 */
export function checkGradients<Tree = Value>(f: (variables: Tree) => Value, ...rest: never[]): GradientCheck<Tree> {
  const operation = "checkGradients";
  checkFunction(operation, f, rest);
  const compare = (tree: unknown, options: CheckGradientsOptions = {}): GradientComparison => {
    const { step = 0.015625, tolerance = 1e-3 } = check.options(operation, options);
    check.positive(operation, "step", step);
    check.positive(operation, "tolerance", tolerance);
    const variables = new Variables(operation, tree);
    const { inputs, paths, runtime } = variables;
    const at = (values: readonly Value[]) => f(variables.rebuild(values) as never);
    return runtime.scope(() => {
      const { gradients } = gradientsAt(operation, at, inputs);
      const points = inputs.map(({ tensor }) => constant(copy(operation, tensor)));
      const value = () => runtime.scope(() => at(points).toArray()[0] as number);
      let worst: GradientComparison & { readonly excess: number } = {
        element: "",
        gradient: 0,
        difference: 0,
        excess: -1,
      };
      points.forEach(({ tensor }, k) => {
        (gradients[k] as Value).toArray().forEach((gradient, i) => {
          const { difference, uncertainty } = differenceAt(tensor, i, step, value);
          const allowed = tolerance * Math.max(1, Math.abs(gradient)) + uncertainty;
          const excess = Math.abs(gradient - difference) / allowed;
          if (excess <= worst.excess) return;
          worst = { element: `variables${paths[k] as string}[${String(i)}]`, gradient, difference, excess };
        });
      });
      const { element, gradient, difference, excess } = worst;
      if (excess <= 1) return { element, gradient, difference };
      throw new GradientError(
        `${operation}: the gradient of ${element} is ${String(gradient)} by the backward pass ` +
          `but ${String(Math.fround(difference))} by differences; they must agree.`,
      );
    });
  };
  return compare;
}

/** The derivative of `value` by one element of a tensor, which is moved and put back, and how well float32 tells it. */
function differenceAt(
  tensor: Tensor,
  index: number,
  step: number,
  value: () => number,
): { readonly difference: number; readonly uncertainty: number } {
  const { runtime } = tensor;
  const place = (tensor.pointer >>> 2) + index;
  const x = runtime.heapF32[place] as number;
  const h = step * Math.max(1, Math.abs(x));
  const [far, near, nearUp, farUp] = [-2 * h, -h, h, 2 * h].map((move) => {
    runtime.heapF32[place] = x + move;
    return value();
  }) as [number, number, number, number];
  runtime.heapF32[place] = x;
  return {
    difference: (8 * (nearUp - near) - (farUp - far)) / (12 * h),
    uncertainty: (ROUNDINGS * Math.max(Math.abs(near), Math.abs(nearUp))) / h,
  };
}
