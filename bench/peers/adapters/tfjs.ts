/**
 * TensorFlow.js on the backend BACKEND, wasm or cpu; results stay in the backend's memory. With the argument `layers`, a step is one
 * of tfjs-layers, which also moves the averages of batch norm, else of the core's own gradients and optimizer.
 */
import { CLASSES, EPS, LAYERS, LEARNING_RATE } from "../../../tests/reference/trainingStep.js";
import { CHECKED_STEPS } from "../cases.js";
import { folderOf, load, versionOf } from "../packages.js";
import { gemms, operations, serve, type Operation, type Prepared } from "../serve.js";

interface Tensor {
  dispose(): void;
  dataSync(): Float32Array;
}

interface TensorFlow {
  env(): { set(flag: string, value: unknown): void };
  setBackend(name: string): Promise<boolean>;
  tidy<T>(f: () => T): T;
  tensor(values: Float32Array, shape?: readonly number[]): Tensor;
  transpose(x: Tensor): Tensor;
  zerosLike(x: Tensor): Tensor;
  onesLike(x: Tensor): Tensor;
  variable(initial: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
  readonly fused: { matMul(options: { a: Tensor; b: Tensor; bias: Tensor }): Tensor };
  relu(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  log(x: Tensor): Tensor;
  moments(x: Tensor, axis: number): { mean: Tensor; variance: Tensor };
  batchNorm(x: Tensor, mean: Tensor, variance: Tensor, beta: Tensor, gamma: Tensor, eps: number): Tensor;
  grads(f: (...xs: Tensor[]) => Tensor): (xs: Tensor[], dy: Tensor) => Tensor[];
  getGradient(kernel: string): { readonly gradFunc: (dy: Tensor, saved: Tensor[]) => { x(): Tensor } };
  readonly losses: { softmaxCrossEntropy(oneHot: Tensor, logits: Tensor): Tensor };
  readonly train: { sgd(learningRate: number): { minimize(f: () => Tensor, returnCost: true): Tensor } };
}

/** tfjs-layers. */
interface Layers {
  sequential(): Model;
  readonly layers: {
    dense(options: { units: number; inputShape?: number[]; activation?: "softmax" }): unknown;
    batchNormalization(options: { epsilon: number }): unknown;
    activation(options: { activation: "relu" }): unknown;
  };
}

interface Model {
  add(layer: unknown): void;
  compile(options: { optimizer: unknown; loss: "categoricalCrossentropy" }): void;
  setWeights(weights: Tensor[]): void;
  trainOnBatch(x: Tensor, y: Tensor): Promise<number>;
  dispose(): unknown;
}

interface WasmBackend {
  setWasmPaths(folder: string): void;
  setThreadsCount(threads: number): void;
}

const [backend = "wasm", api] = process.argv.slice(2);
const backendPackage = `@tensorflow/tfjs-backend-${backend}`;
const tf = (await load("@tensorflow/tfjs-core")) as TensorFlow;
const tfLayers = (await load("@tensorflow/tfjs-layers")) as Layers; // registers the gradients, too
tf.env().set("PROD", true); // checks no shapes twice and no values for NaN
const loaded = await load(backendPackage);
if (backend === "wasm") {
  const wasm = loaded as WasmBackend;
  wasm.setWasmPaths(`${folderOf(backendPackage)}/wasm-out/`);
  wasm.setThreadsCount(1);
}
if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend}.`);

/** A call that returns new tensors, which are let go. */
function prepared(results: () => Tensor[], held: readonly Tensor[]): Prepared {
  return {
    call: () => {
      for (const tensor of results()) tensor.dispose();
    },
    outputs: () =>
      results().map((tensor) => {
        const values = tensor.dataSync();
        tensor.dispose();
        return values;
      }),
    dispose: () => {
      for (const tensor of held) tensor.dispose();
    },
  };
}

const products = gemms(({ a, b, shapeA, shapeB, transposeA, transposeB }) => {
  const [A, B] = [tf.tensor(a, shapeA), tf.tensor(b, shapeB)];
  return prepared(() => [tf.matMul(A, B, transposeA, transposeB)], [A, B]);
});

const NONE = new Float32Array();

const unary =
  (name: "relu" | "tanh" | "exp" | "log"): Operation =>
  (_, [values = NONE]) => {
    const x = tf.tensor(values);
    return prepared(() => [tf[name](x)], [x]);
  };

/** The registered gradient alone, which the tape calls after a forward pass with the tensor that it saved. */
const backward =
  (kernel: "Relu" | "Tanh"): Operation =>
  (_, [values = NONE, gradient = NONE]) => {
    const [saved, dy] = [tf.tensor(values), tf.tensor(gradient)];
    const { gradFunc } = tf.getGradient(kernel);
    return prepared(() => [tf.tidy(() => gradFunc(dy, [saved]).x())], [saved, dy]);
  };

function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor): Tensor {
  const { mean, variance } = tf.moments(x, 0);
  return tf.batchNorm(x, mean, variance, beta, gamma, EPS);
}

const batchNormForward: Operation = (shape, [values = NONE, scales = NONE, shifts = NONE]) => {
  const [x, gamma, beta] = [tf.tensor(values, shape), tf.tensor(scales), tf.tensor(shifts)];
  return prepared(() => [tf.tidy(() => batchNorm(x, gamma, beta))], [x, gamma, beta]);
};

const batchNormTraining: Operation = (shape, [values = NONE, scales = NONE, shifts = NONE, gradient = NONE]) => {
  const [x, gamma, beta] = [tf.tensor(values, shape), tf.tensor(scales), tf.tensor(shifts)];
  const dy = tf.tensor(gradient, shape);
  const gradients = tf.grads(batchNorm);
  return prepared(() => tf.tidy(() => gradients([x, gamma, beta], dy)), [x, gamma, beta, dy]);
};

/** Of each layer W, as inFeatures × outFeatures since XNNPACK takes a product only as it is stored, b, gamma and beta. */
function initial(parameters: readonly Float32Array[]): [W: Tensor, b: Tensor, ...affine: Tensor[]][] {
  return LAYERS.map(([from, to], layer) => {
    const [weights = NONE, bias = NONE, ...affine] = parameters.slice(4 * layer, 4 * layer + 4);
    const W = tf.tidy(() => tf.transpose(tf.tensor(weights, [to, from])));
    return [W, tf.tensor(bias), ...affine.map((row) => tf.tensor(row))];
  });
}

/** By the core's own gradients and optimizer. */
const coreStep: Operation = ([batch = 0], [values = NONE, oneHot = NONE, ...parameters]) => {
  const [x, y] = [tf.tensor(values, [batch, LAYERS[0][0]]), tf.tensor(oneHot, [batch, CLASSES])];
  const layers = initial(parameters).map(([W, b, ...affine]) => {
    return [tf.variable(W), tf.variable(b), ...affine.map((row) => tf.variable(row))] as const;
  });
  const loss = () => {
    let activation = x;
    for (const [W, bias, gamma, beta] of layers) {
      const h = tf.fused.matMul({ a: activation, b: W, bias });
      activation = gamma && beta ? tf.relu(batchNorm(h, gamma, beta)) : h;
    }
    return tf.losses.softmaxCrossEntropy(y, activation);
  };
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const call = () => {
    const cost = optimizer.minimize(loss, true);
    const [value = NaN] = cost.dataSync();
    cost.dispose();
    return value;
  };
  const held = [x, y, ...layers.flat()];
  const dispose = () => {
    for (const tensor of held) tensor.dispose();
  };
  return { call, outputs: () => [Array.from({ length: CHECKED_STEPS }, call)], dispose };
};

/** By tfjs-layers. */
const layersStep: Operation = ([batch = 0], [values = NONE, oneHot = NONE, ...parameters]) => {
  const [x, y] = [tf.tensor(values, [batch, LAYERS[0][0]]), tf.tensor(oneHot, [batch, CLASSES])];
  const model = tfLayers.sequential();
  const make = tfLayers.layers;
  for (const [layer, [from, units]] of LAYERS.entries()) {
    const isLast = layer === LAYERS.length - 1;
    const input = layer === 0 ? { inputShape: [from] } : {};
    model.add(make.dense({ units, ...input, ...(isLast ? { activation: "softmax" } : {}) }));
    if (isLast) continue;
    model.add(make.batchNormalization({ epsilon: EPS }));
    model.add(make.activation({ activation: "relu" }));
  }
  model.compile({ optimizer: tf.train.sgd(LEARNING_RATE), loss: "categoricalCrossentropy" });
  const start = initial(parameters);
  const trained = start.flat();
  const averages = start.flatMap(([, , gamma]) => (gamma ? [tf.zerosLike(gamma), tf.onesLike(gamma)] : []));
  model.setWeights([...trained, ...averages]); // those that are trained come first
  const call = () => model.trainOnBatch(x, y);
  const outputs = async () => {
    const losses: number[] = [];
    for (let i = 0; i < CHECKED_STEPS; i++) losses.push(await call());
    return [losses];
  };
  const dispose = () => {
    model.dispose();
    for (const tensor of [x, y, ...trained, ...averages]) tensor.dispose();
  };
  return { call, outputs, dispose };
};

const table: Record<string, Operation> = {
  ...products,
  relu: unary("relu"),
  tanh: unary("tanh"),
  exp: unary("exp"),
  log: unary("log"),
  reluBackward: backward("Relu"),
  tanhBackward: backward("Tanh"),
  batchNormForward,
  batchNormTraining,
  step: api === "layers" ? layersStep : coreStep,
};

await serve({ version: versionOf(backendPackage), prepare: operations(table) });
