import { argument } from "../check.js";
import { OutOfMemoryError } from "../errors.js";

export const PAGE = 65536;
/** Every allocation starts on a cache line, so that no two share one and vector loads of panels never straddle it. */
const ALIGNMENT = 64;
/** 1 MiB: a small model fits, and an unused runtime costs little. */
const INITIAL_PAGES = 16;

/**
 * Owns one WebAssembly.Memory: a first-fit free list ordered by address that merges neighbours, geometric growth, and
 * typed views that follow the growth. Pointers are byte addresses up to 4 GiB, hence the unsigned arithmetic.
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Bytes that the memory may grow to. */
  readonly limit: number;
  bytesInUse = 0;
  #f32!: Float32Array;
  #f64!: Float64Array;
  #i32!: Int32Array;
  #u8!: Uint8Array;
  readonly #sizes = new Map<number, number>();
  /** Free blocks by ascending address: where each starts, and its bytes. */
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];

  /** Without `memory`, makes one. What a given memory holds stays: allocations lie in pages that it grows by. */
  constructor(operation: string, maximumBytes: number, shared: boolean, memory?: WebAssembly.Memory) {
    const maximum = Math.floor(maximumBytes / PAGE);
    const initial = Math.min(INITIAL_PAGES, maximum);
    this.limit = maximum * PAGE;
    if (memory) {
      this.memory = memory;
      this.#refresh();
      if (this.byteLength === 0) this.#grow(ALIGNMENT, operation); // the kernels import at least a page
      return;
    }
    try {
      this.memory = new WebAssembly.Memory({ initial, maximum, shared });
    } catch (cause) {
      throw new OutOfMemoryError(operation, shared ? this.limit : initial * PAGE, 0, this.limit, { cause });
    }
    this.#refresh();
    this.#add(0, initial);
  }

  /** Bytes that the memory has now. */
  get byteLength(): number {
    return this.u8.length;
  }

  get f32(): Float32Array {
    if (this.#f32.length === 0) this.#refresh();
    return this.#f32;
  }

  get f64(): Float64Array {
    if (this.#f64.length === 0) this.#refresh();
    return this.#f64;
  }

  get i32(): Int32Array {
    if (this.#i32.length === 0) this.#refresh();
    return this.#i32;
  }

  get u8(): Uint8Array {
    if (this.#u8.length === 0) this.#refresh();
    return this.#u8;
  }

  /** The address of `bytes` uninitialised bytes, 64-byte aligned. Throws OutOfMemoryError and changes nothing then. */
  allocate(bytes: number, operation: string): number {
    const length = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    let block = this.#fitting(length);
    // Once, unless another thread grew a shared memory in between: then what was added does not join the tail.
    while (block < 0) {
      this.#grow(length, operation);
      block = this.#fitting(length);
    }
    const pointer = this.#starts[block] as number;
    const rest = (this.#lengths[block] as number) - length;
    if (rest > 0) {
      this.#starts[block] = pointer + length;
      this.#lengths[block] = rest;
    } else {
      this.#starts.splice(block, 1);
      this.#lengths.splice(block, 1);
    }
    this.#sizes.set(pointer, length);
    this.bytesInUse += length;
    return pointer;
  }

  free(pointer: number, operation: string): void {
    const length = this.#sizes.get(pointer);
    if (length === undefined) argument(operation, "pointer", pointer, "the address of a live allocation");
    this.#sizes.delete(pointer);
    this.bytesInUse -= length;
    this.#release(pointer, length);
  }

  /** The first free block of at least this length, −1 if there is none. A loop: findIndex takes several times as long. */
  #fitting(length: number): number {
    const lengths = this.#lengths;
    for (let block = 0; block < lengths.length; block++) {
      if ((lengths[block] as number) >= length) return block;
    }
    return -1;
  }

  /** Puts a block on the free list and merges it with free neighbours. */
  #release(start: number, length: number): void {
    const starts = this.#starts;
    const lengths = this.#lengths;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) < start) low = middle + 1;
      else high = middle;
    }
    const joinsNext = low < starts.length && start + length === starts[low];
    const joinsPrevious = low > 0 && (starts[low - 1] as number) + (lengths[low - 1] as number) === start;
    if (joinsPrevious) {
      lengths[low - 1] = (lengths[low - 1] as number) + length + (joinsNext ? (lengths[low] as number) : 0);
      if (joinsNext) {
        starts.splice(low, 1);
        lengths.splice(low, 1);
      }
    } else if (joinsNext) {
      starts[low] = start;
      lengths[low] = (lengths[low] as number) + length;
    } else {
      starts.splice(low, 0, start);
      lengths.splice(low, 0, length);
    }
  }

  /** Grows by half of what is there if that serves the request, else by what it takes, so that copies stay rare. */
  #grow(length: number, operation: string): void {
    const size = this.memory.buffer.byteLength;
    const last = this.#starts.length - 1;
    const tailStart = this.#starts[last];
    const tail = tailStart !== undefined && tailStart + (this.#lengths[last] as number) === size ? size - tailStart : 0;
    const needed = Math.ceil((length - tail) / PAGE);
    const available = (this.limit - size) / PAGE;
    if (needed > available) throw new OutOfMemoryError(operation, length, this.bytesInUse, this.limit);
    const generous = Math.min(available, Math.max(needed, Math.ceil(size / PAGE / 2)));
    let before: number;
    let added = generous;
    try {
      before = this.memory.grow(generous);
    } catch {
      try {
        before = this.memory.grow(needed);
        added = needed;
      } catch (cause) {
        throw new OutOfMemoryError(operation, length, this.bytesInUse, this.limit, { cause });
      }
    }
    this.#refresh();
    // As many as were asked for, from the old end that grow reports: pages that someone else adds to this memory, before
    // or after, are not ours.
    this.#add(before, added);
  }

  /** Puts new pages on the free list, but for address 0, which means "none". */
  #add(first: number, pages: number): void {
    const start = first === 0 ? ALIGNMENT : first * PAGE;
    this.#release(start, (first + pages) * PAGE - start);
  }

  #refresh(): void {
    const { buffer } = this.memory;
    this.#f32 = new Float32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#u8 = new Uint8Array(buffer);
  }
}
