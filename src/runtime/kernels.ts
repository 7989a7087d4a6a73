import { instantiateSync } from "@assemblyscript/loader";
import type { Kernels } from "#binaries/kernels";
import { ABI } from "#binaries/kernels";
import { ArgumentError, UnsupportedEngineError } from "../errors.js";
import type { Variant } from "./features.js";
import { isModule } from "./kinds.js";

export type { Kernels };

/** A compiled binary, or the bytes of one, with the name that errors give it. */
export interface Binary {
  readonly name: string;
  readonly source: WebAssembly.Module | BufferSource;
}

/** The kernels on a memory. */
export interface Loaded {
  readonly kernels: Kernels;
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
}

/** The loader takes modules of this realm alone, and a clone, which shares the code, is one. */
const adopt = (module: WebAssembly.Module): WebAssembly.Module =>
  module instanceof WebAssembly.Module ? module : structuredClone(module);

function refuse(operation: string, { name }: Binary, cause: unknown): never {
  const message = cause instanceof Error ? cause.message : String(cause);
  throw new ArgumentError(
    `${operation}: ${name} is no simdgrad binary for this memory (${message}); pass one of this version.`,
    { cause },
  );
}

function forbidden(operation: string, cause: unknown): never {
  throw new UnsupportedEngineError(
    operation,
    `leave to compile WebAssembly (${cause instanceof Error ? cause.message : String(cause)})`,
    "a content security policy must allow 'wasm-unsafe-eval'",
    { cause },
  );
}

/** Tells a binary that is wrong, or not for this engine, from an engine that may compile none. */
function compilingFailed(operation: string, binary: Binary, cause: unknown): never {
  const isValid = !isModule(binary.source) && WebAssembly.validate(binary.source);
  return isValid ? forbidden(operation, cause) : refuse(operation, binary, cause);
}

/** Likewise, since WebKit compiles under any policy and refuses only then, not by the error of what does not fit. */
function instantiatingFailed(operation: string, binary: Binary, cause: unknown): never {
  const doesNotFit = cause instanceof WebAssembly.LinkError || cause instanceof TypeError;
  return doesNotFit ? refuse(operation, binary, cause) : forbidden(operation, cause);
}

/** Reads the stamp that the build leaves in every binary: its variant, and a digest of its functions' signatures. */
function variantOf(operation: string, binary: Binary, module: WebAssembly.Module): Variant {
  const [stamp] = WebAssembly.Module.customSections(module, "simdgrad");
  if (!stamp) return refuse(operation, binary, "it has no stamp of simdgrad");
  const [variant, abi] = new TextDecoder().decode(stamp).split(" ");
  if (abi !== ABI) {
    return refuse(operation, binary, `its interface is ${String(abi)}, that of this version of simdgrad is ${ABI}`);
  }
  return variant as Variant;
}

/** The exports themselves: the loader's demangled wrappers would put a closure around every call. */
const kernelsOf = ({ exports }: WebAssembly.Instance): Kernels => exports as unknown as Kernels;

/**
 * The kernels of a binary on this memory. Without the loader, whose `instantiate` looks whether it is given a Response: in
 * Node that loads all of fetch, 28 ms of an init that takes 5.
 */
export async function loadKernels(operation: string, binary: Binary, memory: WebAssembly.Memory): Promise<Loaded> {
  const { source } = binary;
  const compiling = isModule(source) ? adopt(source) : WebAssembly.compile(source);
  const module = await Promise.resolve(compiling).catch((cause: unknown) => compilingFailed(operation, binary, cause));
  const variant = variantOf(operation, binary, module);
  try {
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    return { kernels: kernelsOf(instance), module, variant };
  } catch (cause) {
    return instantiatingFailed(operation, binary, cause);
  }
}

/** As `loadKernels`, at once: for workers and Node; Chromium's main thread compiles up to 8 MB this way. */
export function loadKernelsSync(operation: string, binary: Binary, memory: WebAssembly.Memory): Loaded {
  const { source } = binary;
  let module: WebAssembly.Module;
  try {
    module = isModule(source) ? adopt(source) : new WebAssembly.Module(source);
  } catch (cause) {
    return compilingFailed(operation, binary, cause);
  }
  const variant = variantOf(operation, binary, module);
  try {
    const { instance } = instantiateSync(module, { env: { memory } });
    return { kernels: kernelsOf(instance), module, variant };
  } catch (cause) {
    return instantiatingFailed(operation, binary, cause);
  }
}
