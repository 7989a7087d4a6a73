/** Derivatives with more than one output: the Jacobian, the Hessian and its product with a vector. */
import * as check from "../check.js";
import type { Tensor } from "../tensor.js";
import { checkFunction, checkValue, copy, gradientsAt, orZeros } from "./gradients.js";
import { Value } from "./value.js";
import { toValue, Variables, type TensorsOf } from "./variables.js";

/**
 * The Jacobian of f as a function of its variable: ∂y_i/∂x_j in row i and column j, outputs × inputs, elements of each counted row
 * by row. Costs f once and one backward pass for each output. Its transpose is the derivative in the denominator layout.
 */
export function jacobian(f: (x: Value) => Value, ...rest: never[]): (x: Tensor) => Tensor {
  checkFunction("jacobian", f, rest);
  return jacobianOf("jacobian", f);
}

/**
 * The Hessian of f, which makes one number, as a function of its variable: ∂²f/∂x_i∂x_j, inputs × inputs. It is the Jacobian of the
 * gradient, a backward pass through the recorded backward pass for each input.
 */
export function hessian(f: (x: Value) => Value, ...rest: never[]): (x: Tensor) => Tensor {
  const operation = "hessian";
  checkFunction(operation, f, rest);
  const gradient = (x: Value) => gradientsAt(operation, ([x]) => f(x as Value), [x]).gradients[0] as Value;
  return jacobianOf(operation, gradient);
}

function jacobianOf(operation: string, f: (x: Value) => Value): (x: Tensor) => Tensor {
  return (x) => {
    const runtime = check.runtimeOf(operation, "x", x);
    const input = toValue(operation, "x", x);
    const result = ([x]: readonly Value[]) => [checkValue(operation, f(x as Value))];
    return runtime.scope(() =>
      Value.differentiate(operation, [input], result, ([y], pull) => {
        const { size, shape } = (y as Value).tensor;
        const matrix = runtime.zeros([size, x.size]);
        const seed = runtime.zeros(shape);
        for (let i = 0; i < size; i++) {
          runtime.scope(() => {
            runtime.heapF32[(seed.pointer >>> 2) + i] = 1;
            const [row] = pull([Value.constant(seed)]);
            if (row) {
              const { pointer, byteLength } = row.tensor;
              runtime.heapU8.copyWithin(matrix.pointer + i * byteLength, pointer, pointer + byteLength);
            }
            runtime.heapF32[(seed.pointer >>> 2) + i] = 0;
          });
        }
        return matrix;
      }),
    );
  };
}

/** H·v as a function of variables and v, which has their structure and shapes, as the result has. */
export type HessianVectorProduct<Tree> = (variables: TensorsOf<Tree>, v: TensorsOf<Tree>) => TensorsOf<Tree>;

/**
 * H·v for the Hessian H of f, which makes one number, at variables that are a tensor or a structure of tensors; v and the result
 * have their structure and shapes. H is never made: it costs about four times what f does, by a backward pass from v through the
 * recorded backward pass (Pearlmutter 1994).
 */
export function hessianVectorProduct<Tree = Value>(
  f: (variables: Tree) => Value,
  ...rest: never[]
): HessianVectorProduct<Tree> {
  const operation = "hessianVectorProduct";
  checkFunction(operation, f, rest);
  const product = (tree: unknown, v: unknown): unknown => {
    const variables = new Variables(operation, tree);
    const directions = variables.alike("v", v).map((tensor) => Value.constant(tensor));
    const { inputs, runtime } = variables;
    const gradient = (at: readonly Value[]) =>
      gradientsAt(operation, (values) => f(variables.rebuild(values) as Tree), at).gradients;
    return runtime.scope(() =>
      Value.differentiate(operation, inputs, gradient, (_, pull) => {
        const products = orZeros(pull(directions), inputs).map(({ tensor }) => copy(operation, tensor));
        return variables.rebuild(products);
      }),
    );
  };
  return product as HessianVectorProduct<Tree>;
}
