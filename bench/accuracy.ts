/**
 * Measures the error of an elementwise kernel against float64, in ULP: the float32 spacing at the exact result, 2⁻¹⁴⁹
 * for denormals. Prints one JSON line a variant. The variant relaxedUnfused is the relaxed binary as an engine runs it that
 * does not fuse multiply-adds.
 *
 *     npm run accuracy -- KERNEL [--variant strict|relaxed|relaxedUnfused] [--from A --to B] [--sample]
 *
 * Inputs are all float32 from A to B, without a range all 2³², the NaNs too: 5 to 15 minutes a kernel, and relaxedUnfused only if
 * asked for. With --sample they are at least 2²² evenly spaced bit patterns, so that every exponent is met. An infinity or a sign
 * of zero that differs counts as an infinite error.
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
  if (y === 0 && Object.is(y, -0) !== exact < 0) return Infinity;
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

/** A kernel of one variant, and what has been found of it. */
class Measurement {
  readonly #variant: Variant;
  readonly #input: Float32Array;
  readonly #output: Float32Array;
  readonly #run: (count: number) => void;
  #maxUlp = 0;
  #worstInput = NaN;
  #nanMismatches = 0;
  #maxAbsolute = 0;

  constructor(kernel: string, variant: Variant) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((8 * CHUNK) / 65536) });
    const run: (...values: number[]) => unknown = attach(variant, memory)[kernel as KernelName];
    const { scalars } = KERNELS[kernel]!;
    this.#variant = variant;
    this.#input = new Float32Array(memory.buffer, 0, CHUNK);
    this.#output = new Float32Array(memory.buffer, 4 * CHUNK, CHUNK);
    this.#run = (count) => void run(4 * CHUNK, 0, count, ...scalars);
  }

  /** Compares the results for the first `count` of x with the exact ones. */
  add(x: Float32Array, exactResults: Float64Array, count: number, below: number): void {
    this.#input.set(x);
    this.#run(count);
    const output = this.#output;
    let maxUlp = this.#maxUlp;
    for (let i = 0; i < count; i++) {
      const y = output[i]!;
      const exact = exactResults[i]!;
      // Nearly all are rounded correctly.
      if (y === Math.fround(exact) && y !== 0 && maxUlp >= 0.5) continue;
      if (Number.isNaN(exact) || Number.isNaN(y)) {
        if (Number.isNaN(exact) !== Number.isNaN(y)) this.#nanMismatches++;
        continue;
      }
      if (x[i]! < below) {
        this.#maxAbsolute = Math.max(this.#maxAbsolute, Math.abs(y - exact));
        continue;
      }
      const ulp = error(y, exact);
      if (ulp > maxUlp) {
        maxUlp = ulp;
        this.#worstInput = x[i]!;
      }
    }
    this.#maxUlp = maxUlp;
  }

  accuracy(kernel: string, inputs: number): Accuracy {
    const [maxUlp, worst] = [this.#maxUlp, this.#worstInput];
    return {
      kernel,
      variant: this.#variant,
      inputs,
      maxUlp: maxUlp === Infinity ? "infinite" : maxUlp,
      worstInput:
        Number.isFinite(worst) && !Object.is(worst, -0) ? worst : `${1 / worst < 0 ? "-" : ""}${Math.abs(worst)}`,
      nanMismatches: this.#nanMismatches,
      ...(KERNELS[kernel]!.tail && { maxAbsolute: this.#maxAbsolute }),
    };
  }
}

let shown = -1;

/** On a terminal, how far a run has come; nothing when it is over. */
function progress(kernel: string, share?: number): void {
  const percent = share === undefined ? -1 : Math.floor(100 * Math.min(share, 1));
  if (!process.stderr.isTTY || percent === shown) return;
  shown = percent;
  process.stderr.write(percent < 0 ? "\r\x1b[K" : `\r${kernel} ${String(percent)} %`);
}

/** Runs a kernel in each variant over every `step`-th float32 from place `first` to place `last`. */
function measure(
  kernel: string,
  variants: readonly Variant[],
  first: number,
  last: number,
  step: number,
): readonly Accuracy[] {
  const { reference, tail } = KERNELS[kernel]!;
  const measurements = variants.map((variant) => new Measurement(kernel, variant));
  const x = new Float32Array(CHUNK);
  const bits = new Uint32Array(x.buffer);
  const exact = new Float64Array(CHUNK);
  let inputs = 0;
  for (let next = first; next <= last;) {
    let count = 0;
    for (; count < CHUNK && next <= last; next += step) bits[count++] = bitsAt(next);
    for (let i = 0; i < count; i++) exact[i] = reference(x[i]!);
    for (const measurement of measurements) measurement.add(x, exact, count, tail?.below ?? -Infinity);
    inputs += count;
    progress(kernel, (next - first) / (last - first + 1));
  }
  progress(kernel);
  return measurements.map((measurement) => measurement.accuracy(kernel, inputs));
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
    sample: { type: "boolean", default: false },
  },
});
const kernels = positionals.length > 0 ? positionals : Object.keys(KERNELS);
if (positionals.length === 0 && !values.sample)
  throw new Error("name a kernel, or take --sample for a look at all of them.");
const unknown = kernels.find((kernel) => !Object.hasOwn(KERNELS, kernel));
if (unknown !== undefined) {
  throw new Error(`no kernel "${unknown}"; there are ${Object.keys(KERNELS).join(", ")}.`);
}
const variants = VARIANTS.filter((variant) => values.variant === undefined || values.variant === variant);
if (variants.length === 0) throw new Error(`no variant "${values.variant}"; there are ${VARIANTS.join(", ")}.`);
const first = values.from === undefined ? 0 : place(Number(values.from));
const last = values.to === undefined ? 0xffffffff : place(Number(values.to));
if (!(first <= last)) throw new Error(`--from ${values.from} --to ${values.to} is no range of float32.`);
const step = values.sample ? Math.max(1, Math.floor((last - first + 1) / SAMPLES) - 1) : 1;
const runnable = variants.filter((variant) => {
  if (!values.sample && values.variant === undefined && variant === "relaxedUnfused") return false;
  const obstacle = cannotRun(variant);
  if (obstacle !== false) console.error(`${variant}: skipped, ${obstacle}`);
  return obstacle === false;
});
for (const kernel of kernels) {
  for (const accuracy of measure(kernel, runnable, first, last, step)) console.log(JSON.stringify(accuracy));
}
