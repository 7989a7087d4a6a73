/** tf.train.adam in one pass over each variable. SGD and momentum stay as they are: two and four light passes. */
import {
  AdamOptimizer,
  backend as activeBackend,
  engine,
  mul,
  tidy,
  zerosLike,
  type NamedTensorMap,
  type Tensor,
  type Variable,
  variable as makeVariable,
} from "@tensorflow/tfjs-core";
import { SimdgradBackend } from "./backend.js";

/** The state of TensorFlow.js's Adam. */
interface Adam {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** beta1 and beta2 to the power of the step. */
  readonly accBeta1: Variable;
  readonly accBeta2: Variable;
  readonly accumulatedFirstMoment: Moment[];
  readonly accumulatedSecondMoment: Moment[];
  applyGradients: (this: Adam, gradients: Gradients) => void;
  incrementIterations(): void;
}

interface Moment {
  readonly originalName: string;
  readonly variable: Variable;
}

type Gradients = NamedTensorMap | { name: string; tensor: Tensor }[];

/** Lets all Adam optimizers update variables of this backend by its kernel; others go the way they went before. */
export function fuseAdam(): void {
  const prototype = AdamOptimizer.prototype as unknown as Adam;
  const { applyGradients } = prototype;
  prototype.applyGradients = function (gradients) {
    const backend = activeBackend();
    const entries = Array.isArray(gradients)
      ? gradients.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(gradients);
    const variables = entries.map(([name]) => engine().registeredVariables[name] as Variable);
    if (!(backend instanceof SimdgradBackend) || variables.some(({ dtype }) => dtype !== "float32")) {
      applyGradients.call(this, gradients);
      return;
    }
    const scalar = ({ dataId }: Tensor) => (backend.data.get(dataId).values as Float32Array)[0] as number;
    const stepSize = this.learningRate / (1 - scalar(this.accBeta1));
    const inverseSqrtCorrection2 = 1 / Math.sqrt(1 - scalar(this.accBeta2));
    const { beta1, beta2, epsilon } = this;
    for (const [i, variable] of variables.entries()) {
      const gradient = entries[i]?.[1];
      const [first, second] = [
        momentOf(this.accumulatedFirstMoment, i, variable, "m"),
        momentOf(this.accumulatedSecondMoment, i, variable, "v"),
      ];
      if (!gradient) continue;
      const [w, m, v] = [own(backend, variable), own(backend, first), own(backend, second)];
      const dw = backend.pointer(gradient);
      backend.kernels.adam(w, m, v, dw, variable.size, stepSize, beta1, beta2, epsilon, inverseSqrtCorrection2, 0, 0);
    }
    tidy(() => {
      this.accBeta1.assign(mul(this.accBeta1, beta1));
      this.accBeta2.assign(mul(this.accBeta2, beta2));
    });
    this.incrementIterations();
  };
}

/** The moment of a variable, which is zero before its first step. */
function momentOf(moments: Moment[], i: number, variable: Variable, name: string): Variable {
  moments[i] ??= {
    originalName: `${variable.name}/${name}`,
    variable: tidy(() => makeVariable(zerosLike(variable), false)),
  };
  return moments[i].variable;
}

/** The address of a variable's elements for writing: copied first, if another tensor shares them. */
function own(backend: SimdgradBackend, variable: Variable): number {
  if (backend.refCount(variable.dataId) > 1) {
    const from = backend.pointer(variable);
    const copy = backend.allocate(variable.shape, "float32");
    backend.kernels.copyMatrix(copy.pointer, from, 1, variable.size, variable.size, variable.size, 1);
    const tensor = engine().makeTensorFromTensorInfo(copy);
    variable.assign(tensor);
    tensor.dispose();
  }
  return backend.pointer(variable);
}
