/**
 * `npm run bench -- --cliffs`: whether the product of square matrices has cliffs, sizes at which one more row and column make it
 * much slower. All sizes of a range take part in the same rounds, and each is compared with the next.
 */
import type { Result } from "./harness.js";
import { sgemm } from "./operations/matmul.js";
import type { BenchCase } from "./operations/setup.js";
import type { Format } from "./options.js";
import { drawer, figure } from "./report.js";

/** Operands as stored: N is row-major as it takes part, T is transposed. */
export const TRANSPOSES = ["NN", "NT", "TN", "TT"] as const;
export type Transposes = (typeof TRANSPOSES)[number];

/** All sizes from `from` to `to` inclusive, with each of the transposes. */
export interface Sweep {
  readonly from: number;
  readonly to: number;
  readonly transposes: readonly Transposes[];
}

/** From size n to size n + 1. */
export interface Step {
  readonly transposes: Transposes;
  readonly n: number;
  /** GFLOP/s at n and at n + 1, the best of the rounds. */
  readonly before: number;
  readonly after: number;
  /** What `after` must at least be of `before`. */
  readonly least: number;
}

/** The smallest size with a bound: below it the cost of a call outweighs the product. */
export const FIRST = 16;

/** From this size up a step may cost a tenth only: one row beside whole tiles is no more than that. */
const TIGHT = 64;

/** How many steps a report shows at least. */
const SHOWN = 10;

/** The cases of a sweep. */
export function squares({ from, to, transposes }: Sweep): BenchCase[] {
  const sizes = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return transposes.flatMap((both) => sizes.map((n) => square(both, n)));
}

function square(transposes: Transposes, n: number): BenchCase {
  return sgemm(transposes, n, n, n);
}

/** The steps of a sweep from its results, the worst first: those that are lowest beside what they must at least be. */
export function steps(
  { from, to, transposes }: Sweep,
  results: readonly Pick<Result, "case" | "best">[],
): readonly Step[] {
  const bests = new Map(results.map(({ case: name, best }) => [name, best]));
  const best = (both: Transposes, n: number) => {
    const { name } = square(both, n);
    const found = bests.get(name);
    if (found === undefined) throw new Error(`There is no result of ${name}.`);
    return found;
  };
  const found: Step[] = [];
  for (const both of transposes) {
    for (let n = from; n < to; n++) {
      const least = n < TIGHT ? 1 / 1.5 : 0.9;
      found.push({ transposes: both, n, before: best(both, n), after: best(both, n + 1), least });
    }
  }
  return found.sort((a, b) => margin(a) - margin(b));
}

/** At least 1 where the step is no cliff. */
function margin({ before, after, least }: Step): number {
  return after / (before * least);
}

export function holds(step: Step): boolean {
  return margin(step) >= 1;
}

/** All steps as JSON lines; or as a table those that do not hold, at least the ten worst, and how many hold. */
export function cliffReport(all: readonly Step[], format: Format): string {
  if (format === "json") {
    return all
      .map((step) => JSON.stringify({ ...step, ratio: step.after / step.before, holds: holds(step) }))
      .join("\n");
  }
  const failing = all.filter((step) => !holds(step)).length;
  const rows = all.slice(0, Math.max(SHOWN, failing)).map((step) => {
    const { transposes, n, before, after, least } = step;
    const shares = [after / before, least].map((share) => share.toFixed(3));
    return [transposes, `${n} → ${n + 1}`, figure(before), figure(after), ...shares, holds(step) ? "yes" : "no"];
  });
  return [
    "Steps from n to n + 1, the worst first, in GFLOP/s:",
    drawer(format)(["operands", "n", "before", "after", "ratio", "at least", "holds"], rows),
    `${all.length - failing} steps hold, ${failing} do not: n + 1 is to reach 1 / 1.5 of the GFLOP/s of n from n = ${FIRST} up, 0.9 from n = ${TIGHT} up.`,
  ].join("\n\n");
}
