/** The case `step mnist-mlp`: a training step of the network of examples/mnist, checked against the same steps in float64. */
import { batchNormBackward, normalize, statistics } from "../tests/reference/batchNorm.js";
import { softmaxCrossEntropy } from "../tests/reference/losses.js";
import { matmul } from "../tests/reference/matmul.js";
import { columnSums } from "../tests/reference/reductions.js";
import { BatchNorm, Dense, Relu, Sequential, Sgd } from "../src/index.js";
import { rowMajor, type BenchCase } from "./operations.js";

/** inFeatures and outFeatures of each Dense; batch norm and ReLU follow all but the last. */
const LAYERS = [
  [784, 256],
  [256, 256],
  [256, 10],
] as const;
const CLASSES = 10;
const EPS = 1e-5;
const LEARNING_RATE = 0.1;

/** One batch of random data: forward, loss, backward without the gradient of the input, SGD. */
export function trainingStep(batch: number): BenchCase {
  const last = LAYERS.length - 1;
  // y = x·Wᵀ and dW = dyᵀ·x in every layer, dx = dy·W in all but the first.
  const flops = LAYERS.reduce((sum, [from, to], layer) => sum + (layer === 0 ? 2 : 3) * 2 * batch * from * to, 0);
  return {
    name: `step mnist-mlp b${batch}`,
    unit: "ms",
    amount: 1,
    limit: { flops },
    prepare: (desk) => {
      const layers = LAYERS.flatMap(([from, to], layer) => {
        const dense = new Dense(from, to);
        return layer === last ? [dense] : [dense, new BatchNorm(to, { eps: EPS }), new Relu()];
      });
      const model = new Sequential(desk.runtime, layers, { seed: 1, maxBatch: batch });
      const optimizer = new Sgd({ learningRate: LEARNING_RATE });
      const options = { loss: "softmaxCrossEntropy", optimizer } as const;
      const size = batch * LAYERS[0][0];
      const batches = [0, 1].map(() => ({
        x: desk.runtime.tensor(desk.floats(desk.uniform(size), size), [batch, LAYERS[0][0]]),
        labels: desk.runtime.tensor(desk.ints(desk.integers(batch, CLASSES), batch), [batch]),
      }));
      const run = (which: number) => {
        const { x, labels } = batches[which]!;
        return model.trainBatch(x, labels, options);
      };
      const validate = () => {
        const parameters = model.parameters.map(({ value }) => Float64Array.from(value.toArray()));
        for (const which of [0, 1, 0]) {
          const { x, labels } = batches[which]!;
          const expected = referenceStep(parameters, x.toArray(), labels.toArray(), batch);
          const loss = run(which);
          if (!(Math.abs(loss - expected) < 1e-4 * expected)) {
            throw new Error(`the loss is ${loss}, expected ${expected}.`);
          }
        }
      };
      return { run, args: [[0], [1]], validate };
    },
  };
}

/** The loss of a step; changes `parameters` (of each layer: W, b and, but for the last one, gamma, beta) as SGD does. */
function referenceStep(
  parameters: readonly Float64Array[],
  input: ArrayLike<number>,
  labels: ArrayLike<number>,
  batch: number,
): number {
  const last = LAYERS.length - 1;
  const ofLayer = (layer: number) => parameters.slice(4 * layer) as [W: Float64Array, b: Float64Array, ...Affine];
  type Affine = [gamma: Float64Array, beta: Float64Array];
  const forward: { x: ArrayLike<number>; h: Float64Array; y: Float64Array }[] = [];
  let x = input;
  for (const [layer, [from, to]] of LAYERS.entries()) {
    const [W, b, gamma, beta] = ofLayer(layer);
    const h = matmul(batch, to, from, x, transpose(W, to, from), [], b, 1, 0, 1).values;
    const y = layer === last ? h : normalize(h, statistics(h, batch, to), gamma, beta, batch, to, EPS, true).values;
    forward.push({ x, h, y });
    x = y;
  }
  const { loss, dLogits } = softmaxCrossEntropy(x, labels, batch, CLASSES, 1 / batch);
  let dy = dLogits.values;
  for (let layer = last; layer >= 0; layer--) {
    const [from, to] = LAYERS[layer]!;
    const { x: layerInput, h, y } = forward[layer]!;
    const [W, b, gamma, beta] = ofLayer(layer);
    let dh = dy;
    if (layer < last) {
      const masked = dy.map((value, i) => (y[i]! > 0 ? value : 0));
      const { dx, dGamma, dBeta } = batchNormBackward(masked, h, statistics(h, batch, to), gamma, batch, to, EPS);
      descend(gamma, dGamma.values);
      descend(beta, dBeta.values);
      dh = dx.values;
    }
    if (layer > 0) dy = matmul(batch, from, to, dh, W, [], [], 1, 0, 0).values;
    descend(W, matmul(to, from, batch, transpose(dh, batch, to), layerInput, [], [], 1, 0, 0).values);
    descend(b, columnSums(dh, batch, to, null).values);
  }
  return loss.values.reduce((sum, value) => sum + value, 0) / batch;
}

/** The transpose of a rows × columns matrix. */
const transpose = (values: ArrayLike<number>, rows: number, columns: number) =>
  rowMajor(values, 0, columns, rows, 1, columns);

/** w ← w − learningRate·dw */
function descend(w: Float64Array, dw: Float64Array): void {
  for (let i = 0; i < w.length; i++) w[i]! -= LEARNING_RATE * dw[i]!;
}
