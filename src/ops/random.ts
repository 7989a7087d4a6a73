/** Random tensors, and dropout. */
import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { floatResult, result, type OutOption } from "../out.js";
import { dropout as drop, fillBernoulli, fillNormal, fillPermutation, fillUniform, STREAM } from "../random.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Tensor } from "../tensor.js";

export interface RandomOptions {
  /** An integer from 0 to 2⁵³ − 1. */
  readonly seed?: number;
  /** An integer from 0 to 2³² − 1: each stream of a seed is another, independent sequence. */
  readonly stream?: number;
}

function randomOptions(operation: string, { seed = 0, stream = 0 }: RandomOptions): [seed: number, stream: number] {
  return [check.seed(operation, seed), check.integer(operation, "stream", stream, 0, 4294967295)];
}

/** Normal random numbers (Philox 4×32-10, Salmon et al. 2011; Box & Muller 1958), the same for the same seed and stream. */
export function randomNormal(
  runtime: Runtime,
  shape: readonly number[],
  options: RandomOptions & OutOption & { readonly mean?: number; readonly deviation?: number } = {},
): Tensor {
  const operation = "randomNormal";
  check.runtime(operation, runtime);
  const { mean = 0, deviation = 1, out } = check.options(operation, options);
  const [seed, stream] = randomOptions(operation, options);
  check.finite(operation, "mean", mean);
  check.rate(operation, "deviation", deviation);
  check.size(operation, shape);
  const y = floatResult(operation, runtime, out, shape);
  fillNormal(runtime.kernels, y.pointer, y.size, seed, stream, STREAM.user, mean, deviation);
  return y;
}

/** Uniform random numbers in [low, high), the same for the same seed and stream. */
export function randomUniform(
  runtime: Runtime,
  shape: readonly number[],
  options: RandomOptions & OutOption & { readonly low?: number; readonly high?: number } = {},
): Tensor {
  const operation = "randomUniform";
  check.runtime(operation, runtime);
  const { low = 0, high = 1, out } = check.options(operation, options);
  const [seed, stream] = randomOptions(operation, options);
  check.finite(operation, "low", low);
  check.finite(operation, "high", high);
  // The kernel draws low + u · (high − low) in float32: what is below in float64 need not be so there.
  const [from, to] = [Math.fround(low), Math.fround(high)];
  if (!(from < to && Number.isFinite(Math.fround(to - from)))) {
    throw new ArgumentError(
      `${operation}: low is ${String(low)}, high ${String(high)}; ` +
        `as float32 low must be below high and high - low finite.`,
    );
  }
  check.size(operation, shape);
  const y = floatResult(operation, runtime, out, shape);
  fillUniform(runtime.kernels, y.pointer, y.size, seed, stream, STREAM.user, from, to);
  return y;
}

/** 1 with this probability (½ by default), else 0, the same for the same seed and stream. */
export function randomBernoulli(
  runtime: Runtime,
  shape: readonly number[],
  options: RandomOptions & OutOption & { readonly probability?: number } = {},
): Tensor {
  const operation = "randomBernoulli";
  check.runtime(operation, runtime);
  const { probability = 0.5, out } = check.options(operation, options);
  const [seed, stream] = randomOptions(operation, options);
  check.share(operation, "probability", probability);
  check.size(operation, shape);
  const y = floatResult(operation, runtime, out, shape);
  fillBernoulli(runtime.kernels, y.pointer, y.size, seed, stream, STREAM.user, probability);
  return y;
}

/**
 * x · 0 with probability `rate` (½ by default), else x / (1 − rate), for each element (inverted dropout, Srivastava et al.
 * 2014): 0 where randomBernoulli with probability `rate` of the same seed and stream is 1. So the gradient dx is the dropout of
 * dy with the same options. `out` takes the result; in place.
 */
export function dropout(x: Tensor, options: RandomOptions & OutOption & { readonly rate?: number } = {}): Tensor {
  const operation = "dropout";
  const runtime = check.runtimeOf(operation, "x", x);
  check.dtype(operation, "x", x, "float32");
  const { rate = 0.5, out } = check.options(operation, options);
  const [seed, stream] = randomOptions(operation, options);
  check.fraction(operation, "rate", rate);
  const y = floatResult(operation, runtime, out, x.shape);
  check.apartOrSame(operation, "out", y, "x", x);
  drop(runtime.kernels, y.pointer, x.pointer, x.size, seed, stream, STREAM.user, 0, rate);
  return y;
}

/** The integers 0 … n − 1 in random order, as int32: an unbiased shuffle (Fisher & Yates 1938, Lemire 2019). */
export function randomPermutation(
  runtime: Runtime,
  n: number,
  options: RandomOptions & OutOption<"int32"> = {},
): Tensor<"int32"> {
  const operation = "randomPermutation";
  check.runtime(operation, runtime);
  check.integer(operation, "n", n, 1);
  const [seed, stream] = randomOptions(operation, check.options(operation, options));
  const y = result(operation, runtime, options.out, [n], "int32");
  fillPermutation(runtime.kernels, y.pointer, n, seed, stream, STREAM.user);
  return y;
}
