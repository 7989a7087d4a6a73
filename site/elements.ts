/** The page's elements, and words for numbers. */

/** The element of this id and kind; index.html holds them all. */
export function element<T extends Element = HTMLElement>(id: string, kind?: abstract new () => T): T {
  const found = document.getElementById(id) as Element | null;
  if (!found || (kind && !(found instanceof kind)))
    throw new Error(`index.html has no ${kind?.name ?? "element"} #${id}.`);
  return found as T;
}

/** The drawing context of a canvas. */
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser draws no canvas.");
  return context;
}

/** A colour of page.css, as the scheme of the moment has it. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls back whenever the page turns dark or light. */
export function onSchemeChange(callback: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}

export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

export const percent = (share: number, digits = 1): string =>
  Number.isNaN(share) ? "–" : `${(100 * share).toFixed(digits)} %`;

/** 3.2, −0.0061, 2 × 10⁻⁹: two digits, as people write them. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (value < 0) return `−${short(-value)}`;
  if (value >= 1e-3 && value < 1e4) return String(Number(value.toPrecision(2)));
  const [digit, exponent = ""] = value.toExponential(0).replace("+", "").split("e");
  return `${digit} × 10${exponent.replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]!)}`;
}

/** What went wrong, in a sentence. */
export const explain = (error: unknown): string => (error instanceof Error ? error.message : String(error));
