import { LoadError } from "../errors.js";

/** Milliseconds after which a server that has not sent everything is given up: a binary takes 24 s at 50 kbit/s. */
const TIME_LIMIT = 30_000;

/** The bytes at an address, which may begin with file: in Node, Bun and Deno. Rejects with LoadError, which says why. */
export async function fetchBytes(operation: string, address: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await (address.startsWith("file:") ? readFile(address) : download(address));
  } catch (cause) {
    throw new LoadError(operation, address, cause);
  }
}

/** Node's fetch takes no file: URLs, so there the file is read; elsewhere fetch says whether it does. */
async function readFile(address: string): Promise<Uint8Array<ArrayBuffer>> {
  interface Files {
    readFile(file: URL): Promise<Uint8Array<ArrayBuffer>>;
  }
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => Files } };
  const files = process?.getBuiltinModule?.("node:fs/promises");
  return files ? files.readFile(new URL(address)) : download(address);
}

async function download(address: string): Promise<Uint8Array<ArrayBuffer>> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(`no answer in ${String(TIME_LIMIT / 1000)} s`));
  }, TIME_LIMIT);
  try {
    const response = await fetch(address, { signal: controller.signal });
    if (!response.ok) throw new Error(`HTTP ${String(response.status)}`);
    return new Uint8Array(await response.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}
