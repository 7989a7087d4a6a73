/** The library's runtime in a worker, on the one binary that this engine runs best; the other is never transferred. */
import { init, type Runtime, type Variant } from "../src/core.js";

export type VariantChoice = Variant | "auto";

export function loadRuntime(variant: VariantChoice = "auto"): Promise<Runtime> {
  const url = { strict: new URL("strict.wasm", import.meta.url), relaxed: new URL("relaxed.wasm", import.meta.url) };
  return init({ variant, url });
}

/** A file of the page's folder. */
export async function fetchBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name} could not be loaded: the server answered ${String(response.status)}.`);
  return new Uint8Array(await response.arrayBuffer());
}
