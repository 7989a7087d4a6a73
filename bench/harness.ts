/**
 * Validates, then times: every case is checked against float64 loops, warmed up and timed in short rounds that are interleaved
 * over all cases and over the probes of the machine's limits. Cores that share their caches and clock with strangers swing by a
 * factor of two within a second; only figures of the same rounds compare.
 */
/** A kernel with two lists of arguments, on buffers of their own: no call finds its inputs where the one before left them. */
export interface Calls {
  readonly run: (...args: number[]) => unknown;
  readonly args: readonly [readonly number[], readonly number[]];
}

export type Unit = "GFLOP/s" | "GB/s" | "ns/element" | "ms";

/** Ways to pass over arrays of `length` bytes each: `scaleAdd` is out ← s·x + z, `axpy` is z ← s·x + z. */
export type Stream = "read" | "write" | "copy" | "inPlace" | "axpy" | "scaleAdd";

/**
 * What bounds a case. Either its arithmetic at the measured peak, or its traffic through the stream that moves bytes the same
 * way over arrays of the same length: `bytes` is said where a case moves more or fewer than that stream.
 *
 * `arrays` says at which places of the case's arguments the stream finds its arrays: what it writes, then what it reads. Where
 * buffers lie decides which sets of a cache they share, and with it up to a tenth of the speed. A stream without `arrays` passes
 * over buffers of its own.
 */
export type Limit = { readonly flops: number } | StreamLimit;

export interface StreamLimit {
  readonly stream: Stream;
  readonly length: number;
  readonly arrays?: readonly number[];
  readonly bytes?: number;
  /** Elements of which a root is taken and by which one is divided: if that takes longer than the stream, it is the limit. */
  readonly quotients?: number;
}

/** A row of the table: a name, how to count it, what bounds it, and how to set it up in the memory of `Desk`. */
export interface Case<Desk> {
  readonly name: string;
  readonly unit: Unit;
  /** Operations, bytes or elements of one call; a case in ms has none. */
  readonly amount: number;
  readonly limit: Limit;
  /** Whether to show what parts it consists of: it calls many kernels. */
  readonly inParts?: boolean;
  prepare(desk: Desk): Prepared;
}

export interface Prepared extends Calls {
  /** Makes both calls and throws an Error that names the first wrong value, if there is one. */
  validate(): void;
}

/** What a machine can do: stopwatches that take part in the rounds, and the least time that a limit then allows a case. */
export interface Limits {
  watch(limit: Limit, calls: Calls): Iterable<Watch>;
  seconds(limit: Limit, calls: Calls): number;
}

/** Something that is timed a little in every round. */
export interface Watch {
  readonly name: string;
  /** Seconds of one call, one sample for each of benchmark.js's cycles. */
  readonly samples: readonly number[];
  round(): void;
}

export interface Result {
  readonly case: string;
  readonly unit: Unit;
  readonly best: number;
  readonly median: number;
  /** The least possible time over the best time: 1 is the machine's limit. */
  readonly shareOfLimit: number;
}

/** How far above its limit a case may seem, since both are measured: a core's clock and a shared cache move by this much. */
export const SLACK = 0.02;

/**
 * Makes the stopwatch of a case or of a probe: warms the calls up for `warmUp` seconds and takes samples of some `slice`
 * seconds. Both have defaults that suit a case.
 */
export type StartWatch = (name: string, calls: Calls, slice?: number, warmUp?: number) => Watch;

export interface Measure<Desk> {
  readonly cases: readonly Case<Desk>[];
  readonly desk: Desk;
  readonly limits: Limits;
  /** How long the interleaved rounds go on; each case gets at least one. */
  readonly seconds: number;
  readonly onProgress?: (text: string) => void;
  readonly start: StartWatch;
  /** Milliseconds. */
  readonly now?: () => number;
}

export interface Measured {
  readonly results: readonly Result[];
  /** Those of them that are above their limit by more than the slack: they are not measured as they are named. */
  readonly impossible: readonly Result[];
  readonly rounds: number;
  /** What the rounds took. */
  readonly seconds: number;
}

/** Validates all cases, then times them in interleaved rounds. Throws where a result is wrong. */
export function measure<Desk>(options: Measure<Desk>): Measured {
  const { cases, desk, limits, seconds, start, onProgress = () => undefined, now = () => performance.now() } = options;
  const prepared = cases.map((row) => {
    onProgress(`validating ${row.name}`);
    return { row, calls: prepare(row, desk) };
  });
  const timed = prepared.map(({ row, calls }) => {
    onProgress(`warming up ${row.name}`);
    return { row, calls, watch: start(row.name, calls), probes: [...limits.watch(row.limit, calls)] };
  });
  const watches = [...new Set(timed.flatMap(({ probes }) => probes)), ...timed.map(({ watch }) => watch)];
  const begin = now();
  let rounds = 0;
  let elapsed: number;
  do {
    rounds++;
    for (const watch of watches) {
      onProgress(`round ${rounds}: ${watch.name}`);
      watch.round();
    }
    elapsed = now() - begin;
  } while (elapsed < seconds * 1e3);
  const result = ({ row, calls, watch }: (typeof timed)[number]) => {
    return summarise(row, watch.samples, limits.seconds(row.limit, calls));
  };
  const isAbove = ({ shareOfLimit }: Result) => shareOfLimit > 1 + SLACK;
  // A case above its limit may only mean that the limit's probes had no good moment yet: they get more rounds, the case none.
  for (let more = 1; more <= 100; ++more) {
    const probes = new Set(timed.filter((one) => isAbove(result(one))).flatMap((one) => one.probes));
    if (probes.size === 0) break;
    onProgress(`round ${more} of at most 100 more of the probes`);
    for (const probe of probes) probe.round();
  }
  const results = timed.map(result);
  return { results, impossible: results.filter(isAbove), rounds, seconds: elapsed / 1e3 };
}

function prepare<Desk>(row: Case<Desk>, desk: Desk): Prepared {
  try {
    const prepared = row.prepare(desk);
    prepared.validate();
    return prepared;
  } catch (error) {
    throw new Error(`${row.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Best and median of the samples, in seconds a call, as figures in the case's unit and as a share of its limit. */
export function summarise(
  row: Pick<Case<never>, "name" | "unit" | "amount">,
  samples: readonly number[],
  limitSeconds: number,
): Result {
  const best = Math.min(...samples);
  return {
    case: row.name,
    unit: row.unit,
    best: inUnit(row, best),
    median: inUnit(row, median(samples)),
    shareOfLimit: limitSeconds / best,
  };
}

/** Seconds of a call as a figure in the case's unit. */
export function inUnit({ unit, amount }: Pick<Case<never>, "unit" | "amount">, seconds: number): number {
  switch (unit) {
    case "GFLOP/s":
    case "GB/s":
      return amount / seconds / 1e9;
    case "ns/element":
      return (seconds * 1e9) / amount;
    case "ms":
      return seconds * 1e3;
  }
}

/** The middle sample, or the mean of the middle two. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) return NaN;
  const sorted = [...samples].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
}
