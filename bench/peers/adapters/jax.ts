/** jax-js on its wasm backend, every operation compiled by `jit`. */
import { EPS, LAYERS, LEARNING_RATE } from "../../../tests/reference/trainingStep.js";
import { CHECKED_STEPS } from "../cases.js";
import { load, versionOf } from "../packages.js";
import { gemms, operations, serve, type Operation, type Prepared } from "../serve.js";

/** Reference counted: a function takes its arguments for good; `ref` lends them. */
interface Array {
  readonly ref: Array;
  reshape(shape: readonly number[]): Array;
  add(other: Array | number): Array;
  sub(other: Array | number): Array;
  mul(other: Array | number): Array;
  sum(): Array;
  blockUntilReady(): Promise<Array>;
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** W is inFeatures × outFeatures. */
interface Layer {
  readonly W: Array;
  readonly b: Array;
  readonly affine?: { readonly gamma: Array; readonly beta: Array };
}

type Loss = (parameters: Layer[], x: Array, y: Array) => Array;
type Pullback = ((dy: Array) => Array[]) & { dispose(): void };

interface Jax {
  init(device: string): Promise<unknown>;
  defaultDevice(device: string): unknown;
  readonly jit: <F>(f: F) => F;
  readonly vjp: <Xs extends Array[]>(f: (...xs: Xs) => Array, xs: Xs) => [y: Array, pullback: Pullback];
  readonly valueAndGrad: (f: Loss) => (...args: Parameters<Loss>) => [loss: Array, gradients: Layer[]];
  readonly tree: {
    ref<T>(tree: T): T;
    map<T>(f: (a: Array, b: Array) => Array, a: T, b: T): T;
    leaves(tree: unknown): Array[];
    dispose(tree: unknown): void;
  };
  readonly nn: { relu(x: Array): Array; logSoftmax(x: Array): Array };
  readonly numpy: {
    array(values: Float32Array): Array;
    matmul(a: Array, b: Array): Array;
    transpose(a: Array): Array;
    tanh(x: Array): Array;
    exp(x: Array): Array;
    log(x: Array): Array;
    square(x: Array): Array;
    sqrt(x: Array): Array;
    reciprocal(x: Array): Array;
    subtract(a: number, b: Array): Array;
    mean(x: Array, axis: number): Array;
    greater(a: Array, b: number): Array;
    where(condition: Array, a: Array, b: number): Array;
  };
}

const jax = (await load("@jax-js/jax")) as Jax;
const { jit, nn, numpy: np, tree } = jax;
await jax.init("wasm");
jax.defaultDevice("wasm");

async function array(values: Float32Array, shape: readonly number[] = [values.length]): Promise<Array> {
  return np.array(values).reshape(shape).blockUntilReady();
}

/** A call of a compiled function, whose results are waited for and let go; of them, `kept` are compared. */
function prepared<Xs extends Array[]>(
  f: (...xs: Xs) => Array[],
  xs: Readonly<Xs>,
  kept = (results: Array[]) => results,
): Prepared {
  const compiled = jit(f);
  const lent = () => xs.map((x) => x.ref) as Xs;
  return {
    call: async () => {
      for (const result of compiled(...lent())) {
        await result.blockUntilReady();
        result.dispose();
      }
    },
    outputs: () => Promise.all(kept(compiled(...lent())).map((result) => result.data())),
    dispose: () => {
      for (const x of xs) x.dispose();
    },
  };
}

const products = gemms(async ({ a, b, shapeA, shapeB, transposeA, transposeB }) => {
  const as = (x: Array, transposed: boolean) => (transposed ? np.transpose(x) : x);
  const matmul = (x: Array, y: Array) => [np.matmul(as(x, transposeA), as(y, transposeB))];
  return prepared<[Array, Array]>(matmul, [await array(a, shapeA), await array(b, shapeB)]);
});

/** One result from arrays of n elements. */
const elementwise =
  (f: (x: Array, y: Array) => Array): Operation =>
  async (_, inputs) => {
    const [x, y] = await Promise.all(inputs.map((values) => array(values)));
    return y === undefined
      ? prepared<[Array]>((x) => [f(x, x)], [x!])
      : prepared<[Array, Array]>((x, y) => [f(x, y)], [x!, y]);
  };

function batchNorm(x: Array, gamma: Array, beta: Array): Array {
  const centred = x.ref.sub(np.mean(x, 0));
  const variance = np.mean(np.square(centred.ref), 0);
  return centred.mul(np.reciprocal(np.sqrt(variance.add(EPS))).mul(gamma)).add(beta);
}

type Norm = [x: Array, gamma: Array, beta: Array];

const batchNormForward: Operation = async (shape, [x, gamma, beta]) => {
  const xs: Norm = [await array(x!, shape), await array(gamma!), await array(beta!)];
  return prepared((...xs: Norm) => [batchNorm(...xs)], xs);
};

const batchNormTraining: Operation = async (shape, [x, gamma, beta, dy]) => {
  const xs: [...Norm, dy: Array] = [
    await array(x!, shape),
    await array(gamma!),
    await array(beta!),
    await array(dy!, shape),
  ];
  const both = (x: Array, gamma: Array, beta: Array, dy: Array) => {
    const [y, pullback] = jax.vjp(batchNorm, [x, gamma, beta]);
    const gradients = pullback(dy);
    pullback.dispose();
    return [y, ...gradients];
  };
  return prepared(both, xs, ([y, ...gradients]) => {
    y?.dispose();
    return gradients;
  });
};

/** Loss, gradients and SGD in one compiled function. */
const step: Operation = async ([batch = 0], [values, oneHot, ...initial]) => {
  const [x, y] = [await array(values!, [batch, LAYERS[0][0]]), await array(oneHot!, [batch, LAYERS[2][1]])];
  let parameters: Layer[] = await Promise.all(
    LAYERS.map(async ([from, to], layer) => {
      const [W, b, gamma, beta] = initial.slice(4 * layer, 4 * layer + 4);
      const dense = { W: await np.transpose(await array(W!, [to, from])).blockUntilReady(), b: await array(b!) };
      return gamma && beta ? { ...dense, affine: { gamma: await array(gamma), beta: await array(beta) } } : dense;
    }),
  );
  const loss: Loss = (layers, x, y) => {
    let activation = x;
    for (const { W, b, affine } of layers) {
      const h = np.matmul(activation, W).add(b);
      activation = affine ? nn.relu(batchNorm(h, affine.gamma, affine.beta)) : h;
    }
    return nn
      .logSoftmax(activation)
      .mul(y)
      .sum()
      .mul(-1 / batch);
  };
  const update = jit((layers: Layer[], x: Array, y: Array): [loss: Array, layers: Layer[]] => {
    const [value, gradients] = jax.valueAndGrad(loss)(tree.ref(layers), x, y);
    return [value, tree.map((w, dw) => w.sub(dw.mul(LEARNING_RATE)), layers, gradients)];
  });
  const call = async () => {
    const [value, next] = update(parameters, x.ref, y.ref);
    parameters = next;
    for (const leaf of tree.leaves(next)) await leaf.blockUntilReady();
    return (await value.data())[0] ?? NaN;
  };
  const outputs = async () => {
    const losses: number[] = [];
    for (let i = 0; i < CHECKED_STEPS; i++) losses.push(await call());
    return [losses];
  };
  const dispose = () => {
    tree.dispose([x, y, parameters]);
  };
  return { call, outputs, dispose };
};

const table: Record<string, Operation> = {
  ...products,
  relu: elementwise((x) => nn.relu(x)),
  tanh: elementwise((x) => np.tanh(x)),
  exp: elementwise((x) => np.exp(x)),
  log: elementwise((x) => np.log(x)),
  reluBackward: elementwise((x, dy) => np.where(np.greater(x, 0), dy, 0)),
  tanhBackward: elementwise((y, dy) => dy.mul(np.subtract(1, np.square(y)))),
  batchNormForward,
  batchNormTraining,
  step,
};

await serve({ version: versionOf("@jax-js/jax"), prepare: operations(table) });
