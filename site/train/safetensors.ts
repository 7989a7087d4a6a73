/**
 * Weights as a safetensors file, which PyTorch, JAX and others read: the length of a header (64 bits, little-endian), the
 * header as JSON (the type, shape and place of each tensor, and strings about the whole), then all numbers.
 * Source: https://github.com/huggingface/safetensors#format
 */
import type { Sequential, Tensor } from "../../src/core.js";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where the bytes begin and end, counted from the end of the header. */
  readonly data_offsets: readonly [begin: number, end: number];
}

type Header = Record<string, Entry> & { __metadata__?: Record<string, string> };

/** Bytes of the header's length, which precedes it. */
const PREFIX = 8;

/** Every parameter and running statistic, by name. */
function tensorsOf(model: Sequential): (readonly [name: string, value: Tensor])[] {
  return [...model.parameters, ...model.states].map(({ name, value }) => [name, value]);
}

export function encodeWeights(model: Sequential, metadata: Record<string, string>): ArrayBuffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const tensors = tensorsOf(model);
  let end = 0;
  for (const [name, { shape, byteLength }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + byteLength] } satisfies Entry;
    end += byteLength;
  }
  let json = JSON.stringify(header);
  const encoder = new TextEncoder();
  // Spaces, as the format allows, so that the numbers are aligned.
  while ((PREFIX + encoder.encode(json).length) % 8 !== 0) json += " ";
  const text = encoder.encode(json);
  const file = new Uint8Array(PREFIX + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, PREFIX);
  let offset = PREFIX + text.length;
  for (const [, tensor] of tensors) {
    const values = tensor.toArray();
    file.set(new Uint8Array(values.buffer), offset);
    offset += values.byteLength;
  }
  return file.buffer;
}

function headerOf(file: ArrayBuffer): { header: Header; data: number } {
  try {
    const length = Number(new DataView(file).getBigUint64(0, true));
    const text = new TextDecoder().decode(new Uint8Array(file, PREFIX, length));
    return { header: JSON.parse(text) as Header, data: PREFIX + length };
  } catch (cause) {
    throw new Error("This file is not in the safetensors format.", { cause });
  }
}

/** The strings about the whole file. */
export function readMetadata(file: ArrayBuffer): Record<string, string> {
  return headerOf(file).header.__metadata__ ?? {};
}

/** Copies a file's tensors into a model with the same ones; throws an Error that names the first that differs. */
export function decodeWeights(file: ArrayBuffer, model: Sequential): void {
  const { header, data } = headerOf(file);
  const tensors = tensorsOf(model);
  for (const [name, { shape, byteLength }] of tensors) {
    const entry = header[name];
    const [begin = 0, end = 0] = entry?.data_offsets ?? [];
    const fits = entry?.dtype === "F32" && entry.shape.join() === shape.join() && end - begin === byteLength;
    if (!fits || data + end > file.byteLength) {
      throw new Error(`The file has no ${name} of ${shape.join("×")} float32 numbers, which this network needs.`);
    }
  }
  for (const [name, tensor] of tensors) {
    const [begin, end] = (header[name] as Entry).data_offsets;
    tensor.from(new Float32Array(file.slice(data + begin, data + end)));
  }
}
