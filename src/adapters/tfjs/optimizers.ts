/** tf.train's SGD, momentum and Adam in one pass over each variable, instead of two, four and a dozen. */
import {
  AdamOptimizer,
  backend as activeBackend,
  engine,
  MomentumOptimizer,
  mul,
  SGDOptimizer,
  tidy,
  util,
  variable as makeVariable,
  zerosLike,
  type NamedTensorMap,
  type Tensor,
  type Variable,
} from "@tensorflow/tfjs-core";
import type { Kernels } from "../../index.js";
import { SimdgradBackend } from "./backend.js";
import { areFloats } from "./kernel.js";

/** What is used here of TensorFlow.js's optimizers. */
interface Optimizer {
  readonly learningRate: number;
  incrementIterations(): void;
}

type Gradients = NamedTensorMap | { name: string; tensor: Tensor }[];

interface Momentum extends Optimizer {
  readonly momentum: number;
  readonly useNesterov: boolean;
  readonly accumulations: State[];
}

interface Adam extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** beta1 and beta2 to the power of the step. */
  readonly accBeta1: Variable;
  readonly accBeta2: Variable;
  readonly accumulatedFirstMoment: State[];
  readonly accumulatedSecondMoment: State[];
}

/** What an optimizer keeps for a variable. */
interface State {
  readonly originalName: string;
  readonly variable: Variable;
}

/** Updates a variable: addresses of its elements, of what is kept for it and of its gradient, and their number. */
type Update = (kernels: Kernels, w: number, state: readonly number[], dw: number, n: number) => void;

/** An optimizer's step as one kernel call a variable. */
interface Fusion<O> {
  /** What it keeps for the variables, by the name that TensorFlow.js gives it. */
  state(optimizer: O): Readonly<Record<string, State[]>>;
  /** The update of this step; what it takes of memory it takes now. */
  update(optimizer: O, backend: SimdgradBackend): Update;
}

const sgd: Fusion<Optimizer> = {
  state: () => ({}),
  update:
    ({ learningRate }) =>
    (kernels, w, _, dw, n) => {
      kernels.sgd(w, dw, n, learningRate, 0, 0);
    },
};

const momentum: Fusion<Momentum> = {
  state: ({ accumulations }) => ({ momentum: accumulations }),
  update:
    ({ learningRate, momentum: keep, useNesterov }) =>
    (kernels, w, [velocity = 0], dw, n) => {
      const step = useNesterov ? kernels.sgdNesterov : kernels.sgdMomentum;
      step(w, velocity, dw, n, learningRate, keep, 0, 0);
    },
};

const adam: Fusion<Adam> = {
  state: ({ accumulatedFirstMoment, accumulatedSecondMoment }) => ({
    m: accumulatedFirstMoment,
    v: accumulatedSecondMoment,
  }),
  update({ learningRate, beta1, beta2, epsilon, accBeta1, accBeta2 }, backend) {
    const scalar = ({ dataId }: Tensor) => (backend.data.get(dataId).values as Float32Array)[0] as number;
    const stepSize = learningRate / (1 - scalar(accBeta1));
    const inverseSqrtCorrection2 = 1 / Math.sqrt(1 - scalar(accBeta2));
    const next = tidy<[Tensor, Tensor]>(() => [mul(accBeta1, beta1), mul(accBeta2, beta2)]);
    accBeta1.assign(next[0]);
    accBeta2.assign(next[1]);
    next.forEach((tensor) => {
      tensor.dispose();
    });
    return (kernels, w, [m = 0, v = 0], dw, n) => {
      kernels.adam(w, m, v, dw, n, stepSize, beta1, beta2, epsilon, inverseSqrtCorrection2, 0, 0);
    };
  },
};

/** Lets SGD, momentum and Adam update variables of this backend by its kernels; others go the way they went before. */
export function fuseOptimizers(): void {
  fuse(SGDOptimizer, sgd);
  fuse(MomentumOptimizer, momentum);
  fuse(AdamOptimizer, adam);
}

function fuse<O extends Optimizer>(optimizer: { readonly prototype: unknown }, fusion: Fusion<O>): void {
  const prototype = optimizer.prototype as { applyGradients: (this: O, gradients: Gradients) => void };
  const { applyGradients } = prototype;
  prototype.applyGradients = function (gradients) {
    const backend = activeBackend();
    const entries = Array.isArray(gradients)
      ? gradients.map(({ name, tensor }) => [name, tensor as Tensor | null] as const)
      : Object.entries<Tensor | null>(gradients);
    const steps = entries.map(([name, gradient]) => ({
      variable: engine().registeredVariables[name] as Variable,
      gradient,
    }));
    if (!(backend instanceof SimdgradBackend) || !steps.every((step) => isFusible(step, backend))) {
      applyGradients.call(this, gradients);
      return;
    }
    // All that can run out of memory comes first: then no variable has moved, and the step can be tried again.
    const states = Object.entries(fusion.state(this));
    const calls = steps.map(({ variable, gradient }, i) => {
      const kept = states.map(([name, state]) => stateOf(state, i, variable, name));
      if (!gradient) return undefined;
      const addresses = [variable, ...kept].map((tensor) => own(backend, tensor));
      return { addresses, dw: backend.pointer(gradient), n: variable.size };
    });
    const update = fusion.update(this, backend);
    for (const call of calls) {
      if (!call) continue;
      const [w = 0, ...state] = call.addresses;
      update(backend.kernels, w, state, call.dw, call.n);
    }
    this.incrementIterations();
  };
}

interface Step {
  readonly variable: Variable;
  /** Null where the loss does not depend on the variable. */
  readonly gradient: Tensor | null;
}

/** Whether the kernels may take a variable and its gradient: TensorFlow.js refuses a wrong shape later. */
const isFusible = ({ variable, gradient }: Step, backend: SimdgradBackend): boolean =>
  variable.dtype === "float32" &&
  (!gradient || (areFloats([gradient], backend) && util.arraysEqual(gradient.shape, variable.shape)));

/** What is kept for a variable, which is zero before its first step. */
function stateOf(state: State[], i: number, variable: Variable, name: string): Variable {
  state[i] ??= {
    originalName: `${variable.name}/${name}`,
    variable: tidy(() => makeVariable(zerosLike(variable), false)),
  };
  return state[i].variable;
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
