/**
 * Learning rates as functions of how many steps an optimizer has taken: 0 for its first. They take steps, not epochs: an
 * epoch is ⌈examples / batchSize⌉ steps. Formulas are PyTorch's, in float64 additions, multiplications and divisions alone,
 * so that every engine computes the same bits. Wherever a rate stands, another schedule may stand.
 */
import * as check from "./check.js";
import { ArgumentError } from "./errors.js";

/** The learning rate of the step that follows `step` others. */
export type Schedule = (step: number) => number;

/** A learning rate, or a schedule of its own. */
export type Rate = number | Schedule;

/** A schedule of what may be a number. */
function schedule(operation: string, name: string, rate: Rate): Schedule {
  if (typeof rate === "function") return rate;
  check.rate(operation, name, rate);
  return () => rate;
}

/** Always `rate`. */
export function constantRate(rate: number): Schedule {
  return schedule("constantRate", "rate", rate);
}

/** xⁿ for an integer n ≥ 0, by squaring. */
function power(x: number, n: number): number {
  let result = 1;
  for (let square = x, rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

/** rate · factor^⌊step / every⌋, factor 0.1 by default (torch.optim.lr_scheduler.StepLR). */
export function stepDecay(rate: Rate, options: { readonly every: number; readonly factor?: number }): Schedule {
  const operation = "stepDecay";
  const base = schedule(operation, "rate", rate);
  const { every, factor = 0.1 } = check.options(operation, options);
  check.integer(operation, "every", every, 1);
  check.rate(operation, "factor", factor);
  return (step) => base(step) * power(factor, Math.floor(step / every));
}

/** The coefficients (−1)ᵏ / (2k + 1)! of sin x / x in x², the last first; for |x| ≤ ½π the next is below 2⁻⁵⁹. */
const SINE = (() => {
  const coefficients = [1];
  for (let k = 1; k <= 10; k++) coefficients.unshift((coefficients[0] as number) / -(2 * k * (2 * k + 1)));
  return coefficients;
})();

/** cos πu for 0 ≤ u ≤ 1, as sin π(½ − u), whose argument is exact from ¼ on. */
function cosPi(u: number): number {
  const x = 3.141592653589793 * (0.5 - u);
  let sum = 0;
  for (const coefficient of SINE) sum = sum * x * x + coefficient;
  return sum * x;
}

/**
 * minimum + ½ (rate − minimum) · (1 + cos(π · step / steps)) for the first `steps` steps, then minimum: half a cosine from
 * rate to minimum, 0 by default (Loshchilov & Hutter 2017 without restarts, torch.optim.lr_scheduler.CosineAnnealingLR).
 */
export function cosineDecay(rate: Rate, options: { readonly steps: number; readonly minimum?: number }): Schedule {
  const operation = "cosineDecay";
  const base = schedule(operation, "rate", rate);
  const { steps, minimum = 0 } = check.options(operation, options);
  check.integer(operation, "steps", steps, 1);
  check.rate(operation, "minimum", minimum);
  return (step) => {
    if (step >= steps) return minimum;
    return minimum + 0.5 * (base(step) - minimum) * (1 + cosPi(step / steps));
  };
}

/**
 * `rate` after a linear start: for the first `steps` steps rate times a factor that rises from `start`, ⅓ by default, to 1
 * (Goyal et al. 2017, torch.optim.lr_scheduler.LinearLR). A schedule begins with the first step, under the factor, as if there
 * were no start; rateSequence lets it begin afterwards.
 */
export function warmUp(rate: Rate, options: { readonly steps: number; readonly start?: number }): Schedule {
  const operation = "warmUp";
  const base = schedule(operation, "rate", rate);
  const { steps, start = 1 / 3 } = check.options(operation, options);
  check.integer(operation, "steps", steps, 1);
  check.share(operation, "start", start);
  return (step) => (step >= steps ? base(step) : base(step) * (start + ((1 - start) * step) / steps));
}

/**
 * One schedule after the other: each pair's for so many steps, counted from 0 anew, then `last` for ever
 * (torch.optim.lr_scheduler.SequentialLR).
 */
export function rateSequence(parts: readonly (readonly [steps: number, rate: Rate])[], last: Rate): Schedule {
  const operation = "rateSequence";
  if (!Array.isArray(parts)) check.argument(operation, "parts", parts, "an array of pairs [steps, rate]");
  const list = parts.map((part: readonly [steps: number, rate: Rate], i) => {
    const name = `parts[${String(i)}]`;
    if (!Array.isArray(part) || part.length !== 2) {
      throw new ArgumentError(`${operation}: ${name} is ${check.show(part)}; it must be a pair [steps, rate].`);
    }
    const steps = check.integer(operation, `${name}[0]`, part[0], 1);
    return { steps, rate: schedule(operation, `${name}[1]`, part[1]) };
  });
  const end = schedule(operation, "last", last);
  return (step) => {
    let rest = step;
    for (const { steps, rate } of list) {
      if (rest < steps) return rate(rest);
      rest -= steps;
    }
    return end(rest);
  };
}
