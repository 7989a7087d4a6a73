/** How each kind of case is named, counted, bounded, set up and checked: what all families share. */
import type { Tolerance } from "../../tests/support/compare.js";
import type { Desk } from "../desk.js";
import type { Calls, Case, Prepared } from "../harness.js";

export type BenchCase = Case<Desk>;

/** The arguments of one call, and a check of what it left. */
interface Call {
  readonly args: number[];
  readonly check: () => void;
}

/** Sets a kernel up twice, on buffers of its own each time. */
export function twice(run: (...args: number[]) => unknown, setUp: () => Call): Prepared {
  const calls = [setUp(), setUp()] as const;
  const args: Calls["args"] = [calls[0].args, calls[1].args];
  const validate = () => {
    for (const call of calls) {
      run(...call.args);
      call.check();
    }
  };
  return { run, args, validate };
}

/** A bound that catches a wrong kernel before it is timed; tests/kernels holds the exact ones. */
export const FEW: Tolerance = { roundings: 8 };

export const f32 = Math.fround;
