/** Functions of several tensors, element by element, whose shapes are broadcast. */
import { broadcast_util, util, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Kernels } from "../../index.js";
import { forEachMatrix } from "../../ops/broadcast.js";
import type { NewTensor, SimdgradBackend } from "./backend.js";
import { areFloats, areMasks, inputsOf, type Kernel } from "./kernel.js";
import { square } from "./unary.js";

/** A kernel over matrices: addresses of result and operands, rows, columns, the strides in their order, scalars. */
type MatrixKernel = (...args: number[]) => void;
type Result = "float32" | "bool";

interface BinaryOptions {
  readonly result?: Result;
  readonly operands?: Result;
  /** Whether f takes b first. */
  readonly isSwapped?: boolean;
  readonly scalar?: number;
}

/** z ← f(a, b) */
export function binary(choose: (kernels: Kernels) => MatrixKernel, options: BinaryOptions = {}): Kernel {
  const { result = "float32", operands = "float32", isSwapped = false, scalar = 0 } = options;
  return (call) => {
    const { a, b } = inputsOf(call) as { a: TensorInfo; b: TensorInfo };
    const { backend } = call;
    const kernel = choose(backend.kernels);
    const [left, right] = isSwapped ? [b, a] : [a, b];
    if (operands === "bool" && !areMasks([a, b])) return undefined;
    const x = operands === "bool" ? backend.pointer(left) : backend.floats(left);
    const y = operands === "bool" ? backend.pointer(right) : backend.floats(right);
    if (x === 0 || y === 0) return undefined;

    const isAlike = util.arraysEqual(a.shape, b.shape);
    const shape = isAlike ? a.shape : broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const z = backend.allocate(shape, result);
    const n = util.sizeFromShape(shape);
    const [sizeX, sizeY] = isAlike ? [n, n] : [util.sizeFromShape(left.shape), util.sizeFromShape(right.shape)];
    if ((sizeX === n || sizeX === 1) && (sizeY === n || sizeY === 1)) {
      kernel(z.pointer, x, y, 1, n, n, n, sizeX === n ? 1 : 0, n, sizeY === n ? 1 : 0, scalar);
      return z;
    }
    forEachMatrix(shape, [left.shape, right.shape], [z.pointer, x, y], (at, rows, columns, strides) => {
      kernel(...at, rows, columns, ...strides, scalar);
    });
    return z;
  };
}

/** The elements of t where the condition holds, of e elsewhere; a condition of one dimension chooses rows. */
export const select: Kernel = (call) => {
  const { condition, t, e } = inputsOf(call) as { condition: TensorInfo; t: TensorInfo; e: TensorInfo };
  const { backend } = call;
  if (!areMasks([condition]) || !areFloats([t, e], backend)) return undefined;
  const [rows = 1, ...rest] = t.shape;
  const choosesRows = condition.shape.length === 1 && condition.shape[0] === rows;
  if (!choosesRows && !util.arraysEqual(condition.shape, t.shape)) return undefined;
  const mask = { ...condition, shape: choosesRows ? [rows, ...rest.map(() => 1)] : t.shape };
  return map(backend, backend.kernels.select, t.shape, [mask, t, e]);
};

/** (a − b)² */
export const squaredDifference: Kernel = (call) => {
  const result = difference(call) as TensorInfo | undefined;
  if (result === undefined) return undefined;
  const z = call.backend.pointer(result);
  square(call.backend.kernels, z, z, util.sizeFromShape(result.shape));
  return result;
};

const difference = binary((kernels) => kernels.add, { scalar: -1 });

/** x where x > 0, else alpha · x; alpha broadcasts to x. */
export const prelu: Kernel = (call) => {
  const { x, alpha } = inputsOf(call) as { x: TensorInfo; alpha: TensorInfo };
  const { backend } = call;
  const { kernels, runtime } = backend;
  if (!areFloats([x, alpha], backend)) return undefined;
  const shape = broadcast_util.assertAndGetBroadcastShape(x.shape, alpha.shape);
  if (!util.arraysEqual(shape, x.shape)) return undefined;
  const n = util.sizeFromShape(shape);
  const positive = runtime.scratch("tfjs prelu", n);
  const result = map(backend, kernels.multiply, shape, [x, alpha]);
  const [z, from] = [result.pointer, backend.pointer(x)];
  kernels.step(positive, from, n, 0); // NaN there, which is not 0, lets x pass
  kernels.select(z, positive, from, z, 1, n, n, n, 1, n, 1, n, 1);
  return result;
};

/** result ← kernel(operands), all broadcast to `shape` */
function map(
  backend: SimdgradBackend,
  kernel: MatrixKernel,
  shape: number[],
  operands: readonly TensorInfo[],
): NewTensor {
  const addresses = operands.map((operand) => backend.pointer(operand));
  const result = backend.allocate(shape, "float32");
  const shapes = operands.map((operand) => operand.shape);
  forEachMatrix(shape, shapes, [result.pointer, ...addresses], (at, rows, columns, strides) => {
    kernel(...at, rows, columns, ...strides);
  });
  return result;
}
