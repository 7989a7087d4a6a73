import { instantiate, instantiateSync } from "@assemblyscript/loader";
import * as binaries from "#binaries";
import type { Kernels } from "#binaries";
import { ArgumentError, UnsupportedEngineError } from "../errors.js";
import { WITNESS, type Variant } from "./features.js";
import type { Heap } from "./memory.js";

export type { Kernels };

/** Compiled once a page, since every runtime of a variant runs the same code. */
const compiled = new Map<string, WebAssembly.Module>();

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function binary(
  variant: Variant,
  shared: boolean,
): { name: string; source: WebAssembly.Module | Uint8Array<ArrayBuffer> } {
  const name = shared ? (`${variant}Shared` as const) : variant;
  return { name, source: compiled.get(name) ?? decode(binaries[name]) };
}

function refuse(operation: string, cause: unknown, own: boolean): never {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (own) {
    throw new ArgumentError(
      `${operation}: module is no simdgrad binary for this memory (${message}); pass one of this version.`,
      { cause },
    );
  }
  throw new UnsupportedEngineError(
    operation,
    `leave to compile WebAssembly (${message})`,
    "a content security policy must allow 'wasm-unsafe-eval'",
    { cause },
  );
}

/** A host's module instead of the inlined binaries: for engines that forbid compiling, or to compile once for workers. */
export type KernelModule = WebAssembly.Module | BufferSource;

/** What Object.prototype.toString says, in every realm and without WebAssembly, where instanceof fails. */
const tag = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export const isModule = (value: unknown): value is WebAssembly.Module => tag(value) === "WebAssembly.Module";

export const isBuffer = (value: unknown): value is BufferSource =>
  tag(value) === "ArrayBuffer" || ArrayBuffer.isView(value);

/** The loader takes modules of this realm alone, and a clone, which shares the code, is one. */
function adopt(module: KernelModule): KernelModule {
  return isModule(module) && !(module instanceof WebAssembly.Module) ? structuredClone(module) : module;
}

/** Deep enough that both terms of the witness lie in one of the sums that a dot product keeps beside each other. */
const WITNESS_DEPTH = 128;

/** Refuses a host's module whose products fuse multiply-adds: it was given as strict, whose bits it has not. */
export function checkUnfused(operation: string, kernels: Kernels, heap: Heap): void {
  const k = WITNESS_DEPTH;
  const workSize = kernels.sgemmWorkSize(1, 1, k);
  const [a, b, c] = [0, k, 2 * k];
  const work = 2 * k + 16;
  const block = heap.allocate((work + workSize) * 4, operation);
  const begin = block >>> 2;
  const floats = heap.f32.subarray(begin, begin + work).fill(0);
  floats[a] = WITNESS.addend;
  floats[b] = 1;
  floats[a + k / 2] = floats[b + k / 2] = WITNESS.factor;
  const at = (offset: number) => block + offset * 4;
  kernels.sgemm(at(c), at(a), at(b), 0, 1, 1, k, 1, 1, k, 1, 1, 1, 1, 0, 0, 0, 1, at(work));
  const fuses = heap.f32[begin + c] !== 0;
  heap.free(block, operation);
  if (fuses) {
    throw new ArgumentError(
      `${operation}: variant is "strict" but the module fuses multiply-adds; pass the strict binary or name it relaxed.`,
    );
  }
}

/** The exports themselves: the loader's demangled wrappers would put a closure around every call. */
function kernelsOf(instance: WebAssembly.Instance, operation: string): Kernels {
  if (typeof instance.exports["sgemm"] !== "function") refuse(operation, new Error("it exports no sgemm"), true);
  return instance.exports as unknown as Kernels;
}

/** The kernels of a variant on this memory. */
export async function loadKernels(
  operation: string,
  variant: Variant,
  shared: boolean,
  memory: WebAssembly.Memory,
  module?: KernelModule,
): Promise<Kernels> {
  try {
    const { name, source } = module ? { name: "", source: adopt(module) } : binary(variant, shared);
    const result = await instantiate(source, { env: { memory } });
    if (!module) compiled.set(name, result.module);
    return kernelsOf(result.instance, operation);
  } catch (cause) {
    if (cause instanceof ArgumentError) throw cause;
    return refuse(operation, cause, module !== undefined);
  }
}

/** As `loadKernels`, at once: for workers and Node; Chromium's main thread compiles up to 8 MB this way. */
export function loadKernelsSync(
  operation: string,
  variant: Variant,
  shared: boolean,
  memory: WebAssembly.Memory,
  module?: KernelModule,
): Kernels {
  try {
    const { name, source } = module ? { name: "", source: adopt(module) } : binary(variant, shared);
    const result = instantiateSync(source, { env: { memory } });
    if (!module) compiled.set(name, result.module);
    return kernelsOf(result.instance, operation);
  } catch (cause) {
    if (cause instanceof ArgumentError) throw cause;
    return refuse(operation, cause, module !== undefined);
  }
}
