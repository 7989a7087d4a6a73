/** Kernels that move elements of 4 bytes, bit for bit: parts, joins, repetitions, permutations, rows by index. */
import { backend_util, slice_util, util, type DataType, type TensorInfo } from "@tensorflow/tfjs-core";
import { forEachPlace, loopsOf, stridesOf, type Loop } from "../../ops/loops.js";
import { isResidentType, type ResidentType, type SimdgradBackend } from "./backend.js";
import { inputsOf, lie, type Call, type Kernel } from "./kernel.js";

/** Where elements lie. */
interface Place {
  readonly address: number;
  readonly strides: readonly number[];
}

const ONCE: Loop = { size: 1, strides: [1, 1] };

/** to ← from, for a block of elements of this shape */
function copy({ kernels }: SimdgradBackend, shape: readonly number[], to: Place, from: Place): void {
  const loops = loopsOf(shape, [to.strides, from.strides]);
  const columns = loops[0]?.strides[0] === 1 ? (loops.shift() as Loop) : ONCE;
  const [, stepFrom] = columns.strides as [number, number];
  const addresses = [to.address, from.address];
  if (stepFrom > 1) {
    // Columns here are rows there: with the loop that has them side by side there, a matrix is transposed.
    const across = loops.findIndex(({ strides }) => strides[1] === 1);
    const [rows = ONCE] = across < 0 ? [] : loops.splice(across, 1);
    forEachPlace(loops, addresses, ([y, x]) => {
      kernels.transpose(y as number, x as number, columns.size, rows.size, rows.strides[0] as number, stepFrom);
    });
    return;
  }
  const rows = loops.shift() ?? ONCE;
  const [rsTo, rsFrom] = rows.strides as [number, number];
  forEachPlace(loops, addresses, ([y, x]) => {
    kernels.copyMatrix(y as number, x as number, rows.size, columns.size, rsTo, rsFrom, stepFrom);
  });
}

/** The address of the element at `begin` of a tensor that starts at `address`. */
function addressAt(address: number, begin: readonly number[], strides: readonly number[]): number {
  return begin.reduce((at, index, axis) => at + 4 * index * (strides[axis] as number), address);
}

/** A new tensor of the part of x that begins at `begin`. */
function part(backend: SimdgradBackend, x: TensorInfo, begin: readonly number[], shape: number[]): TensorInfo {
  const strides = stridesOf(x.shape);
  const address = addressAt(backend.pointer(x), begin, strides);
  const y = backend.allocate(shape, x.dtype as ResidentType);
  copy(backend, shape, { address: y.pointer, strides: stridesOf(shape) }, { address, strides });
  return y;
}

/** Consecutive parts of outside values need no memory until a kernel uses them: the cpu backend cuts them without a copy. */
const isCutOutside = (backend: SimdgradBackend, x: TensorInfo, begin: number[], size: number[]): boolean =>
  !backend.isResident(x) && slice_util.isSliceContinous(x.shape, begin, size);

export const slice: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const attrs = call.attrs as { begin: number[]; size: number[] };
  const { backend } = call;
  if (!lie([x], backend)) return undefined;
  const [begin, size] = slice_util.parseSliceParams(x, attrs.begin, attrs.size) as [number[], number[]];
  slice_util.assertParamsValid(x, begin, size);
  return isCutOutside(backend, x, begin, size) ? undefined : part(backend, x, begin, size);
};

export const splitV: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const { numOrSizeSplits, axis } = call.attrs as { numOrSizeSplits: number | number[]; axis: number };
  const { backend } = call;
  if (!lie([x], backend)) return undefined;
  const along = util.parseAxisParam(axis, x.shape)[0] as number;
  const sizes = backend_util.prepareSplitSize(x, numOrSizeSplits, along);
  return cut(backend, x, along, sizes, (size) => x.shape.map((own, at) => (at === along ? size : own)));
};

export const unpack: Kernel = (call) => {
  const { value } = inputsOf(call) as { value: TensorInfo };
  const { axis } = call.attrs as { axis: number };
  const { backend } = call;
  if (!lie([value], backend)) return undefined;
  const along = util.parseAxisParam(axis, value.shape)[0] as number;
  const ones = new Array<number>(value.shape[along] as number).fill(1);
  return cut(backend, value, along, ones, () => value.shape.filter((_, at) => at !== along));
};

const inserted = (shape: number[], axis: number, size: number) => [...shape.slice(0, axis), size, ...shape.slice(axis)];

/** x in parts of these sizes along an axis, each under the shape that `shapeOf` makes of its size there. */
function cut(
  backend: SimdgradBackend,
  x: TensorInfo,
  axis: number,
  sizes: readonly number[],
  shapeOf: (size: number) => number[],
): TensorInfo[] | undefined {
  const { shape, dtype } = x;
  const outer = util.sizeFromShape(shape.slice(0, axis));
  if (outer === 1 && !backend.isResident(x)) return undefined; // as with slices
  const step = util.sizeFromShape(shape.slice(axis + 1));
  const whole = (shape[axis] as number) * step;
  let from = backend.pointer(x);
  const parts: TensorInfo[] = [];
  try {
    for (const size of sizes) {
      const y = backend.allocate(shapeOf(size), dtype as ResidentType);
      parts.push(y);
      const length = size * step;
      backend.kernels.copyMatrix(y.pointer, from, outer, length, length, whole, 1);
      from += 4 * length;
    }
  } catch (error) {
    for (const made of parts) backend.disposeIntermediateTensorInfo(made);
    throw error;
  }
  return parts;
}

export const concat: Kernel = (call) => {
  const { axis } = call.attrs as { axis: number };
  const inputs = Object.values(inputsOf(call));
  const first = inputs[0] as TensorInfo;
  const along = util.parseAxisParam(axis, first.shape)[0] as number;
  const shapes = inputs.map(({ shape }) => shape);
  backend_util.assertParamsConsistent(shapes, along);
  const outer = util.sizeFromShape(first.shape.slice(0, along));
  return join(call, inputs, outer, backend_util.computeOutShape(shapes, along));
};

export const pack: Kernel = (call) => {
  const { axis } = call.attrs as { axis: number };
  const inputs = Object.values(inputsOf(call));
  const first = inputs[0] as TensorInfo;
  for (const { shape, dtype } of inputs) {
    util.assertShapesMatch(first.shape, shape, "All tensors passed to stack must have matching shapes");
    util.assert(first.dtype === dtype, () => "All tensors passed to stack must have matching dtypes");
  }
  const along = axis < 0 ? axis + first.shape.length + 1 : axis;
  const outer = util.sizeFromShape(first.shape.slice(0, along));
  return join(call, inputs, outer, inserted(first.shape, along, inputs.length));
};

/** The inputs side by side: each is `outer` rows, which all become parts of one row. */
function join({ backend }: Call, inputs: TensorInfo[], outer: number, shape: number[]): TensorInfo | undefined {
  const dtype = inputs[0]?.dtype as ResidentType;
  if (!lie(inputs, backend) || inputs.some((input) => input.dtype !== dtype)) return undefined;
  const addresses = inputs.map((input) => backend.pointer(input));
  const y = backend.allocate(shape, dtype);
  const whole = outer === 0 ? 0 : util.sizeFromShape(shape) / outer;
  let to = y.pointer;
  for (const [i, input] of inputs.entries()) {
    const length = outer === 0 ? 0 : util.sizeFromShape(input.shape) / outer;
    backend.kernels.copyMatrix(to, addresses[i] as number, outer, length, whole, length, 1);
    to += 4 * length;
  }
  return y;
}

export const pad: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const { paddings, constantValue } = call.attrs as { paddings: [number, number][]; constantValue: number };
  const { backend } = call;
  if (!lie([x], backend)) return undefined;
  const shape = paddings.map(([before, after], axis) => before + (x.shape[axis] as number) + after);
  const from = { address: backend.pointer(x), strides: stridesOf(x.shape) };
  const y = backend.filled(shape, x.dtype as ResidentType, constantValue);
  const strides = stridesOf(shape);
  const begin = paddings.map(([before]) => before);
  copy(backend, x.shape, { address: addressAt(y.pointer, begin, strides), strides }, from);
  return y;
};

export const tile: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const { reps } = call.attrs as { reps: number[] };
  const { backend } = call;
  if (!lie([x], backend) || reps.length !== x.shape.length) return undefined;
  const shape = x.shape.map((size, axis) => size * (reps[axis] as number));
  const address = backend.pointer(x);
  const y = backend.allocate(shape, x.dtype as ResidentType);
  // Each axis is two: its repetitions, which stay in place in x, and its elements.
  const own = stridesOf(x.shape);
  const block = x.shape.flatMap((size, axis) => [reps[axis] as number, size]);
  const to = { address: y.pointer, strides: stridesOf(block) };
  copy(backend, block, to, { address, strides: own.flatMap((stride) => [0, stride]) });
  return y;
};

export const transpose: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const { perm } = call.attrs as { perm: number[] };
  const { backend } = call;
  if (!lie([x], backend)) return undefined;
  const shape = perm.map((axis) => x.shape[axis] as number);
  const own = stridesOf(x.shape);
  const strides = perm.map((axis) => own[axis] as number);
  if (util.arraysEqual(strides, stridesOf(shape))) return backend.alias(x, shape);
  const address = backend.pointer(x);
  const y = backend.allocate(shape, x.dtype as ResidentType);
  copy(backend, shape, { address: y.pointer, strides: stridesOf(shape) }, { address, strides });
  return y;
};

/** A shape with a dimension to be found, or of another size, is left to the cpu backend. */
export const reshape: Kernel = (call) => {
  const { x } = inputsOf(call) as { x: TensorInfo };
  const { shape } = call.attrs as { shape: number[] };
  let size = 1;
  for (const length of shape) size *= length < 0 ? NaN : length;
  return size === util.sizeFromShape(x.shape) && isResidentType(x.dtype) ? call.backend.alias(x, shape) : undefined;
};

/** The elements of an int32 tensor, for reading now. */
const integersOf = ({ data }: SimdgradBackend, { dataId }: TensorInfo) => data.get(dataId).values as Int32Array;

export const gather: Kernel = (call) => {
  const { x, indices } = inputsOf(call) as { x: TensorInfo; indices: TensorInfo };
  const { axis, batchDims = 0 } = call.attrs as { axis: number; batchDims?: number };
  const { backend } = call;
  if (!lie([x, indices], backend) || indices.dtype !== "int32") return undefined;
  const along = util.parseAxisParam(axis, x.shape)[0] as number;
  const last = (x.shape[along] as number) - 1;
  for (const index of integersOf(backend, indices)) {
    util.assert(index <= last && index >= 0, () => `GatherV2: the index value ${index} is not in [0, ${last}]`);
  }
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = backend_util.segment_util.collectGatherOpShapeInfo(
    x,
    indices,
    along,
    batchDims,
  );
  const rows = util.sizeFromShape(indices.shape) / batchSize;
  const [from, index] = [backend.pointer(x), backend.pointer(indices)];
  const y = backend.allocate(outputShape, x.dtype as ResidentType);
  for (let i = 0; i < batchSize * outerSize; i++) {
    backend.kernels.gatherRows(
      y.pointer + 4 * i * rows * sliceSize,
      from + 4 * i * dimSize * sliceSize,
      index + 4 * Math.floor(i / outerSize) * rows,
      rows,
      sliceSize,
    );
  }
  return y;
};

/** The sums of the rows of x that have one segment number. */
export const segmentSum: Kernel = (call) => {
  const { x, segmentIds } = inputsOf(call) as { x: TensorInfo; segmentIds: TensorInfo };
  const { numSegments } = call.attrs as { numSegments: number };
  const { backend } = call;
  if (x.dtype !== "float32" || !lie([x, segmentIds], backend) || segmentIds.shape.length !== 1) return undefined;
  const ids = integersOf(backend, segmentIds);
  if (!ids.every((id) => id >= 0 && id < numSegments)) return undefined;
  const [rows = 0, ...rest] = x.shape;
  const [from, index] = [backend.pointer(x), backend.pointer(segmentIds)];
  const y = backend.filled([numSegments, ...rest], "float32", 0);
  backend.kernels.scatterAddRows(y.pointer, from, index, rows, util.sizeFromShape(rest));
  return y;
};

/** For each index a row of `depth` elements: onValue at the place that it says, offValue elsewhere. */
export const oneHot: Kernel = (call) => {
  const { indices } = inputsOf(call) as { indices: TensorInfo };
  const { depth, onValue, offValue, dtype } = call.attrs as unknown as OneHotAttributes;
  const { backend } = call;
  const isMask = (value: number) => value === 0 || value === 1;
  if (indices.dtype !== "int32" || !isResidentType(dtype)) return undefined;
  if (dtype === "bool" && !(isMask(onValue) && isMask(offValue))) return undefined;
  const y = backend.filled([...indices.shape, depth], dtype, offValue);
  const { heapI32, heapF32 } = backend.runtime;
  const memory = dtype === "int32" ? heapI32 : heapF32;
  let row = y.pointer >>> 2;
  for (const index of integersOf(backend, indices)) {
    if (index >= 0 && index < depth) memory[row + index] = onValue;
    row += depth;
  }
  return y;
};

interface OneHotAttributes {
  readonly depth: number;
  readonly onValue: number;
  readonly offValue: number;
  readonly dtype: DataType;
}
