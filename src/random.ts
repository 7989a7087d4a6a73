import type { Kernels } from "./runtime/kernels.js";

/**
 * Which part of a seed's random numbers to draw: Philox 4×32-10 (Salmon et al. 2011) has 2⁶⁴ streams a seed, and they
 * are independent. The upper word of a stream names its use, so that weights, shuffles and calls by users never share one.
 */
export const STREAM = { user: 0, parameters: 1, shuffles: 2, dropout: 3 } as const;
export type StreamUse = (typeof STREAM)[keyof typeof STREAM];

/** The two 32-bit words of an integer below 2⁵³, as the kernels take it. */
export const low = (value: number): number => value >>> 0;
export const high = (value: number): number => Math.floor(value / 4294967296);

/** `n` numbers, normal with this mean and deviation. */
export function fillNormal(
  kernels: Kernels,
  pointer: number,
  n: number,
  seed: number,
  stream: number,
  use: StreamUse,
  mean: number,
  deviation: number,
): void {
  kernels.philoxNormal(pointer, n, low(seed), high(seed), stream, use, 0, 0, mean, deviation);
}

/** `n` numbers, uniform in [from, to). */
export function fillUniform(
  kernels: Kernels,
  pointer: number,
  n: number,
  seed: number,
  stream: number,
  use: StreamUse,
  from: number,
  to: number,
): void {
  kernels.philoxUniform(pointer, n, low(seed), high(seed), stream, use, 0, 0, from, to);
}

/** `n` numbers, 1 with this probability, else 0. */
export function fillBernoulli(
  kernels: Kernels,
  pointer: number,
  n: number,
  seed: number,
  stream: number,
  use: StreamUse,
  probability: number,
): void {
  kernels.philoxBernoulli(pointer, n, low(seed), high(seed), stream, use, 0, 0, probability);
}

/** y ← x · 0 or x / (1 − rate), n numbers; each `pass` of a stream, an integer from 0, has numbers of its own. */
export function dropout(
  kernels: Kernels,
  y: number,
  x: number,
  n: number,
  seed: number,
  stream: number,
  use: StreamUse,
  pass: number,
  rate: number,
): void {
  kernels.dropout(y, x, n, low(seed), high(seed), stream, use, 0, pass, rate, 0, n);
}

/** 0 … n − 1 in random order, as int32. */
export function fillPermutation(
  kernels: Kernels,
  pointer: number,
  n: number,
  seed: number,
  stream: number,
  use: StreamUse,
): void {
  kernels.philoxPermutation(pointer, n, low(seed), high(seed), stream, use);
}
