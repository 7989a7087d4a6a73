/** Times calls by benchmark.js, each case in code of its own. */
import Benchmark from "benchmark";
import type { Calls, StartWatch, Watch } from "./harness.js";

class Stopwatch implements Watch {
  readonly samples: number[] = [];
  readonly #bench: Benchmark;
  readonly #callsPerTurn: number;

  /** Warms the calls up for `warmUp` seconds and learns how often to repeat them for a sample of about `slice` seconds. */
  constructor(
    readonly name: string,
    calls: Calls,
    slice = 0.006,
    warmUp = 0.05,
  ) {
    // benchmark.js spends 20 ns on each turn of its loop: short calls repeat within a turn of 0.1 ms, long ones take turns.
    const perPair = fastest(repeatPairs(name, 1, calls), warmUp);
    const repeats = Math.ceil(1e-4 / Math.max(perPair, 1e-7));
    this.#callsPerTurn = repeats > 1 ? 2 * repeats : 1;
    const turn = repeats > 1 ? repeatPairs(name, repeats, calls) : alternate(calls);
    const initCount = Math.max(1, Math.ceil(slice / fastest(turn, slice)));
    // Some three samples a round: a good one among them, and soon the next case's turn.
    this.#bench = new Benchmark(name, turn, { initCount, minTime: slice / 2, minSamples: 1, maxTime: 2.5 * slice });
  }

  round(): void {
    this.#bench.run({ async: false });
    const { error } = this.#bench as { error?: Error };
    if (error !== undefined) throw error;
    for (const seconds of this.#bench.stats.sample) this.samples.push(seconds / this.#callsPerTurn);
  }
}

/** The least seconds that a call took, of at least one and `seconds` of calls. */
function fastest(call: () => void, seconds: number): number {
  const begin = performance.now();
  let least = Infinity;
  for (let before = begin; least === Infinity || before - begin < seconds * 1e3;) {
    call();
    const after = performance.now();
    least = Math.min(least, after - before);
    before = after;
  }
  return least / 1e3;
}

/**
 * A loop that makes both calls `repeats` times. Every case has code of its own: in a shared loop V8 sees many kernels and calls
 * them through a generic path, 12 ns instead of 1.
 */
function repeatPairs(name: string, repeats: number, { run, args }: Calls): () => void {
  const calls = args.map((list) => `run(${list.join(", ")});`).join(" ");
  const body = `/* ${name} */ return () => { for (let i = 0; i < ${repeats}; ++i) { ${calls} } };`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
  const compile = new Function("run", body) as (run: Calls["run"]) => () => void;
  return compile(run);
}

/** One call, with the first arguments and the second in turn. */
function alternate({ run, args: [first, second] }: Calls): () => void {
  let turn = false;
  return () => {
    turn = !turn;
    run(...(turn ? first : second));
  };
}

export const startStopwatch: StartWatch = (...options) => new Stopwatch(...options);
