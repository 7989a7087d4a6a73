/** A part of MNIST, for experiments that are to be quick: so many images to train with, so many to test with. */
import { loadMnist, SIDE, type Digits } from "../mnist/data.js";

export { CLASSES, SIDE } from "../mnist/data.js";
export const PIXELS = SIDE * SIDE;

export function someDigits(train: number, test: number): { readonly train: Digits; readonly test: Digits } {
  const all = loadMnist();
  return { train: first(all.train, train), test: first(all.test, test) };
}

function first({ images, labels }: Digits, count: number): Digits {
  return { count, images: images.subarray(0, count * PIXELS), labels: labels.subarray(0, count) };
}
