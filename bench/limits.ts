/** The machine's limits, from probes (bench/probes, built like the kernels) that do nothing but compute or move bytes. */
import type { Desk } from "./desk.js";
import type { Calls, Limit, Limits, StartWatch, Stream, StreamLimit, Watch } from "./harness.js";
import type { CacheLevel } from "./machine.js";

/** Independent chains of multiply-adds, and steps of each in a turn of the probe's loop. */
const WIDTHS = [8, 9, 10, 11, 12, 13] as const;
const STEPS = [1, 4] as const;
/** Steps of one call: some 10 µs, so that calling costs nothing. */
const CALL_STEPS = 4000;
const PRODUCT_CALL = [CALL_STEPS, -1];
/** Elements of a call: sixteen a turn. */
const QUOTIENT_CALL = [CALL_STEPS / 4, 1];
const CALL_QUOTIENTS = (CALL_STEPS / 4) * 16;

/** The exports of build/probes/*.wasm. */
type PeakProbe = `chains${(typeof WIDTHS)[number]}x${(typeof STEPS)[number]}` | "products" | "quotients";
type StreamProbe =
  "read" | "write" | "copy" | "copyQuarters" | "scaleAdd" | "scaleAddSingly" | "scaleAddSlowly" | "scaleAddQuarters";
type Probes = Record<PeakProbe | StreamProbe, (...args: number[]) => unknown>;

const COPIES: readonly StreamProbe[] = ["copy", "copyQuarters"];
const SUMS: readonly StreamProbe[] = ["scaleAdd", "scaleAddSingly", "scaleAddSlowly", "scaleAddQuarters"];

/**
 * The loops that pass over each stream, of which the fastest counts, how many arrays it has, and how many bytes it moves for each
 * byte of their length.
 */
export const STREAMS: Record<
  Stream,
  { readonly probes: readonly StreamProbe[]; readonly arrays: number; readonly passes: number }
> = {
  read: { probes: ["read"], arrays: 1, passes: 1 },
  write: { probes: ["write"], arrays: 1, passes: 1 },
  copy: { probes: COPIES, arrays: 2, passes: 2 },
  inPlace: { probes: COPIES, arrays: 1, passes: 2 },
  axpy: { probes: SUMS, arrays: 2, passes: 3 },
  scaleAdd: { probes: SUMS, arrays: 3, passes: 3 },
};

/** Probes pass over whole blocks: four vectors of each quarter. */
const BLOCK = 256;

interface Peak {
  readonly flops: number;
  readonly watch: Watch;
}

/** The stopwatches of a stream's probes, each of which moves so many bytes a call. */
interface StreamWatches {
  readonly bytes: number;
  readonly watches: readonly Watch[];
}

export class MachineLimits implements Limits {
  readonly #probes: Probes;
  readonly #peaks: readonly Peak[];
  readonly #streams = new Map<string, StreamWatches>();
  readonly #desk: Desk;
  readonly #start: StartWatch;
  readonly #sink: number;
  #quotientWatch: Watch | undefined;
  #region = { start: 0, bytes: 0 };

  /** `probes` is the binary of the variant that the cases run on. */
  constructor(desk: Desk, probes: BufferSource, start: StartWatch) {
    this.#desk = desk;
    this.#start = start;
    this.#sink = desk.output(4);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(probes), { env: { memory: desk.memory } });
    this.#probes = instance.exports as unknown as Probes;
    this.#peaks = this.#bestPeaks();
  }

  *watch(limit: Limit, calls: Calls): Iterable<Watch> {
    if ("flops" in limit) yield* this.#peaks.map(({ watch }) => watch);
    else yield* this.#stream(limit, calls).watches;
    if ("quotients" in limit) yield this.#quotients();
  }

  seconds(limit: Limit, calls: Calls): number {
    if ("flops" in limit) return limit.flops / this.peak();
    const { stream, length, bytes = STREAMS[stream].passes * length, quotients = 0 } = limit;
    const streaming = bytes / bandwidth(this.#stream(limit, calls));
    if (quotients === 0) return streaming;
    return Math.max(streaming, (quotients / CALL_QUOTIENTS) * Math.min(...this.#quotients().samples));
  }

  /** Operations a second of the fastest probe so far. */
  peak(): number {
    return Math.max(...this.#peaks.map(({ flops, watch }) => flops / Math.min(...watch.samples)));
  }

  /** The four fastest of the peak probes, after five rounds of all of them: the others would only make rounds longer. */
  #bestPeaks(): Peak[] {
    const peaks: Peak[] = WIDTHS.flatMap((width) =>
      STEPS.map((steps) => {
        const name = `chains${width}x${steps}` as const;
        const args = [CALL_STEPS / steps, 0.5, 1.25];
        // Four lanes of one multiplication and one addition each.
        const flops = CALL_STEPS * width * 8;
        return { flops, watch: this.#start(name, { run: this.#probes[name], args: [args, args] }, 0.003, 0.03) };
      }),
    );
    const products = { run: this.#probes.products, args: [PRODUCT_CALL, PRODUCT_CALL] as const };
    peaks.push({ flops: CALL_STEPS * 6 * 8, watch: this.#start("products", products, 0.003, 0.03) });
    for (let round = 0; round < 5; ++round) for (const { watch } of peaks) watch.round();
    const speed = ({ flops, watch }: Peak) => flops / Math.min(...watch.samples);
    return peaks.sort((a, b) => speed(b) - speed(a)).slice(0, 4);
  }

  /** The stopwatch of roots and divisions, made when the first limit asks for it. */
  #quotients(): Watch {
    const calls = { run: this.#probes.quotients, args: [QUOTIENT_CALL, QUOTIENT_CALL] as const };
    return (this.#quotientWatch ??= this.#start("quotients", calls, 0.003, 0.03));
  }

  /** The bandwidth of each stream in each level, from `rounds` rounds over all of them. */
  levels(levels: readonly CacheLevel[], streams: readonly Stream[], rounds: number): number[][] {
    // The calls alternate between two sets of buffers, which share the footprint.
    const table = levels.map(({ footprint }) =>
      streams.map((stream) => this.#stream({ stream, length: footprint / STREAMS[stream].arrays / 2 })),
    );
    const watches = table.flat().flatMap((stream) => stream.watches);
    for (let round = 0; round < rounds; ++round) for (const watch of watches) watch.round();
    return table.map((row) => row.map(bandwidth));
  }

  /** The stopwatches of a stream, over the arrays of `calls` that the limit names or over buffers of its own. */
  #stream({ stream, length, arrays }: StreamLimit, calls?: Calls): StreamWatches {
    const blocks = Math.max(1, Math.floor(length / BLOCK)) * BLOCK;
    const places = calls && arrays && calls.args.map((args) => arrays.map((index) => args[index] ?? NaN));
    const key = `${stream} of ${blocks} bytes${places ? ` at ${places.join(" and ")}` : ""}`;
    let found = this.#streams.get(key);
    if (found === undefined) {
      const [first = [], second = []] = (places ?? this.#reserve(STREAMS[stream].arrays, blocks)).map((set) => {
        return this.#args(stream, set, blocks);
      });
      const watches = STREAMS[stream].probes.map((probe) => {
        return this.#start(`${key}: ${probe}`, { run: this.#probes[probe], args: [first, second] }, 0.003, 0.03);
      });
      found = { bytes: STREAMS[stream].passes * blocks, watches };
      this.#streams.set(key, found);
    }
    return found;
  }

  /** The arguments of a stream's probe: what it writes comes first among the arrays. */
  #args(stream: Stream, [first = NaN, second = NaN, third = NaN]: readonly number[], length: number): number[] {
    switch (stream) {
      case "read":
        return [this.#sink, first, length];
      case "write":
        return [first, 1, length];
      case "copy":
        return [first, second, length];
      case "inPlace":
        return [first, first, length];
      case "axpy":
        return [first, second, first, 1e-9, length];
      case "scaleAdd":
        return [first, second, third, 1e-9, length];
    }
  }

  /**
   * Two sets of `arrays` arrays of `length` bytes, in the region that all streams share. It is written before anything reads
   * it: pages that never were all map to the same page of zeros, which reads at the speed of a cache.
   */
  #reserve(arrays: number, length: number): number[][] {
    const step = length + 320; // five lines: arrays a multiple of 4 KiB apart would make loads wait for unrelated stores
    const bytes = 2 * arrays * step;
    if (bytes > this.#region.bytes) this.#region = { start: this.#desk.uniform(bytes / 4), bytes };
    const { start } = this.#region;
    return [0, 1].map((set) => Array.from({ length: arrays }, (_, index) => start + (set * arrays + index) * step));
  }
}

/** Bytes a second, read and written, of a stream's best pass so far. */
function bandwidth({ bytes, watches }: StreamWatches): number {
  return bytes / Math.min(...watches.flatMap(({ samples }) => samples));
}
