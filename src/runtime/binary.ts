/** The kernels' binaries, from the form in which the package holds them to the form that a memory needs. */

/** The bytes of a binary that is held as a string, a byte in each character. */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const HEADER_BYTES = 8;
const IMPORT_SECTION = 2;
/** In the import section, the flags of the memory lie behind a count, the names "env" and "memory" with lengths, a kind. */
const FLAGS_OFFSET = 1 + 4 + 7 + 1;
const IS_SHARED = 2;
/** Flags of a shared memory with a maximum; at least one page. Then the maximum, 65536 pages in LEB128: all of 4 GiB. */
const SHARED_LIMITS = [3, 1, 0x80, 0x80, 0x04];
const PLAIN_LIMITS_BYTES = 2;

/**
 * A binary for a shared memory, made of the one for a memory of its own: only the limits of the memory that it imports
 * differ, so the package need not hold both. A binary that is shared already, or none of ours, is returned as it is.
 */
export function forSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let at = HEADER_BYTES;
  while (at < binary.length) {
    const id = binary[at];
    const [size, start] = readLeb128(binary, at + 1);
    if (id === IMPORT_SECTION) {
      const limits = start + FLAGS_OFFSET;
      if (((binary[limits] ?? IS_SHARED) & IS_SHARED) !== 0) return binary;
      const grown = SHARED_LIMITS.length - PLAIN_LIMITS_BYTES;
      const shared = new Uint8Array(binary.length + grown);
      shared.set(binary.subarray(0, limits));
      shared[start - 1] = size + grown; // one byte, as the section has only some twenty
      shared.set(SHARED_LIMITS, limits);
      shared.set(binary.subarray(limits + PLAIN_LIMITS_BYTES), limits + SHARED_LIMITS.length);
      return shared;
    }
    at = start + size;
  }
  return binary;
}

function readLeb128(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
}
