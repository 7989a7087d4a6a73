/** Gradients of TensorFlow.js that pass over the batch more often than they need, in fewer passes on this backend. */
import {
  add,
  backend as activeBackend,
  broadcast_util,
  div,
  getGradient,
  mul,
  neg,
  registerGradient,
  reshape,
  rsqrt,
  sub,
  sum,
  tile,
  util,
  type GradFunc,
  type Tensor,
  type Tensor1D,
} from "@tensorflow/tfjs-core";
import { SimdgradBackend } from "./backend.js";

/** Gives the gradients of a call's inputs, or undefined to leave them to TensorFlow.js. */
type Gradient = (dy: Tensor, saved: Tensor[], attrs: Record<string, unknown>) => ReturnType<GradFunc> | undefined;

/** TensorFlow.js differentiates tiling up to this rank, which a second derivative needs. */
const TILED_RANK = 4;

/** Of a sum or a mean: dy, or dy over the number of elements, for all that were reduced; without a tensor of ones. */
const reduced =
  (isMean: boolean): Gradient =>
  (dy, [x], { axis }) => {
    if (!x || x.rank > TILED_RANK) return undefined;
    const axes = util.parseAxisParam(axis as number[], x.shape);
    const kept = x.shape.map((size, at) => (axes.includes(at) ? 1 : size));
    const repetitions = x.shape.map((size, at) => (axes.includes(at) ? size : 1));
    const spread = () => {
      const row = reshape(dy, kept);
      return tile(isMean ? div(row, util.sizeFromShape(repetitions)) : row, repetitions);
    };
    return { x: spread };
  };

/**
 * With one value a column. For y = gamma · (x − mean) · r + beta and r = (variance + ε)^−½ all gradients follow from Σdy and Σdy·(x − mean):
 * five passes over x and dy instead of fourteen.
 */
const batchNorm: Gradient = (dy, [x, mean, variance, scale], { varianceEpsilon }) => {
  if (!x || !mean || !variance || !scale) return undefined;
  const columns = x.shape.at(-1);
  if ([mean, variance, scale].some(({ rank, size }) => rank !== 1 || size !== columns)) return undefined;
  const axes = broadcast_util.getReductionAxes(mean.shape, x.shape);
  const r = rsqrt(add(variance as Tensor1D, varianceEpsilon as number));
  const slope = mul(scale, r);
  const sumDy = sum(dy, axes);
  const sumProduct = sum(mul(dy, sub(x, mean)), axes);
  return {
    x: () => mul(dy, slope),
    mean: () => neg(mul(slope, sumDy)),
    variance: () => mul(mul(mul(mul(r, r), slope), -0.5), sumProduct),
    scale: () => mul(r, sumProduct),
    offset: () => sumDy.clone(),
  };
};

const GRADIENTS: Readonly<Record<string, Gradient>> = {
  FusedBatchNorm: batchNorm,
  Mean: reduced(true),
  Sum: reduced(false),
};

const registered = new WeakSet<GradFunc>();

/** Puts these gradients before those of TensorFlow.js, which must be registered already. */
export function shortenGradients(): void {
  for (const [kernelName, gradient] of Object.entries(GRADIENTS)) {
    const config = getGradient(kernelName);
    if (!config || registered.has(config.gradFunc)) continue;
    const { gradFunc } = config;
    const own: GradFunc = (dy, saved, attrs) => {
      const isOurs = activeBackend() instanceof SimdgradBackend;
      return (isOurs && gradient(dy as Tensor, saved, attrs)) || gradFunc(dy, saved, attrs);
    };
    registered.add(own);
    registerGradient({ ...config, gradFunc: own });
  }
}
