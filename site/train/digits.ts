/** Test digits with what the network reads in them. */
import { context2d } from "../elements.js";
import { PIXELS, SIDE, type Examples } from "./dataSet.js";

/** Paints 28×28 bytes, white on black as MNIST is. */
function paint(canvas: HTMLCanvasElement, pixels: ArrayLike<number>): void {
  canvas.width = canvas.height = SIDE;
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < PIXELS; i++) image.data.set([pixels[i]!, pixels[i]!, pixels[i]!, 255], 4 * i);
  context2d(canvas).putImageData(image, 0, 0);
}

/** The class of the largest probability in row `row`, and that probability. */
export function likeliest(probabilities: Float32Array, row: number, classes: number): { best: number; share: number } {
  const values = probabilities.subarray(row * classes, (row + 1) * classes);
  const share = Math.max(...values);
  return { best: values.indexOf(share), share };
}

export class DigitView {
  readonly #place: HTMLElement;
  #labels: Uint8Array = new Uint8Array(0);

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  setExamples({ x, labels }: Examples): void {
    this.#labels = labels;
    const cells = Array.from(labels, (_, i) => {
      const cell = document.createElement("div");
      const canvas = document.createElement("canvas");
      paint(canvas, x.subarray(i * PIXELS, (i + 1) * PIXELS));
      cell.append(canvas, document.createElement("span"));
      return cell;
    });
    this.#place.replaceChildren(...cells);
  }

  /** Probabilities of ten digits for each of the examples. */
  setReadings(probabilities: Float32Array): void {
    [...this.#place.children].forEach((cell, i) => {
      const { best } = likeliest(probabilities, i, 10);
      const right = best === this.#labels[i];
      cell.className = right ? "" : "wrong";
      (cell.lastElementChild as HTMLElement).textContent = right ? String(best) : `${best} ≠ ${this.#labels[i]}`;
    });
  }
}
