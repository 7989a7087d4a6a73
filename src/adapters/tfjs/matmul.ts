/** Matrix products, batched and with bias and activation. */
import {
  broadcast_util,
  util,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import {
  EPILOGUE,
  factorOf,
  multiply,
  productsOf,
  type Factor,
  type LastWrite,
  type Products,
} from "../../ops/products.js";
import type { SimdgradBackend } from "./backend.js";
import { areFloats, inputsOf, run, type Kernel } from "./kernel.js";

const PLAIN: LastWrite = { alpha: 1, beta: 0, bias: 0, epilogue: 0, slope: 0 };

/** Of each product the number of the matrix that it takes; undefined where they follow each other, or there is one. */
type Order = readonly number[] | undefined;

/** What the kernels make of two tensors. */
interface Plan {
  /** The result's. */
  readonly shape: number[];
  readonly products: Products;
  readonly orderA: Order;
  readonly orderB: Order;
}

/** How broadcasting an array of shape `own` to `outer` repeats its elements: for each one there, row by row, whose it is. */
function orderOf(own: number[], outer: number[]): Order {
  const count = util.sizeFromShape(own);
  if (count === 1 || count === util.sizeFromShape(outer)) return undefined;
  let order = [0];
  for (const [axis, length] of outer.entries()) {
    const size = own[axis - (outer.length - own.length)] ?? 1;
    const step = size === 1 ? 0 : 1;
    order = order.flatMap((index) => Array.from({ length }, (_, i) => index * size + i * step));
  }
  return order;
}

function plan(backend: SimdgradBackend, a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean): Plan {
  const left = factorOf(backend.pointer(a), a.shape, transposeA);
  const right = factorOf(backend.pointer(b), b.shape, transposeB);
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  util.assert(
    left.columns === right.rows,
    () =>
      `Error in matMul: inner shapes (${left.columns}) and (${right.rows}) of Tensors with shapes ${a.shape.join()} and ` +
      `${b.shape.join()} and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
  );
  return {
    shape: [...outer, left.rows, right.columns],
    products: productsOf(util.sizeFromShape(outer), left, right),
    orderA: orderOf(outerA, outer),
    orderB: orderOf(outerB, outer),
  };
}

/** C ← A·B, with what else the last write does. */
function write(backend: SimdgradBackend, { shape, products, orderA, orderB }: Plan, lastWrite: LastWrite): TensorInfo {
  const { kernels, runtime } = backend;
  const { batches, m, n, k, a, b } = products;
  const work = runtime.scratch("tfjs matMul", kernels.sgemmWorkSize(m, n, k));
  const result = backend.allocate(shape, "float32");
  if (orderA === undefined && orderB === undefined) {
    multiply(kernels, result.pointer, products, lastWrite, work);
    return result;
  }
  for (let i = 0; i < batches; i++) {
    const one = { ...products, batches: 1, a: matrixOf(a, orderA, i), b: matrixOf(b, orderB, i) };
    multiply(kernels, result.pointer + 4 * m * n * i, one, lastWrite, work);
  }
  return result;
}

/** The matrix that product i takes. */
function matrixOf(factor: Factor, order: Order, i: number): Factor {
  return { ...factor, pointer: factor.pointer + 4 * factor.batchStride * (order?.[i] ?? i) };
}

export const batchMatMul: Kernel = (call) => {
  const { a, b } = inputsOf(call) as { a: TensorInfo; b: TensorInfo };
  if (!areFloats([a, b], call.backend)) return undefined;
  const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
  return write(call.backend, plan(call.backend, a, b, transposeA, transposeB), PLAIN);
};

interface FusedInputs {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly bias?: TensorInfo;
  readonly preluActivationWeights?: TensorInfo;
}

interface FusedAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: Activation;
  readonly leakyreluAlpha?: number;
}

type Activation = "linear" | "relu" | "relu6" | "elu" | "leakyrelu" | "prelu" | "sigmoid";

/** What sgemm does after a bias, for those activations that it has. */
const EPILOGUES: Readonly<Partial<Record<Activation, number>>> = {
  linear: EPILOGUE.none,
  relu: EPILOGUE.relu,
  leakyrelu: EPILOGUE.leakyRelu,
};

const ACTIVATIONS: Readonly<Record<Exclude<Activation, "linear">, string>> = {
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
  sigmoid: "Sigmoid",
};

/** activation(A·B + bias): one bias a column, and a ReLU after it, go into the product's last write; the rest follows it. */
export const fusedMatMul: Kernel = (call) => {
  const { a, b, bias, preluActivationWeights } = inputsOf(call) as unknown as FusedInputs;
  const {
    transposeA,
    transposeB,
    activation = "linear",
    leakyreluAlpha: slope = 0.2,
  } = call.attrs as unknown as FusedAttributes;
  const { backend } = call;
  if (!areFloats([a, b], backend) || (bias && !areFloats([bias], backend))) return undefined;
  const planned = plan(backend, a, b, transposeA, transposeB);
  const { n } = planned.products;
  const isPerColumn = bias?.shape.at(-1) === n && util.sizeFromShape(bias.shape) === n;
  const epilogue = EPILOGUES[activation];
  const last = isPerColumn
    ? { ...PLAIN, bias: backend.pointer(bias), epilogue: epilogue ?? EPILOGUE.none, slope }
    : PLAIN;
  let result = write(backend, planned, last);
  if (bias && !isPerColumn) result = consume(backend, result, "Add", { a: result, b: bias });
  if (activation === "linear" || (isPerColumn && epilogue !== undefined)) return result;
  const inputs = { x: result, ...(activation === "prelu" ? { alpha: preluActivationWeights } : {}) };
  return consume(backend, result, ACTIVATIONS[activation], inputs, { alpha: slope });
};

/** Runs a kernel on an intermediate result, which is let go, whatever happens. */
function consume(
  backend: SimdgradBackend,
  intermediate: TensorInfo,
  kernel: string,
  inputs: NamedTensorInfoMap,
  attrs?: NamedAttrMap,
): TensorInfo {
  try {
    return run(backend, kernel, inputs, attrs);
  } finally {
    backend.disposeIntermediateTensorInfo(intermediate);
  }
}
