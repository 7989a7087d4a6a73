/** A visitor's hands and eyes: finds, reads, presses, draws and waits. */

export function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}

export const read = (selector: string): string => find(selector).textContent.trim();

/** The number that an element shows; NaN where it shows none. */
export const readNumber = (selector: string): number => parseFloat(read(selector).replaceAll(",", ""));

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Waits until something holds; throws where that takes more than `seconds`. */
export async function until(what: string, holds: () => boolean, seconds = 60): Promise<void> {
  const end = performance.now() + seconds * 1e3;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Within ${seconds} s it did not happen that ${what}.`);
    await sleep(20);
  }
}

/** Presses a button as soon as it can be pressed. */
export async function press(selector: string): Promise<void> {
  const button = find<HTMLButtonElement>(selector);
  await until(`${selector} can be pressed`, () => !button.disabled);
  button.click();
}

/** Chooses or types a value in a field, as the form hears of it. */
export function choose(selector: string, value: string): void {
  const field = find<HTMLInputElement | HTMLSelectElement>(selector);
  field.value = value;
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}

/** Draws a line through points of a canvas, each coordinate from 0 to 1, by pointer. */
export function draw(selector: string, points: readonly (readonly [x: number, y: number])[]): void {
  const canvas = find(selector);
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const send = (type: string, [x, y]: readonly [number, number]) => {
    const place = { clientX: left + x * width, clientY: top + y * height };
    canvas.dispatchEvent(
      new PointerEvent(type, { ...place, bubbles: true, cancelable: true, isPrimary: true, buttons: 1 }),
    );
  };
  send("pointerdown", points[0]!);
  for (const point of points.slice(1)) send("pointermove", point);
  send("pointerup", points.at(-1)!);
}

/** Presses keys, one after the other, on a focused element. */
export function type(selector: string, ...keys: readonly string[]): void {
  const target = find(selector);
  target.focus();
  for (const key of keys) target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}
