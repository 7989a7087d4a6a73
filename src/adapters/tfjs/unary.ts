/** Functions of one tensor, element by element, and those gradients that are kernels of their own. */
import { util, type DataType, type NamedAttrMap, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Kernels } from "../../index.js";
import { isResidentType } from "./backend.js";
import { areFloats, areMasks, inputsOf, lie, type Kernel } from "./kernel.js";

/** `one` is the address of a 1. */
type Map = (kernels: Kernels, y: number, x: number, n: number, attrs: NamedAttrMap, one: number) => void;

/** y ← f(x) */
export function unary(map: Map): Kernel {
  return (call) => {
    const { x } = inputsOf(call) as { x: TensorInfo };
    const { backend, attrs = {} } = call;
    const from = backend.floats(x);
    if (from === 0) return undefined;
    const y = backend.allocate(x.shape, "float32");
    map(backend.kernels, y.pointer, from, util.sizeFromShape(x.shape), attrs, backend.one);
    return y;
  };
}

/** y ← x² */
export function square({ multiply }: Kernels, y: number, x: number, n: number): void {
  multiply(y, x, x, 1, n, n, n, 1, n, 1);
}

/** y ← 1 / x */
export function reciprocal({ divide }: Kernels, y: number, x: number, n: number, one: number): void {
  divide(y, one, x, 1, n, n, 0, 0, n, 1);
}

/** dx from dy and y = f(x), which have one shape */
export function gradient(map: (kernels: Kernels, dx: number, y: number, dy: number, n: number) => void): Kernel {
  return (call) => {
    const { dy, y } = inputsOf(call) as { dy: TensorInfo; y: TensorInfo };
    const { backend } = call;
    if (!areFloats([dy, y], backend)) return undefined;
    const [fromY, fromDy] = [backend.pointer(y), backend.pointer(dy)];
    const dx = backend.allocate(y.shape, "float32");
    map(backend.kernels, dx.pointer, fromY, fromDy, util.sizeFromShape(y.shape));
    return dx;
  };
}

export const logicalNot: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const { backend } = call;
  if (!areMasks([x])) return undefined;
  const from = backend.pointer(x);
  const y = backend.allocate(x.shape, "bool");
  const n = util.sizeFromShape(x.shape);
  backend.kernels.notEqual(y.pointer, from, backend.one, 1, n, n, n, 1, 0, 0);
  return y;
};

/** A tensor of x's shape and type with equal elements. */
export function filledLike(value: number): Kernel {
  return (call) => {
    const { x } = inputsOf(call) as { x: TensorInfo };
    return isResidentType(x.dtype) ? call.backend.filled(x.shape, x.dtype, value) : undefined;
  };
}

/** Elements of another type, converted: the cpu backend leaves integers as they are under a tensor of floats. */
export const cast: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const { dtype } = call.attrs as { dtype: DataType };
  const { backend } = call;
  if (!lie([x], backend) || x.dtype === dtype || (x.dtype === "bool" && dtype === "float32")) return undefined;
  const values = backend.data.get(x.dataId).values as Float32Array | Int32Array | Uint8Array;
  if (dtype === "float32") return backend.makeTensorInfo(x.shape, dtype, new Float32Array(values));
  return dtype === "int32" ? backend.makeTensorInfo(x.shape, dtype, new Int32Array(values)) : undefined;
};
