import * as check from "./check.js";
import type { Runtime } from "./runtime/runtime.js";
import { disposeSymbol, type Tensor } from "./tensor.js";

/**
 * A float32 matrix laid out as products read their right factor, which `matmul` takes as b: the weights of inference, packed
 * once and multiplied many times. Made by `packMatrix`. It is a copy, and stays until `dispose`, the end of its `scope`, or the
 * runtime's end.
 */
export class PackedMatrix {
  readonly runtime: Runtime;
  /** Rows × columns as it takes part in a product: k×n. */
  readonly shape: readonly [rows: number, columns: number];
  /** Columns are padded to whole panels of a few, so this may exceed rows · columns · 4. */
  readonly byteLength: number;
  readonly #panels: Tensor;

  /** @internal */
  constructor(panels: Tensor, rows: number, columns: number) {
    this.runtime = panels.runtime;
    this.shape = Object.freeze([rows, columns] as const);
    this.byteLength = panels.byteLength;
    this.#panels = panels;
  }

  /** @internal */
  get [check.PACKED_MATRIX](): unknown {
    return #panels in this ? this : undefined;
  }

  /**
   * What holds the elements, in an order that the kernels alone know.
   * @internal
   */
  get panels(): Tensor {
    return this.#panels;
  }

  /** The address of the panels in `runtime.memory`, for `kernels.sgemmPrepacked`. Throws DisposedError after `dispose`. */
  get pointer(): number {
    check.packedMatrix("PackedMatrix.pointer", "the matrix", this, this.runtime);
    return this.#panels.pointer;
  }

  get disposed(): boolean {
    return this.#panels.disposed;
  }

  /** Frees the memory. A second call does nothing. */
  dispose(): void {
    this.#panels.dispose();
  }

  [disposeSymbol](): void {
    this.dispose();
  }
}

export interface PackOptions {
  /** Packs bᵀ: for weights of outFeatures × inFeatures, as those of Dense. */
  readonly transpose?: boolean;
  /** Takes the result instead of a new packed matrix: b after its values have changed. */
  readonly out?: PackedMatrix;
}

/**
 * Lays out b, a float32 matrix, or its transpose, for many products. Later writes to b do not show in it. It pays for weights that
 * lie outside of the L2 cache and few rows: up to 1.8 times as fast at four rows (docs/PERFORMANCE.md).
 *
 *     const packed = packMatrix(weight, { transpose: true }); // weights of outFeatures × inFeatures, as those of Dense
 *     const y = matmul(x, packed, { bias, activation: "relu" });
 */
export function packMatrix(b: Tensor, options: PackOptions = {}): PackedMatrix {
  const operation = "packMatrix";
  const runtime = check.runtimeOf(operation, "b", b);
  check.matrix(operation, "b", b, runtime);
  const { transpose = false, out } = check.options(operation, options);
  check.boolean(operation, "transpose", transpose);
  const [rows, columns] = b.shape as [number, number];
  const [k, n] = transpose ? [columns, rows] : [rows, columns];
  if (out !== undefined) {
    check.packedMatrix(operation, "out", out, runtime);
    check.shape(operation, "out", out, [k, n], "that is the result's shape");
  }
  const { kernels } = runtime;
  // The size of one row times k: the kernel's i32 cannot count all of a matrix too large to allocate.
  const packed = out ?? new PackedMatrix(runtime.empty(operation, [k, kernels.sgemmPackedSize(n, 1)], "float32"), k, n);
  kernels.sgemmPackB(packed.pointer, b.pointer, n, k, transpose ? 1 : columns, transpose ? columns : 1);
  return packed;
}
