/** The library's runtime in a worker, on the one binary that this engine runs best; the others are never transferred. */
import { capabilities, init, type Runtime, type Variant } from "../src/index.js";

export type VariantChoice = Variant | "auto";

export async function loadRuntime(choice: VariantChoice = "auto"): Promise<Runtime> {
  const variant = choice === "auto" ? capabilities().recommended : choice;
  if (variant === undefined) return init(); // rejects, and says what this engine lacks
  return init({ variant, module: await fetchBytes(`${variant}.wasm`) });
}

/** A file of the page's folder. */
export async function fetchBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name} could not be loaded: the server answered ${String(response.status)}.`);
  return new Uint8Array(await response.arrayBuffer());
}
