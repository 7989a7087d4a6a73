/** Seeded data in a runtime's memory, for the cases to work on. Addresses in, addresses out: what kernels take. */
import { Random } from "../tests/support/random.js";
import type { Runtime } from "../src/index.js";

export class Desk {
  readonly #random = new Random(1);

  constructor(readonly runtime: Runtime) {}

  get kernels(): Runtime["kernels"] {
    return this.runtime.kernels;
  }

  get memory(): WebAssembly.Memory {
    return this.runtime.memory;
  }

  /** n floats in [low, high). */
  uniform(n: number, low = -1, high = 1): number {
    const pointer = this.output(n);
    const view = this.runtime.heapF32.subarray(pointer >>> 2, (pointer >>> 2) + n);
    for (let i = 0; i < n; i++) view[i] = this.#random.uniform(low, high);
    return pointer;
  }

  /** n integers in [0, below). */
  integers(n: number, below: number): number {
    const pointer = this.output(n);
    const view = this.runtime.heapI32.subarray(pointer >>> 2, (pointer >>> 2) + n);
    for (let i = 0; i < n; i++) view[i] = this.#random.integer(0, below - 1);
    return pointer;
  }

  /** n different integers in [0, below), in random order. */
  distinct(n: number, below: number): number {
    const pointer = this.output(n);
    const all = this.#random.permutation(below);
    this.runtime.heapI32.set(all.subarray(0, n), pointer >>> 2);
    return pointer;
  }

  /** n random bytes. */
  bytes(n: number): number {
    const pointer = this.runtime.allocate(n);
    const view = this.runtime.heapU8.subarray(pointer, pointer + n);
    for (let i = 0; i < n; i++) view[i] = this.#random.integer(0, 255);
    return pointer;
  }

  /** n floats that must be overwritten: NaN. */
  output(n: number): number {
    const pointer = this.runtime.allocate(4 * n);
    this.runtime.heapF32.fill(NaN, pointer >>> 2, (pointer >>> 2) + n);
    return pointer;
  }

  /** A copy of n floats. */
  floats(pointer: number, n: number): Float32Array {
    return this.runtime.heapF32.slice(pointer >>> 2, (pointer >>> 2) + n);
  }

  /** A copy of n integers. */
  ints(pointer: number, n: number): Int32Array {
    return this.runtime.heapI32.slice(pointer >>> 2, (pointer >>> 2) + n);
  }
}
