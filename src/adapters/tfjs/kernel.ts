/** What the kernels of this folder have in common. */
import { getKernel, type NamedAttrMap, type NamedTensorInfoMap, type TensorInfo } from "@tensorflow/tfjs-core";
import { isResidentType, type SimdgradBackend } from "./backend.js";

export const BACKEND = "simdgrad";

/** The arguments of a kernel of TensorFlow.js; a kernel of a list of tensors has an array for `inputs`. */
export interface Call {
  readonly inputs: NamedTensorInfoMap;
  readonly backend: SimdgradBackend;
  readonly attrs?: NamedAttrMap;
}

/** Computes a call's result, or returns undefined, having done nothing, to leave the call to the cpu backend's kernel. */
export type Kernel = (call: Call) => TensorInfo | TensorInfo[] | undefined;

/** The inputs that a kernel always has. */
export const inputsOf = ({ inputs }: Call) => inputs as Record<string, TensorInfo>;

/** Whether tensors' elements lie as their types say: the cpu backend's casts leave integers under some float32 tensors. */
export const lie = (tensors: readonly TensorInfo[], { data }: SimdgradBackend): boolean =>
  tensors.every(({ dataId, dtype }) => {
    const own = data.get(dataId).dtype;
    return isResidentType(dtype) && (own === dtype || (own === "bool" && dtype === "float32"));
  });

export const areFloats = (tensors: readonly TensorInfo[], backend: SimdgradBackend): boolean =>
  tensors.every(({ dtype }) => dtype === "float32") && lie(tensors, backend);

/** Whether these are bool tensors, whose elements lie as floats 0 and 1. */
export const areMasks = (tensors: readonly TensorInfo[]): boolean => tensors.every(({ dtype }) => dtype === "bool");

/** Runs the kernel `name` of this backend, ours or the cpu backend's, which gives one tensor. */
export function run(
  backend: SimdgradBackend,
  name: string,
  inputs: NamedTensorInfoMap,
  attrs: NamedAttrMap = {},
): TensorInfo {
  return getKernel(name, BACKEND).kernelFunc({ inputs, backend, attrs }) as TensorInfo;
}
