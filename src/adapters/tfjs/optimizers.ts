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
    // All that can run out of memory comes first: then no variable has moved, and the step can be tried again.
    const steps = variables.map((variable, i) => {
      const gradient = entries[i]?.[1];
      const first = momentOf(this.accumulatedFirstMoment, i, variable, "m");
      const second = momentOf(this.accumulatedSecondMoment, i, variable, "v");
      if (!gradient) return undefined;
      const addresses = [variable, first, second].map((tensor) => own(backend, tensor)) as [number, number, number];
      return { addresses, gradient: backend.pointer(gradient), size: variable.size };
    });
    const [accBeta1, accBeta2] = tidy<[Tensor, Tensor]>(() => [mul(this.accBeta1, beta1), mul(this.accBeta2, beta2)]);
    for (const step of steps) {
      if (!step) continue;
      const [w, m, v] = step.addresses;
      const { gradient, size } = step;
      backend.kernels.adam(w, m, v, gradient, size, stepSize, beta1, beta2, epsilon, inverseSqrtCorrection2, 0, 0);
    }
    this.accBeta1.assign(accBeta1);
    this.accBeta2.assign(accBeta2);
    accBeta1.dispose();
    accBeta2.dispose();
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
