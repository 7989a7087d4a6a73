/**
 * Initial values of parameters. n_in and n_out are a layer's inFeatures and outFeatures. All random ones draw from
 * Philox by (seed, parameter index), so that a model's weights depend on its seed and its layers alone.
 */
import * as check from "./check.js";
import { fillNormal, fillUniform, STREAM } from "./random.js";
import type { Runtime } from "./runtime/runtime.js";

/** Where initial values go, and what they may depend on. */
export interface InitialValues {
  readonly runtime: Runtime;
  readonly pointer: number;
  /** How many float32 values. */
  readonly size: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly seed: number;
  /** The parameter's index in its model. */
  readonly stream: number;
}

/** Writes the initial values of one parameter. */
export type Initializer = (target: InitialValues) => void;

/** 0 everywhere: the usual start of a bias. */
export const zeros = (): Initializer => constant(0);

/** `value` everywhere. */
export function constant(value: number): Initializer {
  check.finite("constant", "value", value);
  return ({ runtime, pointer, size }) => void runtime.heapF32.fill(value, pointer >>> 2, (pointer >>> 2) + size);
}

/** Normal with mean 0 and this deviation. */
export function normal(deviation: number): Initializer {
  check.rate("normal", "deviation", deviation);
  return normalBy(() => deviation);
}

/** Normal with deviation 0.01: activations of a deep network shrink to zero. */
export const smallNormal = (): Initializer => normal(0.01);

/** Normal with deviation 1: tanh saturates. */
export const largeNormal = (): Initializer => normal(1);

/** Normal with variance 1 / n_in: keeps the variance of activations (Glorot & Bengio 2010, forward condition). */
export const xavierNormalIn = (): Initializer => normalBy((inFeatures) => Math.sqrt(1 / inFeatures));

/** Normal with variance 1 / n_out: keeps the variance of gradients (Glorot & Bengio 2010, backward condition). */
export const xavierNormalOut = (): Initializer => normalBy((_, outFeatures) => Math.sqrt(1 / outFeatures));

/** Normal with variance 2 / (n_in + n_out): the compromise (Glorot & Bengio 2010). */
export const xavierNormal = (): Initializer =>
  normalBy((inFeatures, outFeatures) => Math.sqrt(2 / (inFeatures + outFeatures)));

/** Uniform in ±√(6 / (n_in + n_out)), of the same variance as xavierNormal (Glorot & Bengio 2010). */
export function glorotUniform(): Initializer {
  return ({ runtime, pointer, size, inFeatures, outFeatures, seed, stream }) => {
    const bound = Math.sqrt(6 / (inFeatures + outFeatures));
    fillUniform(runtime.kernels, pointer, size, seed, stream, STREAM.parameters, -bound, bound);
  };
}

/** Normal with variance 2 / n_in: as xavierNormalIn, for ReLU, which drops half (He et al. 2015). */
export const heNormal = (): Initializer => normalBy((inFeatures) => Math.sqrt(2 / inFeatures));

function normalBy(deviation: (inFeatures: number, outFeatures: number) => number): Initializer {
  return ({ runtime, pointer, size, inFeatures, outFeatures, seed, stream }) => {
    const value = deviation(inFeatures, outFeatures);
    fillNormal(runtime.kernels, pointer, size, seed, stream, STREAM.parameters, 0, value);
  };
}
