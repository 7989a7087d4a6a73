/** What this engine can run, found by validating and running a module of some fifty bytes. */

/** The two instruction sets of the kernels. */
export type Variant = "strict" | "relaxed";

export interface Capabilities {
  /** 128-bit SIMD: without it simdgrad does not run. */
  readonly simd: boolean;
  /** Relaxed SIMD: the relaxed variant can be loaded. */
  readonly relaxedSimd: boolean;
  /** The engine turns relaxed_madd into one fused instruction, as processors with FMA allow. */
  readonly fusesMultiplyAdd: boolean;
  /** Shared memory (in browsers only on cross-origin isolated pages). */
  readonly threads: boolean;
  /** What `variant: "auto"` takes: relaxed where it fuses, else strict; undefined where nothing runs. */
  readonly recommended: Variant | undefined;
  /** Why, as the rest of a sentence: "relaxed SIMD fuses multiply-adds here". */
  readonly reason: string;
}

/** (f32 a, f32 b, f32 c) → lane 0 of `operation` applied to the splats of a, b and c, which lie on the stack. */
function probe(...operation: number[]): Uint8Array<ArrayBuffer> {
  const splats = [0x20, 0, 0xfd, 0x13, 0x20, 1, 0xfd, 0x13, 0x20, 2, 0xfd, 0x13];
  const body = [0, ...splats, ...operation, 0xfd, 0x1f, 0, 0x0b];
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const types = [1, 8, 1, 0x60, 3, 0x7d, 0x7d, 0x7d, 1, 0x7d];
  const functions = [3, 2, 1, 0];
  const exports = [7, 5, 1, 1, 0x66, 0, 0];
  return Uint8Array.from([
    ...header,
    ...types,
    ...functions,
    ...exports,
    ...[0x0a, body.length + 2, 1, body.length],
    ...body,
  ]);
}

/** WITNESS.factor² + WITNESS.addend is 2⁻²⁴ if rounded once, 0 if rounded twice. */
const WITNESS = { factor: 1 + 1 / 4096, addend: -(1 + 1 / 2048) } as const;

/** Whether relaxed_madd rounds once. */
function witness(module: Uint8Array<ArrayBuffer>): boolean {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  const multiplyAdd = exports["f"] as (a: number, b: number, c: number) => number;
  return multiplyAdd(WITNESS.factor, WITNESS.factor, WITNESS.addend) !== 0;
}

function canShareMemory(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}

/** Asks the engine what it supports. Never throws; takes a fraction of a millisecond. */
export function capabilities(): Capabilities {
  const nothing = { simd: false, relaxedSimd: false, fusesMultiplyAdd: false, threads: false, recommended: undefined };
  if (typeof WebAssembly !== "object") return { ...nothing, reason: "the engine has no WebAssembly" };
  const simd = WebAssembly.validate(probe(0xfd, 0xe6, 0x01, 0xfd, 0xe4, 0x01)); // f32x4.mul, f32x4.add
  if (!simd) return { ...nothing, threads: canShareMemory(), reason: "the engine has no WebAssembly SIMD" };
  const relaxed = probe(0xfd, 0x85, 0x02); // f32x4.relaxed_madd
  const threads = canShareMemory();
  const strict = { simd, fusesMultiplyAdd: false, threads, recommended: "strict" } as const;
  if (!WebAssembly.validate(relaxed))
    return { ...strict, relaxedSimd: false, reason: "the engine has no relaxed SIMD" };
  try {
    if (witness(relaxed)) {
      const reason = "relaxed SIMD fuses multiply-adds here";
      return { ...strict, relaxedSimd: true, fusesMultiplyAdd: true, recommended: "relaxed", reason };
    }
    return { ...strict, relaxedSimd: true, reason: "relaxed SIMD does not fuse multiply-adds here: it gains nothing" };
  } catch {
    // init, too, will say so, with the engine's own message.
    return { ...strict, relaxedSimd: true, reason: "a content security policy forbids compiling WebAssembly" };
  }
}
