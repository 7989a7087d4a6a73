/** Matrix products, batched and with bias and activation. */
import {
  broadcast_util,
  util,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { EPILOGUE } from "../../ops/matmul.js";
import type { SimdgradBackend } from "./backend.js";
import { areFloats, inputsOf, run, type Kernel } from "./kernel.js";

/** What sgemm does in its last write. */
interface LastWrite {
  readonly bias: number;
  readonly epilogue: number;
  readonly slope: number;
}

const PLAIN: LastWrite = { bias: 0, epilogue: 0, slope: 0 };

/** One of a product's factors: matrices of one shape, each with these strides in elements. */
interface Factor {
  readonly rowStride: number;
  readonly columnStride: number;
  /** Elements from one matrix to the next; 0 where all products share one. */
  readonly batchStride: number;
  /** The number of the matrix that each product takes, where broadcasting repeats some; else they follow each other. */
  readonly order: readonly number[] | undefined;
}

/** `batches` products C = A·B, m×k times k×n. */
interface Products {
  readonly shape: number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batches: number;
  readonly a: Factor;
  readonly b: Factor;
}

function factor(shape: number[], transposed: boolean, outer: number[]): Factor {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const own = shape.slice(0, -2);
  const count = util.sizeFromShape(own);
  return {
    rowStride: transposed ? 1 : columns,
    columnStride: transposed ? columns : 1,
    batchStride: count === 1 ? 0 : rows * columns,
    order: count === 1 || count === util.sizeFromShape(outer) ? undefined : broadcastOrder(own, outer),
  };
}

/** For each element of an array of shape `outer`, row by row, the number of the element of `own` that broadcasting puts there. */
function broadcastOrder(own: number[], outer: number[]): number[] {
  let order = [0];
  for (const [axis, length] of outer.entries()) {
    const size = own[axis - (outer.length - own.length)] ?? 1;
    const step = size === 1 ? 0 : 1;
    order = order.flatMap((index) => Array.from({ length }, (_, i) => index * size + i * step));
  }
  return order;
}

function plan(a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean): Products {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  util.assert(
    k === inner,
    () =>
      `Error in matMul: inner shapes (${k}) and (${inner}) of Tensors with shapes ${a.shape.join()} and ` +
      `${b.shape.join()} and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
  );
  const batches = util.sizeFromShape(outer);
  const factors = { a: factor(a.shape, transposeA, outer), b: factor(b.shape, transposeB, outer) };
  const shape = [...outer, m, n];
  // The rows of all batches that meet the same B are the rows of one product.
  const isOne = factors.b.batchStride === 0 && factors.a.order === undefined && !transposeA;
  return { shape, m: isOne ? m * batches : m, n, k, batches: isOne ? 1 : batches, ...factors };
}

/** C ← A·B */
function multiply(
  backend: SimdgradBackend,
  products: Products,
  a: TensorInfo,
  b: TensorInfo,
  { bias, epilogue, slope }: LastWrite,
) {
  const { kernels, runtime } = backend;
  const { shape, m, n, k, batches, a: A, b: B } = products;
  const [fromA, fromB] = [backend.pointer(a), backend.pointer(b)];
  const work = runtime.scratch("tfjs matMul", kernels.sgemmWorkSize(m, n, k));
  const result = backend.allocate(shape, "float32");
  const to = result.pointer;
  const isStrided = A.order === undefined && B.order === undefined;
  const calls = isStrided ? 1 : batches;
  for (let i = 0; i < calls; i++) {
    kernels.sgemmStridedBatched(
      to + 4 * m * n * i,
      fromA + 4 * A.batchStride * (A.order?.[i] ?? i),
      fromB + 4 * B.batchStride * (B.order?.[i] ?? i),
      bias,
      m,
      n,
      k,
      n,
      1,
      A.rowStride,
      A.columnStride,
      B.rowStride,
      B.columnStride,
      m * n,
      A.batchStride,
      B.batchStride,
      1,
      0,
      epilogue,
      slope,
      0,
      isStrided ? batches : 1,
      work,
    );
  }
  return result;
}

export const batchMatMul: Kernel = (call) => {
  const { a, b } = inputsOf(call) as { a: TensorInfo; b: TensorInfo };
  if (!areFloats([a, b], call.backend)) return undefined;
  const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
  return multiply(call.backend, plan(a, b, transposeA, transposeB), a, b, PLAIN);
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
  const products = plan(a, b, transposeA, transposeB);
  const isPerColumn = bias?.shape.at(-1) === products.n && util.sizeFromShape(bias.shape) === products.n;
  const epilogue = EPILOGUES[activation];
  const last = isPerColumn ? { bias: backend.pointer(bias), epilogue: epilogue ?? EPILOGUE.none, slope } : PLAIN;
  let result: TensorInfo = multiply(backend, products, a, b, last);
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
