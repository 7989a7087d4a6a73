/**
 * Times calls without compiling code for each case, for pages whose policy forbids that, and with the coarse clocks of pages
 * that are not isolated (1 ms in Firefox and Safari, 0.1 ms in Chromium). All cases share one loop, from which calling
 * a kernel costs tens of nanoseconds: it suits calls of several microseconds.
 */
import type { Calls, StartWatch, Watch } from "./harness.js";

class PlainStopwatch implements Watch {
  readonly samples: number[] = [];
  readonly #calls: Calls;
  readonly #slice: number;
  /** Pairs of calls between two looks at the clock, a hundredth of a slice. */
  readonly #pairs: number;

  constructor(
    readonly name: string,
    calls: Calls,
    slice: number,
    warmUp: number,
  ) {
    this.#calls = calls;
    this.#slice = slice;
    const { pairs, seconds } = this.#time(warmUp, 1);
    this.#pairs = Math.max(1, Math.floor((pairs * slice) / 100 / seconds));
  }

  round(): void {
    const { pairs, seconds } = this.#time(this.#slice, this.#pairs);
    this.samples.push(seconds / pairs / 2);
  }

  /** Makes pairs of calls, `step` at a time, for at least `seconds`, from one tick of the clock to another. */
  #time(seconds: number, step: number): { pairs: number; seconds: number } {
    const { run, args } = this.#calls;
    const [first, second] = args;
    let pairs = 0;
    const begin = nextTick();
    let now = begin;
    // The first look at which the time is over sees the tick that ended it.
    while (now < begin + 1e3 * seconds || pairs === 0 || now === begin) {
      for (let i = 0; i < step; ++i) {
        run(...first);
        run(...second);
      }
      pairs += step;
      now = performance.now();
    }
    return { pairs, seconds: (now - begin) / 1e3 };
  }
}

/** Waits until the clock moves, and returns what it then shows. */
function nextTick(): number {
  const before = performance.now();
  let now = before;
  while (now === before) now = performance.now();
  return now;
}

/** Samples are long enough for a coarse clock, whatever a shorter slice would do on a fine one. */
const LEAST_SLICE = 0.025;

export const startPlainStopwatch: StartWatch = (name, calls, slice = LEAST_SLICE, warmUp = 0.05) =>
  new PlainStopwatch(name, calls, Math.max(slice, LEAST_SLICE), warmUp);
