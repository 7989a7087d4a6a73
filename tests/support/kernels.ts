import { binary as relaxed } from "#binaries/relaxed";
import { binary as strict } from "#binaries/strict";
import type { Kernels as Exports } from "#binaries/kernels";
import { decode, forSharedMemory } from "../../src/runtime/binary.js";
import { withoutFusion } from "./unfused.js";

/** The functions that every binary exports: free functions, no methods. */
export type Kernels = {
  readonly [Name in keyof Exports]: (this: void, ...values: Parameters<Exports[Name]>) => ReturnType<Exports[Name]>;
};
export type KernelName = keyof Kernels;

/** A binary, or "relaxedUnfused": the relaxed one as an engine runs it that does not fuse its multiply-adds. */
export type Variant = "strict" | "relaxed" | "relaxedUnfused" | "strictShared" | "relaxedShared";

/** The variants that every kernel is tested in. */
export const VARIANTS: readonly Variant[] = ["strict", "relaxed", "relaxedUnfused"];

const modules = new Map<Variant, WebAssembly.Module>();

/** The compiled module of a variant, made once. */
export function kernelModule(variant: Variant): WebAssembly.Module {
  let module = modules.get(variant);
  if (!module) modules.set(variant, (module = new WebAssembly.Module(BYTES[variant]())));
  return module;
}

const BYTES: Record<Variant, () => Uint8Array<ArrayBuffer>> = {
  strict: () => decode(strict),
  relaxed: () => decode(relaxed),
  relaxedUnfused: () => withoutFusion(decode(relaxed)),
  strictShared: () => forSharedMemory(decode(strict)),
  relaxedShared: () => forSharedMemory(decode(relaxed)),
};

/** Why a variant cannot run on this engine, for node:test's `skip`; false when it can. */
export function cannotRun(variant: Variant): string | false {
  if (WebAssembly.validate(BYTES[variant]())) return false;
  return `this engine has no ${variant.startsWith("relaxed") ? "relaxed SIMD" : "SIMD"}`;
}

/** The kernels of a variant, attached to `memory`. */
export function attach(variant: Variant, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(kernelModule(variant), { env: { memory } }).exports as unknown as Kernels;
}
