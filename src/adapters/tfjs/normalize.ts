/** Softmax and batch norm. */
import { util, type TensorInfo } from "@tensorflow/tfjs-core";
import { areFloats, inputsOf, type Kernel } from "./kernel.js";

/** Over the last dimension, the only one that TensorFlow.js allows. */
export const softmax: Kernel = (call) => {
  const { logits } = inputsOf(call) as { logits: TensorInfo };
  const { dim } = call.attrs as { dim: number };
  const { backend } = call;
  const rank = logits.shape.length;
  if (!areFloats([logits], backend) || rank === 0 || (dim !== -1 && dim !== rank - 1)) return undefined;
  const columns = logits.shape.at(-1) as number;
  const rows = util.sizeFromShape(logits.shape.slice(0, -1));
  const x = backend.pointer(logits);
  const y = backend.allocate(logits.shape, "float32");
  backend.kernels.softmax(y.pointer, x, rows, columns, columns, columns, 0, rows);
  return y;
};

/** TensorFlow.js's default. */
const EPSILON = 1e-3;

/** (x − mean) / √(variance + ε) · scale + offset, each with one value for every place of the last dimension. */
export const batchNorm: Kernel = (call) => {
  const { x, mean, variance, offset, scale } = inputsOf(call) as Partial<Record<string, TensorInfo>>;
  const { varianceEpsilon } = call.attrs as { varianceEpsilon?: number };
  const { backend } = call;
  if (!x || !mean || !variance || !offset || !scale) return undefined;
  const columns = x.shape.at(-1) as number;
  const perColumn = [mean, variance, scale, offset];
  if (!areFloats([x, ...perColumn], backend) || perColumn.some(({ shape }) => shape.length !== 1)) return undefined;
  if (perColumn.some(({ shape }) => shape[0] !== columns)) return undefined;
  const rows = util.sizeFromShape(x.shape) / columns;
  const { kernels, runtime } = backend;
  const work = runtime.scratch("tfjs batchNorm", kernels.batchNormWorkSize(rows, columns));
  const from = backend.pointer(x);
  const statistics = [backend.pointer(mean), backend.pointer(variance)] as const;
  const affine = [backend.pointer(scale), backend.pointer(offset)] as const;
  const y = backend.allocate(x.shape, "float32");
  kernels.batchNormInference(
    y.pointer,
    from,
    ...statistics,
    ...affine,
    rows,
    columns,
    columns,
    columns,
    varianceEpsilon ?? EPSILON,
    0,
    0,
    rows,
    work,
  );
  return y;
};
