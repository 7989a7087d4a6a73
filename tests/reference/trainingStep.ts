/**
 * A training step of the network of examples/mnist in float64: Dense, batch norm and ReLU twice, Dense, softmax cross-entropy, SGD.
 */
import { batchNormBackward, normalize, statistics } from "./batchNorm.js";
import { softmaxCrossEntropy } from "./losses.js";
import { matmul } from "./matmul.js";
import { columnSums } from "./reductions.js";

/** inFeatures and outFeatures of each Dense; batch norm and ReLU follow all but the last. */
export const LAYERS = [
  [784, 256],
  [256, 256],
  [256, 10],
] as const;
export const CLASSES = 10;
export const EPS = 1e-5;
export const LEARNING_RATE = 0.1;

/** Operations of a step's matrix products: y = x·Wᵀ and dW = dyᵀ·x in every layer, dx = dy·W in all but the first. */
export function stepFlops(batch: number): number {
  return LAYERS.reduce((sum, [from, to], layer) => sum + (layer === 0 ? 2 : 3) * 2 * batch * from * to, 0);
}

/** The loss of a step; changes `parameters` (of each layer: W, b and, but for the last one, gamma, beta) as SGD does. */
export function trainingStep(
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
function transpose(values: ArrayLike<number>, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    return values[(at % rows) * columns + Math.floor(at / rows)]!;
  });
}

/** w ← w − learningRate·dw */
function descend(w: Float64Array, dw: Float64Array): void {
  for (let i = 0; i < w.length; i++) w[i]! -= LEARNING_RATE * dw[i]!;
}
