/** TensorFlow.js tensors in a simdgrad runtime's memory. */
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import {
  backend_util,
  DataStorage,
  engine,
  util,
  type BackendValues,
  type DataType,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { initSync, type InitOptions, type Kernels, type Runtime } from "../../index.js";

type Heap = Runtime["heap"];

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
  /** The storage that has this as a data id of its own. */
  storage: Storage | undefined;
  readonly dtype: DataType;
  refCount: number;
  readonly #heap: Heap;
  /** Undefined, too, for a complex tensor, which has its parts for values. */
  #host: BackendValues | undefined;
  #length: number;

  constructor(heap: Heap, dtype: DataType, refCount: number, host?: BackendValues) {
    this.#heap = heap;
    this.dtype = dtype;
    this.refCount = refCount;
    this.#host = host;
    this.#length = host === undefined ? 0 : host.length;
  }

  /** What the cpu backend's kernels read: a fresh view on the memory each time, since growth detaches old ones. */
  get values(): BackendValues {
    if (this.pointer === 0) return this.#host as BackendValues;
    return this.dtype === "bool" ? Uint8Array.from(this.#view) : this.#view;
  }

  get #view(): Float32Array | Int32Array {
    return new ARRAYS[this.dtype as ResidentType](this.#heap.memory.buffer, this.pointer, this.#length);
  }

  /** Takes memory for `length` elements, which are uninitialised. */
  allocate(length: number): void {
    this.pointer = this.#heap.allocate(length === 0 ? 1 : 4 * length, "tfjs");
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
    if (this.pointer !== 0) this.#heap.free(this.pointer, "tfjs");
    this.pointer = 0;
    this.#host = undefined;
  }
}

/**
 * Finds data by its id. An id that this backend makes is the data itself; only for those that come from other backends does it
 * take the weak map of the class below, which is a tenth of the time of a tiny call.
 */
class Storage extends DataStorage<TensorData> {
  #count = 0;

  /** Makes data its own id. */
  add(data: TensorData): void {
    data.storage = this;
    this.#count++;
  }

  override get(dataId: object): TensorData {
    return (dataId as TensorData).storage === this ? (dataId as TensorData) : super.get(dataId);
  }

  override set(dataId: object, data: TensorData): void {
    super.set(dataId, data);
    this.#count++;
  }

  override has(dataId: object): boolean {
    return (dataId as TensorData).storage === this || super.has(dataId);
  }

  override delete(dataId: object): boolean {
    this.#count--;
    if ((dataId as TensorData).storage !== this) return super.delete(dataId);
    (dataId as TensorData).storage = undefined;
    return true;
  }

  override numDataIds(): number {
    return this.#count;
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
  declare readonly data: Storage;
  readonly runtime: Runtime;
  readonly kernels: Kernels;
  /** The address of a 1, for kernels of two operands. */
  readonly one: number;

  constructor(options?: InitOptions) {
    super();
    this.data = new Storage(this, engine());
    this.runtime = initSync(options);
    this.kernels = this.runtime.kernels;
    this.one = this.filled([], "float32", 1).pointer;
  }

  /** The address of a tensor's elements, which it brings into the memory; valid until the tensor is disposed. */
  pointer({ dataId }: TensorInfo): number {
    return this.data.get(dataId).toMemory();
  }

  /** As `pointer`, of a float32 tensor whose elements lie as floats; 0 for any other. */
  floats({ dataId, dtype }: TensorInfo): number {
    if (dtype !== "float32") return 0;
    const data = this.data.get(dataId);
    return data.dtype === "int32" ? 0 : data.toMemory(); // integers that a cast of the cpu backend left as they were
  }

  /** A new tensor with uninitialised elements. */
  allocate(shape: number[], dtype: ResidentType): NewTensor {
    const data = new TensorData(this.runtime.heap, dtype, 1);
    data.allocate(util.sizeFromShape(shape));
    this.data.add(data);
    return { dataId: data, shape, dtype, pointer: data.pointer };
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
    return this.data.get(dataId).pointer !== 0;
  }

  /** A second reference to a tensor's elements under a shape of the same size. */
  alias({ dataId, dtype }: TensorInfo, shape: number[]): TensorInfo {
    this.data.get(dataId).refCount++;
    return { dataId, shape, dtype };
  }

  override write(values: BackendValues, _shape: number[], dtype: DataType): object {
    const data = new TensorData(this.runtime.heap, dtype, 1, this.#own(values));
    this.data.add(data);
    return data;
  }

  override move(dataId: object, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    const isComplex = dtype === "complex64";
    const data = new TensorData(this.runtime.heap, dtype, refCount, isComplex ? undefined : this.#own(values));
    if (isComplex) {
      const { real, imag } = backend_util.splitRealAndImagArrays(values as Float32Array);
      const part = (own: Float32Array) => this.makeTensorInfo(shape, "float32", own);
      data.complexTensorInfos = { real: part(real), imag: part(imag) };
    }
    this.data.set(dataId, data);
  }

  override readSync(dataId: object): BackendValues {
    const values = super.readSync(dataId);
    return this.#own(values);
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const data = this.data.get(dataId);
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

  /** A copy of values that lie in the memory: kernels of the cpu backend hand back parts of their inputs, and users keep what they read. */
  #own(values: BackendValues): BackendValues {
    const { buffer } = this.runtime.memory;
    return (values as Float32Array | undefined)?.buffer === buffer ? (values as Float32Array).slice() : values;
  }
}
