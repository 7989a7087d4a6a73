/**
 * Initial values of parameters. n_in and n_out are a layer's inFeatures and outFeatures. All random ones draw from
 * Philox by (seed, parameter index), so that a model's weights depend on its seed and its layers alone.
 */
import * as check from "./check.js";
import { ArgumentError } from "./errors.js";
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

export interface RandomWalkOptions {
  /** What stands behind the layer: it decides the gain. "relu" by default. */
  readonly activation?: "relu" | "linear";
  /** Instead, for another activation: the gain itself. */
  readonly gain?: number;
}

/**
 * Normal with deviation gain / √n_in, whose gain keeps the logarithm of a gradient's norm a random walk without drift
 * through layers of any depth (Sussillo & Abbott 2014): √2 · exp(1.2 / (max(n_in, 6) − 2.4)) for ReLU, exp(1 / (2 n_in)) without
 * an activation. The narrower the layers, the more it exceeds heNormal and xavierNormalIn.
 */
export function randomWalk(options: RandomWalkOptions = {}): Initializer {
  const { activation = "relu", gain } = check.options("randomWalk", options);
  check.oneOf("randomWalk", "activation", activation, ["relu", "linear"]);
  if (gain !== undefined) check.rate("randomWalk", "gain", gain);
  return normalBy((n) => {
    const relu = activation === "relu";
    const own = relu ? Math.sqrt(2) * exponential(1.2 / (Math.max(n, 6) - 2.4)) : exponential(1 / (2 * n));
    return (gain ?? own) / Math.sqrt(n);
  });
}

/** eˣ for 0 ≤ x ≤ ½, from the series: the term after xⁿ / n! with n = 16 is below 2⁻⁶⁵. */
function exponential(x: number): number {
  let sum = 1;
  for (let n = 16; n > 0; n--) sum = 1 + (sum * x) / n;
  return sum;
}

/**
 * gain times a random matrix with orthonormal rows, or columns if n_out > n_in: it keeps lengths, and angles, so that a deep
 * linear network learns as fast as a shallow one (Saxe, McClelland & Ganguli 2014). All such matrices are equally likely: it
 * is Q of the QR decomposition of a normal matrix, with a positive diagonal in R (Mezzadri 2007).
 */
export function orthonormal(options: { readonly gain?: number } = {}): Initializer {
  const { gain = 1 } = check.options("orthonormal", options);
  check.rate("orthonormal", "gain", gain);
  return ({ runtime, pointer, size, inFeatures, outFeatures, seed, stream }) => {
    if (size !== inFeatures * outFeatures) {
      throw new ArgumentError(
        `orthonormal: the parameter has ${String(size)} values; it must be a weight of ` +
          `${String(outFeatures)}×${String(inFeatures)}.`,
      );
    }
    fillNormal(runtime.kernels, pointer, size, seed, stream, STREAM.parameters, 0, 1);
    const weights = runtime.heapF32.subarray(pointer >>> 2, (pointer >>> 2) + size);
    const tall = outFeatures > inFeatures;
    const [count, length] = tall ? [inFeatures, outFeatures] : [outFeatures, inFeatures];
    const place = (i: number, k: number) => (tall ? k * inFeatures + i : i * inFeatures + k);
    const vectors = Array.from({ length: count }, (_, i) =>
      Float64Array.from({ length }, (_, k) => weights[place(i, k)] as number),
    );
    orthonormalize(vectors);
    vectors.forEach((vector, i) => {
      vector.forEach((value, k) => (weights[place(i, k)] = gain * value));
    });
  };
}

/**
 * Makes each vector orthogonal to those before it, and of length 1: Gram and Schmidt's method, modified, each vector twice,
 * which leaves dot products at float64's rounding (Giraud, Langou, Rozložník & van den Eshof 2005).
 */
function orthonormalize(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, i) => {
    for (let twice = 0; twice < 2; twice++) {
      for (const other of vectors.slice(0, i)) {
        const projection = dot(vector, other);
        for (let k = 0; k < vector.length; k++) (vector[k] as number) -= projection * (other[k] as number);
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    for (let k = 0; k < vector.length; k++) (vector[k] as number) /= length;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}

function normalBy(deviation: (inFeatures: number, outFeatures: number) => number): Initializer {
  return ({ runtime, pointer, size, inFeatures, outFeatures, seed, stream }) => {
    const value = deviation(inFeatures, outFeatures);
    fillNormal(runtime.kernels, pointer, size, seed, stream, STREAM.parameters, 0, value);
  };
}
