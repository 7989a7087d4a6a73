/** TensorFlow.js tensors in a simdgrad runtime's memory. */
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { util, type BackendValues, type DataType, type TensorInfo } from "@tensorflow/tfjs-core";
import { initSync, type InitOptions, type Kernels, type Runtime } from "../../index.js";

/**
 * How elements lie in the memory: true and false as 1 and 0 in float32, for kernels to compute with. Strings and complex
 * numbers stay outside.
 */
const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Float32Array } as const;
export type ResidentType = keyof typeof ARRAYS;
export const isResidentType = (dtype: DataType): dtype is ResidentType => dtype in ARRAYS;

/**
 * What a data id stands for. Values that arrive from outside or from a kernel of the cpu backend stay where they are until
 * a kernel of ours needs them (`toMemory`); what our kernels compute stays in the memory.
 */
class TensorData {
  /** Set by the cpu backend on what stands for a complex tensor. */
  declare complexTensorInfos?: { real: TensorInfo; imag: TensorInfo };
  /** The address of the elements, 0 while they are outside the memory. */
  pointer = 0;
  readonly #runtime: Runtime;
  /** Undefined, too, for a complex tensor, which has its parts for values. */
  #host: BackendValues | undefined;
  #length: number;

  constructor(
    runtime: Runtime,
    readonly dtype: DataType,
    public refCount: number,
    host?: BackendValues,
  ) {
    this.#runtime = runtime;
    this.#host = host;
    this.#length = host?.length ?? 0;
  }

  /** What the cpu backend's kernels read: a fresh view on the memory each time, since growth detaches old ones. */
  get values(): BackendValues {
    if (this.pointer === 0) return this.#host as BackendValues;
    return this.dtype === "bool" ? Uint8Array.from(this.#view) : this.#view;
  }

  get #view(): Float32Array | Int32Array {
    return new ARRAYS[this.dtype as ResidentType](this.#runtime.memory.buffer, this.pointer, this.#length);
  }

  /** Takes memory for `length` elements, which are uninitialised. */
  allocate(length: number): void {
    this.pointer = this.#runtime.allocate(Math.max(1, 4 * length), "tfjs");
    this.#length = length;
  }

  /** Moves the values into the memory if they are not there; returns their address. */
  toMemory(): number {
    if (this.pointer === 0) {
      const host = this.#host as Float32Array;
      this.allocate(host.length);
      this.#view.set(host);
      this.#host = undefined;
    }
    return this.pointer;
  }

  release(): void {
    if (this.pointer !== 0 && !this.#runtime.disposed) this.#runtime.free(this.pointer);
    this.pointer = 0;
  }
}

/** A tensor that a kernel of ours makes. */
export interface NewTensor extends TensorInfo {
  /** The address of its elements. */
  readonly pointer: number;
}

/**
 * The cpu backend, whose kernels all work on it, with tensors that lie in a runtime's memory as soon as a kernel of ours
 * touches them. Throws OutOfMemoryError where the memory cannot hold a result; all tensors keep their values then.
 */
export class SimdgradBackend extends MathBackendCPU {
  readonly runtime: Runtime;
  readonly kernels: Kernels;
  /** The address of a 1, for kernels of two operands. */
  readonly one: number;

  constructor(options?: InitOptions) {
    super();
    this.runtime = initSync(options);
    this.kernels = this.runtime.kernels;
    this.one = this.filled([], "float32", 1).pointer;
  }

  /** The address of a tensor's elements, which it brings into the memory; valid until the tensor is disposed. */
  pointer({ dataId }: TensorInfo): number {
    return (this.data.get(dataId) as TensorData).toMemory();
  }

  /** As `pointer`, of a float32 tensor whose elements lie as floats; 0 for any other. */
  floats({ dataId, dtype }: TensorInfo): number {
    if (dtype !== "float32") return 0;
    const data = this.data.get(dataId) as TensorData;
    return data.dtype === "int32" ? 0 : data.toMemory(); // integers that a cast of the cpu backend left as they were
  }

  /** A new tensor with uninitialised elements. */
  allocate(shape: number[], dtype: ResidentType): NewTensor {
    const data = new TensorData(this.runtime, dtype, 1);
    data.allocate(util.sizeFromShape(shape));
    return { dataId: this.#add(data), shape, dtype, pointer: data.pointer };
  }

  /** A new tensor of equal elements. */
  filled(shape: number[], dtype: ResidentType, value: number): NewTensor {
    const tensor = this.allocate(shape, dtype);
    const begin = tensor.pointer >>> 2;
    const memory = dtype === "int32" ? this.runtime.heapI32 : this.runtime.heapF32;
    memory.fill(value, begin, begin + util.sizeFromShape(shape));
    return tensor;
  }

  /** Whether a tensor's elements lie in the memory. */
  isResident({ dataId }: TensorInfo): boolean {
    return (this.data.get(dataId) as TensorData).pointer !== 0;
  }

  /** A second reference to a tensor's elements under a shape of the same size. */
  alias({ dataId, dtype }: TensorInfo, shape: number[]): TensorInfo {
    this.incRef(dataId);
    return { dataId, shape, dtype };
  }

  override write(values: BackendValues, _shape: number[], dtype: DataType): object {
    return this.#add(new TensorData(this.runtime, dtype, 1, this.#own(values)));
  }

  override move(dataId: object, values: BackendValues, _shape: number[], dtype: DataType, refCount: number): void {
    this.data.set(dataId, new TensorData(this.runtime, dtype, refCount, this.#own(values)));
  }

  override readSync(dataId: object): BackendValues {
    const values = super.readSync(dataId);
    return this.#own(values);
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const data = this.data.get(dataId) as TensorData;
    if (data.complexTensorInfos) return super.disposeData(dataId, force);
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    data.release();
    return this.data.delete(dataId);
  }

  /** Statistics for `tf.memory()`; all numbers are bytes. */
  override memory(): { unreliable: boolean; reasons: string[]; bytesInUse: number; memoryBytes: number } {
    const { bytesInUse, memoryBytes } = this.runtime.statistics;
    return { unreliable: false, reasons: [], bytesInUse, memoryBytes };
  }

  override dispose(): void {
    this.runtime.dispose();
  }

  #add(data: TensorData): object {
    const dataId = {};
    this.data.set(dataId, data);
    return dataId;
  }

  /** A copy of values that lie in the memory: kernels of the cpu backend hand back parts of their inputs, and users keep what they read. */
  #own(values: BackendValues): BackendValues {
    const { buffer } = this.runtime.memory;
    return (values as Float32Array | undefined)?.buffer === buffer ? (values as Float32Array).slice() : values;
  }
}
