/** Functions of one tensor, element by element, and those gradients that are kernels of their own. */
import { util, type NamedAttrMap, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Kernels } from "../../index.js";
import { areFloats, inputsOf, type Kernel } from "./kernel.js";

/** A kernel's numbers beside its arrays, from the call's attributes. */
type Scalars = (attrs: NamedAttrMap) => readonly number[];

const none: Scalars = () => [];

/** y ← f(x) */
export function unary(
  select: (kernels: Kernels) => (y: number, x: number, n: number, ...scalars: number[]) => void,
  scalars = none,
): Kernel {
  return (call) => {
    const { x } = inputsOf(call) as { x: TensorInfo };
    if (!areFloats([x], call.backend)) return undefined;
    const { backend, attrs = {} } = call;
    const from = backend.pointer(x);
    const y = backend.allocate(x.shape, "float32");
    select(backend.kernels)(backend.pointer(y), from, util.sizeFromShape(x.shape), ...scalars(attrs));
    return y;
  };
}

/** dx from dy and y = f(x), which have one shape */
export function gradient(
  select: (kernels: Kernels) => (dx: number, y: number, dy: number, n: number, ...scalars: number[]) => void,
  scalars: readonly number[] = [],
): Kernel {
  return (call) => {
    const { dy, y } = inputsOf(call) as { dy: TensorInfo; y: TensorInfo };
    if (!areFloats([dy, y], call.backend)) return undefined;
    const { backend } = call;
    const [fromY, fromDy] = [backend.pointer(y), backend.pointer(dy)];
    const dx = backend.allocate(y.shape, "float32");
    select(backend.kernels)(backend.pointer(dx), fromY, fromDy, util.sizeFromShape(y.shape), ...scalars);
    return dx;
  };
}
