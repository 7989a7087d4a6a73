/** The plane, coloured by the network's answers, with the examples on top. */
import { color, context2d, onSchemeChange } from "../elements.js";
import { EXTENT, GRID, type Examples } from "./dataSet.js";

/** How much of a class's colour the surface takes where the network is sure. */
const STRENGTH = 0.45;

type Rgb = readonly [red: number, green: number, blue: number];

/** A colour of page.css as numbers. */
function rgb(name: string): Rgb {
  const value = parseInt(color(name).slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export class SurfaceView {
  readonly #canvas: HTMLCanvasElement;
  readonly #grid = document.createElement("canvas");
  #examples: Examples = { x: new Float32Array(0), labels: new Uint8Array(0) };
  #probabilities: Float32Array = new Float32Array(0);
  #classes = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#grid.width = this.#grid.height = GRID;
    onSchemeChange(() => this.#draw());
  }

  setExamples(examples: Examples): void {
    this.#examples = examples;
  }

  /** Probabilities of each class in each cell of the grid, row by row from the top left. */
  setProbabilities(probabilities: Float32Array, classes: number): void {
    this.#probabilities = probabilities;
    this.#classes = classes;
    this.#draw();
  }

  #draw(): void {
    const context = context2d(this.#canvas);
    const { width, height } = this.#canvas;
    context2d(this.#grid).putImageData(this.#paintGrid(), 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.#grid, 0, 0, width, height);
    const { x, labels } = this.#examples;
    const place = (value: number) => ((value / EXTENT + 1) / 2) * width;
    const colors = Array.from({ length: this.#classes }, (_, label) => color(`class-${String(label)}`));
    context.strokeStyle = color("card");
    labels.forEach((label, i) => {
      context.beginPath();
      context.arc(place(x[2 * i]!), place(-x[2 * i + 1]!), 3.5, 0, 2 * Math.PI);
      context.fillStyle = colors[label]!;
      context.fill();
      context.stroke();
    });
  }

  /** Each cell is the card's colour, mixed with those of the classes as far as they are likely. */
  #paintGrid(): ImageData {
    const image = new ImageData(GRID, GRID);
    const card = rgb("card");
    const classes = Array.from({ length: this.#classes }, (_, label) => rgb(`class-${String(label)}`));
    for (let cell = 0; cell < GRID * GRID; cell++) {
      for (const channel of [0, 1, 2] as const) {
        const mixed = classes.reduce((sum, one, label) => {
          return sum + one[channel] * this.#probabilities[cell * this.#classes + label]!;
        }, 0);
        image.data[4 * cell + channel] = (1 - STRENGTH) * card[channel] + STRENGTH * mixed;
      }
      image.data[4 * cell + 3] = 255;
    }
    return image;
  }
}
