import { initSync, type Kernels, type Runtime } from "../../src/index.js";

/** A call of a kernel: its name and arguments. */
export interface KernelCall {
  readonly name: string;
  readonly args: readonly number[];
}

/** A runtime that notes each call of a kernel; those that only look at sizes do no work and are left out. */
export function spiedRuntime(): { runtime: Runtime; calls: KernelCall[] } {
  const runtime = initSync();
  const calls: KernelCall[] = [];
  const kernels: Record<string, (...values: number[]) => unknown> = runtime.kernels;
  const spied = Object.entries(kernels).map(([name, kernel]) => {
    if (name.endsWith("Size")) return [name, kernel];
    const run = (...args: number[]) => {
      calls.push({ name, args });
      return kernel(...args);
    };
    return [name, run];
  });
  Object.defineProperty(runtime, "kernels", { value: Object.fromEntries(spied) as Kernels });
  return { runtime, calls };
}
