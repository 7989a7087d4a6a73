/**
 * How the page's folder holds MNIST: parts of 2,500 images, so that training starts on the first while the others arrive. A
 * part is 2,500 labels, then the images' pixels, all bytes, gzipped. The files' names end neutrally: a server that took them
 * for a gzipped something might unpack them on the way.
 */
import { PIXELS, type Examples } from "./dataSet.js";

const PART = 2500;

/** The files of a set of so many images. */
export function partNames(set: "train" | "test", images: number): string[] {
  return Array.from({ length: images / PART }, (_, part) => `mnist/${set}-${String(part).padStart(2, "0")}.bin`);
}

/** The bytes of the index-th part, before they are gzipped. */
export function joinPart({ x, labels }: Examples, index: number): Uint8Array {
  const begin = index * PART;
  const bytes = new Uint8Array(PART * (1 + PIXELS));
  bytes.set(labels.subarray(begin, begin + PART));
  bytes.set(x.subarray(begin * PIXELS, (begin + PART) * PIXELS), PART);
  return bytes;
}

/** A part's images, as views on its bytes. */
export function splitPart(bytes: Uint8Array): Examples & { readonly count: number } {
  return { count: PART, labels: bytes.subarray(0, PART), x: bytes.subarray(PART) };
}
