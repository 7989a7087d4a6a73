/**
 * The relaxed binary as an engine runs it that does not fuse multiply-adds (some do not): every relaxed_madd is replaced by
 * a call, of the same three bytes, to an appended function that multiplies and then adds. So both roundings that relaxed
 * SIMD allows are tested on every engine.
 */
import { readBinary } from "./binary.js";

const TYPES = 1;
const FUNCTIONS = 3;
const CODE = 10;
/** f32x4.relaxed_madd, opcode 0x105 behind the SIMD prefix. */
const RELAXED_MADD = [0xfd, 0x85, 0x02];
/** (v128, v128, v128) → v128 */
const TYPE = [0x60, 3, 0x7b, 0x7b, 0x7b, 1, 0x7b];
/** No locals; f32x4.add(f32x4.mul(first, second), third). */
const BODY = [0, 0x20, 0, 0x20, 1, 0xfd, 0xe6, 0x01, 0x20, 2, 0xfd, 0xe4, 0x01, 0x0b];

export function withoutFusion(binary: Uint8Array): Uint8Array<ArrayBuffer> {
  const multiplyAdds = readBinary(binary).operations.get(0xfd0105) ?? 0; // nothing else may have the same bytes
  const output = [...binary.subarray(0, 8)];
  let functions = 0;
  let types = 0;
  for (let at = 8; at < binary.length;) {
    const id = binary[at]!;
    const [size, start] = readLeb(binary, at + 1);
    let body = [...binary.subarray(start, start + size)];
    at = start + size;
    if (id === TYPES) {
      types = readLeb(body, 0)[0];
      body = append(body, TYPE);
    } else if (id === FUNCTIONS) {
      // The module imports nothing but its memory, so a function's index is its place in this section.
      functions = readLeb(body, 0)[0];
      body = append(body, leb(types));
    } else if (id === CODE) {
      const replaced = callInstead(body, functions);
      if (replaced !== multiplyAdds) {
        throw new Error(`Found ${String(replaced)} relaxed_madd in the relaxed binary, not ${String(multiplyAdds)}.`);
      }
      body = append(body, [...leb(BODY.length), ...BODY]);
    }
    output.push(id, ...leb(body.length));
    for (const byte of body) output.push(byte);
  }
  return Uint8Array.from(output);
}

function callInstead(code: number[], target: number): number {
  let replaced = 0;
  for (let i = 0; i + 2 < code.length; i++) {
    if (RELAXED_MADD.some((byte, j) => code[i + j] !== byte)) continue;
    // call with a two-byte index
    code[i] = 0x10;
    code[i + 1] = (target & 0x7f) | 0x80;
    code[i + 2] = target >> 7;
    replaced++;
  }
  return replaced;
}

/** A section's vector with one more entry. */
function append(section: number[], entry: number[]): number[] {
  const [count, start] = readLeb(section, 0);
  return [...leb(count + 1), ...section.slice(start), ...entry];
}

function readLeb(bytes: ArrayLike<number>, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
