/** Draws progress, tables and digits with characters. */
import { SIDE } from "./data.js";

/** What of a terminal the bar needs. */
interface Stream {
  readonly isTTY?: boolean;
  write(text: string): boolean;
}

/** One line that keeps changing; nothing at all where no person is watching. */
export class ProgressBar {
  readonly #stream: Stream;
  #drawn = -Infinity;

  constructor(stream: Stream = process.stderr) {
    this.#stream = stream;
  }

  /** Draws `label`, a bar filled to `share`, and `text` behind it, at most 20 times a second. */
  draw(label: string, share: number, text: string): void {
    const now = performance.now();
    if (!this.#stream.isTTY || (now - this.#drawn < 50 && share < 1)) return;
    this.#drawn = now;
    const width = 24;
    const filled = Math.round(share * width);
    this.#stream.write(`\r\x1b[K${label} ${"█".repeat(filled)}${"░".repeat(width - filled)} ${text}`);
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\x1b[K");
  }
}

/** How often each digit (row) was taken for each digit (column), with the share of each row that is right. */
export function confusionTable(labels: ArrayLike<number>, predictions: ArrayLike<number>, classes: number): string {
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]![predictions[i]!]!++;
  const cells = (row: readonly (number | string)[]) => row.map((cell) => String(cell).padStart(6)).join("");
  const header = `     ${cells(counts.map((_, digit) => digit))}   right`;
  const rows = counts.map((row, digit) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const right = total === 0 ? "-" : `${((100 * row[digit]!) / total).toFixed(1)} %`;
    return `${String(digit).padStart(5)}${cells(row.map((count) => (count === 0 ? "·" : count)))}${right.padStart(8)}`;
  });
  return [header, ...rows].join("\n");
}

/** The lines of an image of 28×28 bytes: two pixels a character, as colours where the terminal has them, else as shades. */
export function drawDigit(image: ArrayLike<number>, colors: boolean): string[] {
  return Array.from({ length: SIDE / 2 }, (_, line) => {
    const pixels = Array.from({ length: SIDE }, (_, column) => {
      const upper = image[2 * line * SIDE + column]!;
      const lower = image[(2 * line + 1) * SIDE + column]!;
      // Greys 232…255 of the 256 colours, the upper pixel in front and the lower one behind.
      if (colors) return `\x1b[38;5;${grey(upper)};48;5;${grey(lower)}m▀`;
      return " ░▒▓█"[Math.round(((upper + lower) / 510) * 4)]!;
    });
    return pixels.join("") + (colors ? "\x1b[0m" : "");
  });
}

const grey = (byte: number): number => 232 + Math.round((byte / 255) * 23);

/** Images with a caption above each, as many side by side as `columns` characters hold. */
export function drawDigits(
  digits: readonly { readonly image: ArrayLike<number>; readonly caption: string }[],
  { columns, colors }: { readonly columns: number; readonly colors: boolean },
): string {
  const gap = 2;
  const perRow = Math.max(1, Math.floor((columns + gap) / (SIDE + gap)));
  const rows: string[] = [];
  for (let start = 0; start < digits.length; start += perRow) {
    const row = digits.slice(start, start + perRow);
    const blocks = row.map(({ image, caption }) => [caption.padEnd(SIDE), ...drawDigit(image, colors)]);
    const lines = Array.from({ length: 1 + SIDE / 2 }, (_, line) =>
      blocks.map((block) => block[line]!).join(" ".repeat(gap)),
    );
    rows.push(lines.map((line) => line.trimEnd()).join("\n"));
  }
  return rows.join("\n\n");
}
