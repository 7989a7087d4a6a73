import { test, type TestContext } from "node:test";
import { expectClose, expectSameBits, type Expectation } from "./compare.js";
import { attach, cannotRun, VARIANTS, type KernelName, type Kernels, type Variant } from "./kernels.js";

export type Data = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** An array that a kernel call is given. Without `after` its bits must not change. */
export interface Operand {
  /** Its contents before the call; an output that must not be read holds NaN. */
  before: Data;
  /** For an array of addresses: its contents instead of `before`, which gives its length. */
  addresses?: (pointers: Record<string, number>) => number[];
  /** Its contents after the call; elements that this does not cover must keep their bits. */
  after?: Expectation;
  /** The element that the pointer points at: not 0 where a stride is negative. */
  origin?: number;
  /** The kernel may leave anything in it: scratch, or an output that the test looks at itself. */
  unchecked?: boolean;
  /** Aligned to 64 bytes wherever it is placed. */
  aligned?: boolean;
}

/** One call of a kernel: its operands, and its arguments given where the operands lie. */
export interface Call {
  kernel: KernelName;
  /** Printed in failures. */
  shape: string;
  operands: Record<string, Operand>;
  arguments: (pointers: Record<string, number>) => number[];
}

/**
 * Where operands lie.
 * - low: near the start of memory, each at another offset from a 64-byte boundary (4-byte steps; bytes for uint8).
 * - first: that operand starts at address 0.
 * - last: that operand ends at the last byte of a 4 GiB memory, so that any access beyond it traps, and its end wraps to 0.
 * - middle: that operand lies across 2 GiB.
 */
export type Placement = { at: "low"; offset: number } | { at: "first" | "last" | "middle"; operand: string };

const GUARD = 128;
const LOW_PAGES = 768;
const ALL_PAGES = 65536;
const PAGE = 65536;
/** A signalling NaN, so that arithmetic on it cannot leave it unchanged. */
const SENTINEL = 0x7fa5a5a5;

export class Harness {
  readonly variant: Variant;
  readonly #attached = new Map<number, { memory: WebAssembly.Memory; kernels: Kernels }>();

  constructor(variant: Variant) {
    this.variant = variant;
  }

  /** The kernels on a memory of so many pages. */
  #on(pages: number): { memory: WebAssembly.Memory; kernels: Kernels } {
    let attached = this.#attached.get(pages);
    if (!attached) {
      const memory = memoryOf(pages, this.variant.endsWith("Shared"));
      this.#attached.set(pages, (attached = { memory, kernels: attach(this.variant, memory) }));
    }
    return attached;
  }

  /** The kernels on the small memory, for the functions that take no pointers. */
  get kernels(): Kernels {
    return this.#on(LOW_PAGES).kernels;
  }

  /**
   * Places the operands with guard zones around each, calls the kernel, and checks outputs, inputs and guards.
   * `inPlace` maps an output to the input whose memory it shares. Returns what the operands hold afterwards.
   */
  run(
    call: Call,
    placement: Placement = { at: "low", offset: 0 },
    inPlace: Record<string, string> = {},
  ): Record<string, Data> {
    const { kernel, operands } = call;
    const where =
      placement.at === "low" ? `offset ${String(placement.offset)}` : `${placement.operand} ${placement.at}`;
    const shared = Object.entries(inPlace).map(([output, input]) => `, ${output} in ${input}`);
    const context = `${kernel} ${this.variant} [${call.shape}; ${where}${shared.join("")}]`;

    const names = Object.keys(operands).filter((name) => !(name in inPlace));
    const low = placement.at === "low" || placement.at === "first";
    const { memory, kernels } = this.#on(low ? LOW_PAGES : ALL_PAGES);
    const starts = layOut(names, operands, placement);
    for (const [output, input] of Object.entries(inPlace)) starts[output] = starts[input]!;

    const pointers: Record<string, number> = {};
    for (const [name, { before, origin = 0 }] of Object.entries(operands)) {
      pointers[name] = starts[name]! + origin * before.BYTES_PER_ELEMENT;
    }
    const { buffer } = memory;
    const contents: Record<string, Data> = {};
    for (const name of names) {
      const { before, addresses } = operands[name]!;
      contents[name] = addresses ? Uint32Array.from(addresses(pointers)) : before;
      fillGuards(buffer, starts[name]!, before.byteLength);
    }
    for (const name of names) {
      bytesAt(buffer, starts[name]!, contents[name]!.byteLength).set(bytesOf(contents[name]!));
    }

    try {
      const run: (...values: number[]) => unknown = kernels[kernel];
      run(...call.arguments(pointers));
    } catch (error) {
      throw new Error(`${context}: ${String(error)}`, { cause: error });
    }

    const results: Record<string, Data> = {};
    for (const [name, operand] of Object.entries(operands)) {
      const before = contents[inPlace[name] ?? name]!;
      const actual = before.slice();
      bytesOf(actual).set(bytesAt(buffer, starts[name]!, before.byteLength));
      results[name] = actual;
      checkGuards(context, name, buffer, starts[name]!, before.byteLength);
      if (operand.unchecked || Object.values(inPlace).includes(name)) continue;
      if (operand.after === undefined) expectSameBits(context, `input ${name}`, actual, before);
      else checkOutput(context, name, actual, before, operand.after);
    }
    return results;
  }
}

const memories = new Map<string, WebAssembly.Memory>();

/** One memory per size, for all variants: 4 GiB are only an address range until they are touched. */
function memoryOf(pages: number, shared: boolean): WebAssembly.Memory {
  const key = `${String(pages)} ${String(shared)}`;
  let memory = memories.get(key);
  if (!memory) {
    memories.set(key, (memory = new WebAssembly.Memory({ initial: pages, ...(shared && { maximum: pages, shared }) })));
  }
  return memory;
}

/** The address of each operand, guard zones between them. */
function layOut(names: string[], operands: Record<string, Operand>, placement: Placement): Record<string, number> {
  const starts: Record<string, number> = {};
  const placed = placement.at === "low" ? undefined : placement.operand;
  const reserved = placed === undefined ? 0 : operands[placed]!.before.byteLength;
  const total = names.reduce((sum, name) => sum + operands[name]!.before.byteLength + 2 * GUARD + 128, reserved);
  let next = 2 * GUARD + reserved;
  if (placement.at === "last") next = ALL_PAGES * PAGE - align(total + 4 * GUARD);
  if (placement.at === "middle") next = 2 ** 31 - align(total + 4 * GUARD);
  const limit = placement.at === "low" || placement.at === "first" ? LOW_PAGES * PAGE : ALL_PAGES * PAGE;
  if (next + total > limit)
    throw new Error(`The operands need ${String(total)} bytes, more than the harness's memory.`);
  names.forEach((name, i) => {
    const { before, aligned } = operands[name]!;
    const bytes = before.byteLength;
    if (name === placed) {
      let start = 0;
      if (placement.at === "last") start = ALL_PAGES * PAGE - bytes;
      if (placement.at === "middle") start = 2 ** 31 - Math.floor(bytes / 8) * 4;
      starts[name] = aligned ? start - (start % 64) : start;
      return;
    }
    const offset = aligned || placement.at !== "low" ? 0 : (placement.offset * (i + 1) * before.BYTES_PER_ELEMENT) % 64;
    starts[name] = align(next + GUARD) + offset;
    next = starts[name] + bytes + GUARD;
  });
  return starts;
}

function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}

function bytesOf(data: Data): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function bytesAt(buffer: ArrayBufferLike, start: number, length: number): Uint8Array {
  return new Uint8Array(buffer, start, length);
}

/** The guard zones before and after an operand, cut at the ends of memory. */
function guards(buffer: ArrayBufferLike, start: number, length: number): Uint8Array[] {
  const from = Math.max(start - GUARD, 0);
  const to = Math.min(start + length + GUARD, buffer.byteLength);
  return [new Uint8Array(buffer, from, start - from), new Uint8Array(buffer, start + length, to - start - length)];
}

function sentinelByte(address: number): number {
  return (SENTINEL >>> ((address & 3) * 8)) & 0xff;
}

function fillGuards(buffer: ArrayBufferLike, start: number, length: number): void {
  for (const guard of guards(buffer, start, length)) {
    for (let i = 0; i < guard.length; i++) guard[i] = sentinelByte(guard.byteOffset + i);
  }
}

function checkGuards(context: string, name: string, buffer: ArrayBufferLike, start: number, length: number): void {
  for (const guard of guards(buffer, start, length)) {
    for (let i = 0; i < guard.length; i++) {
      const address = guard.byteOffset + i;
      if (guard[i] !== sentinelByte(address)) {
        throw new Error(
          `${context}: wrote outside ${name}, ${String(address - start)} bytes from its start (length ${String(length)}).`,
        );
      }
    }
  }
}

function checkOutput(context: string, name: string, actual: Data, before: Data, after: Expectation): void {
  expectClose(context, name, actual, after);
  const { covers } = after;
  if (!covers) return;
  const kept = actual.slice();
  const [keptBytes, beforeBytes] = [bytesOf(kept), bytesOf(before)];
  const width = before.BYTES_PER_ELEMENT;
  for (let i = 0; i < beforeBytes.length; i++) {
    if (covers(Math.floor(i / width))) keptBytes[i] = beforeBytes[i]!;
  }
  expectSameBits(context, `${name} where it must not be written,`, kept, before);
}

const harnesses = new Map<Variant, Harness>();

/** One test per variant, named `KERNEL VARIANT: WHAT`; a variant that cannot run here is skipped visibly. */
export function testVariants(
  kernel: string,
  what: string,
  body: (harness: Harness, t: TestContext) => void,
  variants: readonly Variant[] = VARIANTS,
): void {
  for (const variant of variants) {
    test(`${kernel} ${variant}: ${what}`, { skip: cannotRun(variant) }, (t) => {
      let harness = harnesses.get(variant);
      if (!harness) harnesses.set(variant, (harness = new Harness(variant)));
      body(harness, t);
    });
  }
}
