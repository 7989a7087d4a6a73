import * as binaries from "#binaries";
import type { Kernels as Exports } from "#binaries";
import { readFileSync } from "node:fs";
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
  if (!module) modules.set(variant, (module = new WebAssembly.Module(bytes(variant))));
  return module;
}

function bytes(variant: Variant): Uint8Array<ArrayBuffer> {
  if (variant !== "relaxedUnfused") return new Uint8Array(Buffer.from(binaries[variant], "base64"));
  const text = readFileSync(new URL("../../build/wasm/relaxed.wat", import.meta.url), "utf8");
  return withoutFusion(bytes("relaxed"), text.split("f32x4.relaxed_madd").length - 1);
}

/** Why a variant cannot run on this engine, for node:test's `skip`; false when it can. */
export function cannotRun(variant: Variant): string | false {
  if (WebAssembly.validate(bytes(variant))) return false;
  return `this engine has no ${variant.startsWith("relaxed") ? "relaxed SIMD" : "SIMD"} (${process.version})`;
}

/** The kernels of a variant, attached to `memory`. */
export function attach(variant: Variant, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(kernelModule(variant), { env: { memory } }).exports as unknown as Kernels;
}
