/** A pad to draw a digit on, by pointer or keyboard, which the network reads as it is drawn. */
import { context2d, element, percent } from "../elements.js";
import { likeliest } from "./digits.js";
import { PIXELS, SIDE } from "./dataSet.js";

/** MNIST fits a digit into 20×20 of the 28×28 pixels and centres its mass (LeCun et al. 1998). */
const BOX = 20;
const PEN = 22;
/** Pixels that an arrow key moves the pen. */
const STEP = 14;

interface Point {
  readonly x: number;
  readonly y: number;
}

const ARROWS: Record<string, Point> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

export class DrawingPad {
  readonly #canvas = element("pad", HTMLCanvasElement);
  readonly #ink = document.createElement("canvas");
  readonly #classify: (pixels: Uint8Array) => Promise<Float32Array>;
  readonly #bars: HTMLMeterElement[];
  #pen: Point = { x: this.#canvas.width / 2, y: this.#canvas.height / 2 };
  #down = false;
  #empty = true;
  #keyboard = false;
  /** Whether a reading is under way, and whether the drawing has changed since it began. */
  #reading = false;
  #changed = false;

  constructor(classify: (pixels: Uint8Array) => Promise<Float32Array>) {
    this.#classify = classify;
    this.#ink.width = this.#ink.height = this.#canvas.width;
    this.#bars = this.#makeBars();
    this.#listen();
    element("clear").addEventListener("click", () => this.clear());
    this.clear();
  }

  #makeBars(): HTMLMeterElement[] {
    return Array.from({ length: 10 }, (_, digit) => {
      const item = document.createElement("li");
      const meter = document.createElement("meter");
      meter.setAttribute("aria-label", String(digit));
      item.append(String(digit), meter);
      element("bars").append(item);
      return meter;
    });
  }

  #listen(): void {
    const canvas = this.#canvas;
    const at = ({ offsetX, offsetY }: MouseEvent): Point => {
      const scale = canvas.width / canvas.clientWidth;
      return { x: offsetX * scale, y: offsetY * scale };
    };
    canvas.addEventListener("pointerdown", (event) => {
      this.#keyboard = false;
      this.#down = true;
      this.#pen = at(event);
      this.#stroke(this.#pen);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.#down || this.#keyboard) return;
      for (const point of event.getCoalescedEvents?.() ?? []) this.#stroke(at(point));
      this.#stroke(at(event));
    });
    addEventListener("pointerup", () => (this.#down &&= this.#keyboard));
    canvas.addEventListener("keydown", (event) => {
      if (this.#press(event.key)) event.preventDefault();
    });
    canvas.addEventListener("blur", () => {
      this.#keyboard = this.#down = false;
      this.#paint();
    });
  }

  /** Answers a key; says whether it meant something. */
  #press(key: string): boolean {
    const move = ARROWS[key];
    if (key === "Delete" || key === "Backspace") this.clear();
    else if (key === " ") this.#down = !this.#down;
    else if (!move) return false;
    this.#keyboard = true;
    const inside = (value: number) => Math.min(Math.max(value, 0), this.#canvas.width);
    const next = move ? { x: inside(this.#pen.x + move.x), y: inside(this.#pen.y + move.y) } : this.#pen;
    if (this.#down) this.#stroke(next);
    this.#pen = next;
    this.#paint();
    return true;
  }

  /** A line from where the pen is. */
  #stroke(to: Point): void {
    const context = context2d(this.#ink);
    context.strokeStyle = "#fff";
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(this.#pen.x, this.#pen.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    this.#pen = to;
    this.#empty = false;
    this.#paint();
    this.read();
  }

  /** The ink, and where the pen is while the keyboard leads it. */
  #paint(): void {
    const context = context2d(this.#canvas);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(this.#ink, 0, 0);
    if (!this.#keyboard) return;
    context.beginPath();
    context.arc(this.#pen.x, this.#pen.y, PEN / 2, 0, 2 * Math.PI);
    context.strokeStyle = "#8f8aff";
    context.lineWidth = this.#down ? 5 : 2;
    context.stroke();
  }

  clear(): void {
    context2d(this.#ink).clearRect(0, 0, this.#ink.width, this.#ink.height);
    this.#empty = true;
    this.#paint();
    this.#show(undefined);
  }

  /** Asks the network what the drawing is: one question at a time, the last one about the last state. */
  read(): void {
    this.#changed = true;
    if (this.#reading) return;
    this.#reading = true;
    void this.#readChanges().finally(() => (this.#reading = false));
  }

  async #readChanges(): Promise<void> {
    while (this.#changed) {
      this.#changed = false;
      if (this.#empty) return;
      const probabilities = await this.#classify(normalize(this.#ink)).catch(() => undefined);
      if (!this.#empty) this.#show(probabilities);
    }
  }

  #show(probabilities: Float32Array | undefined): void {
    this.#bars.forEach((meter, digit) => (meter.value = probabilities?.[digit] ?? 0));
    const text = element("reading");
    if (!probabilities) {
      text.textContent = "Nothing drawn yet";
      return;
    }
    const { best, share } = likeliest(probabilities, 0, 10);
    text.textContent = `It reads ${String(best)} (${percent(share, 0)})`;
  }
}

/** The drawing as MNIST would hold it: its box scaled to 20 pixels, its centre of mass in the middle. */
export function normalize(ink: HTMLCanvasElement): Uint8Array {
  const size = ink.width;
  const alpha = context2d(ink)
    .getImageData(0, 0, size, size)
    .data.filter((_, i) => i % 4 === 3);
  const box = bounds(alpha, size);
  const scale = BOX / Math.max(box.right - box.left, box.bottom - box.top);
  const small = document.createElement("canvas");
  small.width = small.height = SIDE;
  const context = context2d(small);
  context.imageSmoothingQuality = "high";
  const offset = (center: number) => SIDE / 2 - center * scale;
  context.drawImage(ink, offset(box.centerX), offset(box.centerY), size * scale, size * scale);
  const pixels = context.getImageData(0, 0, SIDE, SIDE).data;
  return Uint8Array.from({ length: PIXELS }, (_, i) => pixels[4 * i + 3]!);
}

/** The box around all ink, and its centre of mass. */
function bounds(alpha: Uint8ClampedArray, size: number) {
  let [left, top, right, bottom] = [size, size, 0, 0];
  let [mass, sumX, sumY] = [0, 0, 0];
  alpha.forEach((value, i) => {
    if (value === 0) return;
    const x = i % size;
    const y = Math.floor(i / size);
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
    mass += value;
    sumX += value * (x + 0.5);
    sumY += value * (y + 0.5);
  });
  return { left, top, right, bottom, centerX: sumX / mass, centerY: sumY / mass };
}
