/** Parameters of a function made of gates, where optimizers find them. */
import * as check from "../check.js";
import { zeros, type Initializer } from "../initializers.js";
import { ParameterSlab, type Trainable } from "../parameters.js";
import type { Runtime } from "../runtime/runtime.js";
import { disposeSymbol, type Tensor } from "../tensor.js";

export interface ParameterOptions {
  /** A weight matrix is outFeatures × inFeatures. */
  readonly shape: readonly number[];
  /** 0 everywhere unless given. */
  readonly initializer?: Initializer;
  /** Whether L1 and L2 apply; by default to what has more than one dimension, so not to biases, gamma and beta. */
  readonly decay?: boolean;
}

/**
 * Named parameters and their gradients in one block of memory, as a model has them, so that an optimizer's step is one kernel call:
 *
 *     const model = new Parameters(runtime, { W: { shape: [10, 784], initializer: heNormal() }, b: { shape: [10] } });
 *     const optimizer = new Adam().bind(model);
 *     const { value } = valueAndGrad(loss)(model.values, { out: model.gradients });
 *     optimizer.step();
 */
export class Parameters<Name extends string = string> implements Trainable {
  readonly slab: ParameterSlab;
  readonly values: Readonly<Record<Name, Tensor>>;
  readonly gradients: Readonly<Record<Name, Tensor>>;

  /** `seed`, an integer from 0 to 2⁵³ − 1, and the order of the names decide the initial values. */
  constructor(
    runtime: Runtime,
    parameters: Readonly<Record<Name, ParameterOptions>>,
    options: { readonly seed?: number } = {},
  ) {
    const operation = "Parameters";
    check.runtime(operation, runtime);
    const seed = check.seed(operation, check.options(operation, options).seed ?? 0);
    const specs = Object.entries<ParameterOptions>(check.options(operation, parameters, "parameters")).map(
      ([name, given], layer) => {
        const { shape, initializer = zeros(), decay } = check.options(operation, given, name);
        check.size(`${operation}: ${name}`, shape);
        if (typeof initializer !== "function")
          check.argument(operation, `${name}.initializer`, initializer, "an initializer");
        const [outFeatures = 1, inFeatures = 1] = shape;
        return {
          name,
          layer,
          shape,
          initializer,
          decay: check.boolean(operation, `${name}.decay`, decay ?? shape.length > 1),
          inFeatures,
          outFeatures,
        };
      },
    );
    if (specs.length === 0) check.argument(operation, "parameters", parameters, "at least one parameter");
    this.slab = new ParameterSlab(operation, runtime, specs, [], seed);
    const named = (which: "value" | "gradient") =>
      Object.fromEntries(this.slab.parameters.map((parameter) => [parameter.name, parameter[which]])) as Record<
        Name,
        Tensor
      >;
    this.values = named("value");
    this.gradients = named("gradient");
  }

  /** Frees values, gradients and the state of bound optimizers. A second call does nothing. */
  dispose(): void {
    this.slab.dispose();
  }

  [disposeSymbol](): void {
    this.dispose();
  }
}
