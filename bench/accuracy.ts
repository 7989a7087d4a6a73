/**
 * Measures the error of an elementwise kernel against float64, in ULP: the float32 spacing at the exact result, 2⁻¹⁴⁹
 * for denormals. Prints one JSON line a variant. The
 * variant relaxedUnfused is the relaxed binary as an engine runs it that does not fuse multiply-adds.
 *
 *     npm run accuracy -- KERNEL [--variant strict|relaxed|relaxedUnfused] [--from A --to B] [--all]
 *
 * Inputs are evenly spaced bit patterns, so that every exponent is met: at least 2²² of them, or with --all every float32
 * from A to B (without a range all 2³², the NaNs too). An infinity or a sign of zero that differs counts as an infinite error.
 */
import { parseArgs } from "node:util";
import { UNARY, type UnaryKernel } from "../tests/reference/unary.js";
import { attach, cannotRun, VARIANTS, type KernelName, type Variant } from "../tests/support/kernels.js";

const KERNELS: Record<string, UnaryKernel> = UNARY;
const SAMPLES = 2 ** 22;
const CHUNK = 2 ** 16;

interface Accuracy {
  kernel: string;
  variant: string;
  inputs: number;
  maxUlp: number | "infinite";
  worstInput: number | string;
  nanMismatches: number;
  /** The greatest error in the tail that has an absolute bound instead; maxUlp leaves it out. */
  maxAbsolute?: number;
}

const doubleView = new Float64Array(1);
const doubleWords = new Uint32Array(doubleView.buffer);

/** The float32 spacing at a finite y: 2^(e − 23), with e = ⌊log₂ |y|⌋ no less than that of the least normal. */
function spacing(y: number): number {
  doubleView[0] = y;
  const exponent = ((doubleWords[1]! >>> 20) & 0x7ff) - 1023;
  doubleWords[1] = (Math.max(exponent, -126) - 23 + 1023) << 20;
  doubleWords[0] = 0;
  return doubleView[0];
}

/** The error of a float32 y in ULP; results beyond the largest float32 count as 2¹²⁸, where rounding to ∞ starts to be right. */
function error(y: number, exact: number): number {
  if (Object.is(y, exact)) return 0;
  if (!Number.isFinite(exact) || exact === 0) return Infinity;
  const limit = 2 ** 128;
  const bounded = Math.max(-limit, Math.min(limit, exact));
  return Math.abs(Math.max(-limit, Math.min(limit, y)) - bounded) / spacing(bounded);
}

const floatView = new Float32Array(1);
const floatBits = new Uint32Array(floatView.buffer);

/** The place of x when all float32 are ordered from −NaN over −∞, −0, 0 and ∞ to NaN. */
function place(x: number): number {
  floatView[0] = x;
  const bits = floatBits[0]!;
  return bits >= 0x80000000 ? 0xffffffff - bits : bits + 0x80000000;
}

/** The bit pattern at a place. */
const bitsAt = (place: number): number => (place < 0x80000000 ? 0xffffffff - place : place - 0x80000000);

/** Runs a kernel over every `step`-th float32 from place `first` to place `last`. */
function measure(kernel: string, variant: Variant, first: number, last: number, step: number): Accuracy {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((8 * CHUNK) / 65536) });
  const { reference, scalars, tail } = KERNELS[kernel]!;
  const run: (...values: number[]) => unknown = attach(variant, memory)[kernel as KernelName];
  const bits = new Uint32Array(memory.buffer, 0, CHUNK);
  const x = new Float32Array(memory.buffer, 0, CHUNK);
  const y = new Float32Array(memory.buffer, 4 * CHUNK, CHUNK);
  let inputs = 0;
  let maxUlp = 0;
  let worstInput = NaN;
  let nanMismatches = 0;
  let maxAbsolute = 0;
  for (let next = first; next <= last;) {
    let count = 0;
    for (; count < CHUNK && next <= last; next += step) bits[count++] = bitsAt(next);
    run(4 * CHUNK, 0, count, ...scalars);
    inputs += count;
    for (let i = 0; i < count; i++) {
      const exact = reference(x[i]!);
      if (Number.isNaN(exact) || Number.isNaN(y[i])) {
        if (Number.isNaN(exact) !== Number.isNaN(y[i])) nanMismatches++;
        continue;
      }
      if (tail && x[i]! < tail.below) {
        maxAbsolute = Math.max(maxAbsolute, Math.abs(y[i]! - exact));
        continue;
      }
      const ulp = error(y[i]!, exact);
      if (ulp > maxUlp) {
        maxUlp = ulp;
        worstInput = x[i]!;
      }
    }
  }
  return {
    kernel,
    variant,
    inputs,
    maxUlp: maxUlp === Infinity ? "infinite" : maxUlp,
    worstInput:
      Number.isFinite(worstInput) && !Object.is(worstInput, -0)
        ? worstInput
        : `${1 / worstInput < 0 ? "-" : ""}${Math.abs(worstInput)}`,
    nanMismatches,
    ...(tail && { maxAbsolute }),
  };
}

/** `--from -3` as `--from=-3`: parseArgs takes what starts with a dash for another option. */
const args = process.argv.slice(2).flatMap((argument, i, all) => {
  if (argument === "--from" || argument === "--to") return `${argument}=${all[i + 1] ?? ""}`;
  return /^--(from|to)$/.test(all[i - 1] ?? "") ? [] : argument;
});
const { values, positionals } = parseArgs({
  args,
  allowPositionals: true,
  options: {
    variant: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    all: { type: "boolean", default: false },
  },
});
const kernels = positionals.length > 0 ? positionals : Object.keys(KERNELS);
const unknown = kernels.find((kernel) => !Object.hasOwn(KERNELS, kernel));
if (unknown !== undefined) {
  throw new Error(`no kernel "${unknown}"; there are ${Object.keys(KERNELS).join(", ")}.`);
}
const variants = VARIANTS.filter((variant) => values.variant === undefined || values.variant === variant);
if (variants.length === 0) throw new Error(`no variant "${values.variant}"; there are ${VARIANTS.join(", ")}.`);
const first = values.from === undefined ? 0 : place(Number(values.from));
const last = values.to === undefined ? 0xffffffff : place(Number(values.to));
const step = values.all ? 1 : Math.max(1, Math.floor((last - first + 1) / SAMPLES) - 1);
for (const kernel of kernels) {
  for (const variant of variants) {
    const obstacle = cannotRun(variant);
    if (obstacle === false) console.log(JSON.stringify(measure(kernel, variant, first, last, step)));
    else console.error(`${kernel} ${variant}: skipped, ${obstacle}`);
  }
}
