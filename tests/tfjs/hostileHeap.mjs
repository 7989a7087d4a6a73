/** Memory as unkind as it may be: what holds a view across an allocation or an address across a free does not survive it. */

/**
 * What is overridden of a runtime's heap.
 * @typedef {{
 *   memory: WebAssembly.Memory,
 *   u8: Uint8Array,
 *   allocate: (this: Heap, bytes: number, operation: string) => number,
 *   free: (this: Heap, pointer: number, operation: string) => void,
 * }} Heap
 */

const PAGE = 65536;
const LIMIT = 2 ** 32;

/** Lets every heap with this prototype grow at each allocation, which detaches all views, and fill what is freed with NaN. */
export function makeHostile(/** @type {Heap} */ prototype) {
  const { allocate, free } = prototype;
  /** @type {WeakMap<Heap, Map<number, number>>} */
  const sizes = new WeakMap();
  prototype.allocate = function (bytes, operation) {
    if (this.memory.buffer.byteLength + PAGE < LIMIT) this.memory.grow(1);
    const pointer = allocate.call(this, bytes, operation);
    const live = sizes.get(this) ?? /** @type {Map<number, number>} */ (new Map());
    sizes.set(this, live.set(pointer, bytes));
    return pointer;
  };
  prototype.free = function (pointer, operation) {
    const bytes = sizes.get(this)?.get(pointer) ?? 0;
    this.u8.fill(0xff, pointer, pointer + bytes);
    free.call(this, pointer, operation);
  };
}
