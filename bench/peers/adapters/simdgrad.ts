/**
 * simdgrad itself: VARIANT is strict or relaxed, HOW is kernels (their raw exports), functions (the public ones) or prepacked: products by a
 * B of weights, which is packed once, outside of the timing.
 */
import { readFileSync } from "node:fs";
import { CLASSES, EPS, LAYERS, LEARNING_RATE } from "../../../tests/reference/trainingStep.js";
import * as simdgrad from "../../../src/index.js";
import { productStrides } from "../../operations/matmul.js";
import { CHECKED_STEPS } from "../cases.js";
import { gemms, operations, serve, type Operation, type Prepared } from "../serve.js";

const [variant = "strict", how = "kernels"] = process.argv.slice(2);
const runtime = simdgrad.initSync({ variant: variant === "relaxed" ? "relaxed" : "strict" });
const { kernels } = runtime;
const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};
type Tensor = simdgrad.Tensor;

/** What a task holds until the next one. */
interface Held {
  /** The results, in order. */
  readonly results: readonly Tensor[];
  readonly others: readonly Tensor[];
  readonly work?: number;
}

/** A call, with these arguments, that leaves its results in tensors. */
function prepared(call: Prepared["call"], args: readonly number[], { results, others, work }: Held): Prepared {
  return {
    call,
    args,
    outputs: () => {
      call(...args);
      return results.map((tensor) => tensor.toArray());
    },
    dispose: () => {
      for (const tensor of [...results, ...others]) tensor.dispose();
      if (work !== undefined) runtime.free(work);
    },
  };
}

const isPublic = how === "functions";

const products = gemms(({ m, n, k, transposeA, transposeB, a, b, shapeA, shapeB }) => {
  const [A, B, C] = [runtime.tensor(a, shapeA), runtime.tensor(b, shapeB), runtime.zeros([m, n])];
  const held = { results: [C], others: [A, B] };
  if (isPublic) {
    const options = { transposeA, transposeB, out: C };
    return prepared(() => simdgrad.matmul(A, B, options), [], held);
  }
  const work = runtime.allocate(4 * Math.max(1, kernels.sgemmWorkSize(m, n, k)));
  const { rsA, csA, rsB, csB } = productStrides({
    transposes: `${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}`,
    m,
    n,
    k,
  });
  if (how === "prepacked") {
    const packed = runtime.zeros([kernels.sgemmPackedSize(n, k)]);
    kernels.sgemmPackB(packed.pointer, B.pointer, n, k, rsB, csB);
    const args = [C.pointer, A.pointer, packed.pointer, 0, m, n, k, n, 1, rsA, csA, 1, 0, 0, 0, 0, m, work];
    return prepared(kernels.sgemmPrepacked, args, { results: [C], others: [A, B, packed], work });
  }
  const args = [C.pointer, A.pointer, B.pointer, 0, m, n, k, n, 1, rsA, csA, rsB, csB, 1, 0, 0, 0, 0, 0, m, work];
  return prepared(kernels.sgemm, args, { ...held, work });
});

const NONE = new Float32Array();

/** y of n elements from x. */
function unary(name: "relu" | "tanh" | "exp" | "log"): Operation {
  return ([n = 0], [values = NONE]) => {
    const [x, y] = [runtime.tensor(values, [n]), runtime.zeros([n])];
    const held = { results: [y], others: [x] };
    const options = { out: y };
    return isPublic
      ? prepared(() => simdgrad[name](x, options), [], held)
      : prepared(kernels[name], [y.pointer, x.pointer, n], held);
  };
}

/** dx of n elements from what the forward pass left and dy. */
function backward(name: "reluBackward" | "tanhBackward"): Operation {
  return ([n = 0], [values = NONE, gradient = NONE]) => {
    const [saved, dy, dx] = [runtime.tensor(values, [n]), runtime.tensor(gradient, [n]), runtime.zeros([n])];
    const held = { results: [dx], others: [saved, dy] };
    const options = { out: dx };
    return isPublic
      ? prepared(() => simdgrad[name](saved, dy, options), [], held)
      : prepared(kernels[name], [dx.pointer, saved.pointer, dy.pointer, n], held);
  };
}

function batchNorm(training: boolean): Operation {
  return ([rows = 0, columns = 0], [values = NONE, scales = NONE, shifts = NONE, gradient = NONE]) => {
    const matrix = (data: Float32Array) => runtime.tensor(data, [rows, columns]);
    const row = (data: Float32Array) => runtime.tensor(data, [columns]);
    const [x, y, dy, dx] = [matrix(values), matrix(values), matrix(training ? gradient : values), matrix(values)];
    const [gamma, beta, dGamma, dBeta] = [row(scales), row(shifts), row(scales), row(scales)];
    const running = [runtime.zeros([columns]), runtime.zeros([columns])] as const;
    const saved = runtime.zeros([3 * columns]);
    const work = runtime.allocate(4 * Math.max(1, kernels.batchNormWorkSize(rows, columns)));
    const shape = [rows, columns, columns, columns] as const;
    const state = [y.pointer, saved.pointer, running[0].pointer, running[1].pointer] as const;
    const affine = [gamma.pointer, beta.pointer] as const;
    const forward = [...state, x.pointer, ...affine, ...shape, EPS, 0.1, 1, 0, 0, 0, columns, work] as const;
    const others = [x, dy, gamma, beta, ...running, saved];
    if (!training) {
      const held = { results: [y], others: [...others, dx, dGamma, dBeta], work };
      return prepared(kernels.batchNormForward, forward, held);
    }
    const gradients = [dx.pointer, dGamma.pointer, dBeta.pointer, dy.pointer, x.pointer, saved.pointer] as const;
    const back = [...gradients, ...affine, ...shape, columns, 0, 0, 0, columns, work] as const;
    const call = () => {
      kernels.batchNormForward(...forward);
      kernels.batchNormBackward(...back);
    };
    return prepared(call, [], { results: [dx, dGamma, dBeta], others: [...others, y], work });
  };
}

/** Sequential's own step: it fuses batch norm and ReLU, and reports the loss. */
const step: Operation = ([batch = 0], [values = NONE, oneHot = NONE, ...parameters]) => {
  const last = LAYERS.length - 1;
  const layers = LAYERS.flatMap(([from, to], layer) => {
    const dense = new simdgrad.Dense(from, to);
    return layer === last ? [dense] : [dense, new simdgrad.BatchNorm(to, { eps: EPS }), new simdgrad.Relu()];
  });
  const model = new simdgrad.Sequential(runtime, layers, { maxBatch: batch });
  for (const [index, { value }] of model.parameters.entries()) value.from(parameters[index] ?? NONE);
  const labels = Int32Array.from({ length: batch }, (_, row) => {
    return oneHot.subarray(row * CLASSES, (row + 1) * CLASSES).indexOf(1);
  });
  const [x, y] = [runtime.tensor(values, [batch, LAYERS[0][0]]), runtime.tensor(labels, [batch])];
  const optimizer = new simdgrad.Sgd({ learningRate: LEARNING_RATE });
  const options = { loss: "softmaxCrossEntropy", optimizer } as const;
  const call = () => model.trainBatch(x, y, options);
  return { call, outputs: () => [Array.from({ length: CHECKED_STEPS }, call)] };
};

const table: Record<string, Operation> = {
  ...products,
  relu: unary("relu"),
  tanh: unary("tanh"),
  exp: unary("exp"),
  log: unary("log"),
  reluBackward: backward("reluBackward"),
  tanhBackward: backward("tanhBackward"),
  batchNormForward: batchNorm(false),
  batchNormTraining: batchNorm(true),
  step,
};

await serve({ version: `simdgrad ${version}`, prepare: operations(how === "prepacked" ? products : table) });
