/**
 * Functions over tensors, usable without any layer. Each checks its arguments before it writes anything and throws a
 * SimdgradError then; each takes an `out` for its result and otherwise allocates one. Matrices are rows × columns with
 * one example a row. An `out` may be the input itself where a function says "in place".
 */
import * as check from "./check.js";
import { ArgumentError, ShapeError } from "./errors.js";
import { checkOut, floatResult, orRelease, result, type OutOption } from "./out.js";
import { dropout as drop, fillBernoulli, fillNormal, fillPermutation, fillUniform, STREAM } from "./random.js";
import type { Runtime } from "./runtime/runtime.js";
import type { AnyTensor, Tensor } from "./tensor.js";

/** An activation that a kernel applies while it writes its result. */
export type FusedActivation = "relu" | "tanh";

export interface MatmulOptions extends OutOption {
  /** Takes aᵀ for a, without a copy. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Scales the product. */
  readonly alpha?: number;
  /** Scales what `out` holds before, which is then required. 0 does not read it. */
  readonly beta?: number;
  /** One value for each column of the result. */
  readonly bias?: Tensor;
  readonly activation?: FusedActivation;
}

const EPILOGUES = { none: 1, relu: 2, tanh: 3 } as const;

/**
 * activation(alpha · a · b + beta · out + bias): a is m×k, b is k×n (after their transposes), the result m×n.
 * `out` must share no memory with a, b or bias.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const operation = "matmul";
  const runtime = check.runtimeOf(operation, "a", a);
  check.matrix(operation, "a", a, runtime);
  check.matrix(operation, "b", b, runtime);
  const {
    transposeA = false,
    transposeB = false,
    alpha = 1,
    beta = 0,
    bias,
    activation,
    out,
  } = check.options(operation, options);
  check.boolean(operation, "transposeA", transposeA);
  check.boolean(operation, "transposeB", transposeB);
  check.finite(operation, "alpha", alpha);
  check.finite(operation, "beta", beta);
  if (activation !== undefined) check.oneOf(operation, "activation", activation, ["relu", "tanh"]);
  const [aRows, aCols] = a.shape as [number, number];
  const [bRows, bCols] = b.shape as [number, number];
  const [m, k] = transposeA ? [aCols, aRows] : [aRows, aCols];
  const [inner, n] = transposeB ? [bCols, bRows] : [bRows, bCols];
  if (k !== inner) {
    const say = (name: string, tensor: Tensor, transposed: boolean) =>
      `${name} is ${check.showShape(tensor.shape)}${transposed ? " (transposed)" : ""}`;
    throw new ShapeError(
      `${operation}: ${say("a", a, transposeA)} but ${say("b", b, transposeB)}; ` +
        `a's ${transposeA ? "rows" : "columns"} must equal b's ${transposeB ? "columns" : "rows"}.`,
    );
  }
  if (bias !== undefined) {
    check.floats(operation, "bias", bias, runtime);
    check.shape(operation, "bias", bias, [n], "one value for each column of the result");
  }
  if (beta !== 0 && out === undefined) {
    throw new ArgumentError(`${operation}: beta is ${String(beta)} but no out came; beta scales what out holds.`);
  }
  if (out !== undefined) {
    checkOut(operation, runtime, out, [m, n]);
    check.apart(operation, "out", out, "a", a);
    check.apart(operation, "out", out, "b", b);
    if (bias) check.apart(operation, "out", out, "bias", bias);
  }
  const { kernels } = runtime;
  const work = runtime.scratch(operation, kernels.sgemmWorkSize(m, n, k));
  const c = floatResult(operation, runtime, out, [m, n]);
  kernels.sgemm(
    c.pointer,
    a.pointer,
    b.pointer,
    bias?.pointer ?? 0,
    m,
    n,
    k,
    n,
    1,
    transposeA ? 1 : aCols,
    transposeA ? aCols : 1,
    transposeB ? 1 : bCols,
    transposeB ? bCols : 1,
    alpha,
    beta,
    bias ? EPILOGUES[activation ?? "none"] : 0,
    0,
    m,
    work,
  );
  if (!bias && activation) kernels[activation](c.pointer, c.pointer, c.size);
  return c;
}

/** Which variance estimate goes into runningVar: Σ/(m − 1) as in PyTorch, or Σ/m as in the paper's batch statistics. */
export type VarianceEstimate = "unbiased" | "biased";

export interface BatchNormOptions extends OutOption {
  /** Added to the variance. */
  readonly eps?: number;
  /** The weight of the new batch in running statistics, as in PyTorch (other libraries call 1 − momentum that). */
  readonly momentum?: number;
  /** One value for each column; read in inference, updated in training. */
  readonly runningMean?: Tensor;
  readonly runningVar?: Tensor;
  readonly runningVarEstimate?: VarianceEstimate;
  /** Applied to the result in the same pass. */
  readonly activation?: "relu";
  /** Whether to normalise by the batch's statistics (the default) or by the running ones. */
  readonly training?: boolean;
}

export interface BatchNormResult {
  readonly y: Tensor;
  /** 3 × columns: mean, its rounding residual, 1/√(variance + eps); batchNormBackward needs it. */
  readonly saved: Tensor;
}

/**
 * y = gamma · (x − mean) / √(variance + eps) + beta by columns of x, rows × columns (Ioffe & Szegedy 2015). Training takes
 * the batch's mean and biased variance and updates running statistics if both came; inference (`training: false`)
 * requires and only reads them. gamma, beta and running statistics have one value for each column. `out` must share no
 * memory with any input.
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  options: BatchNormOptions & { readonly training: false },
): { readonly y: Tensor };
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options?: BatchNormOptions): BatchNormResult;
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  options: BatchNormOptions = {},
): { readonly y: Tensor; readonly saved?: Tensor } {
  const operation = "batchNorm";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  const {
    eps = 1e-5,
    momentum = 0.1,
    runningMean,
    runningVar,
    runningVarEstimate = "unbiased",
  } = check.options(operation, options);
  const { activation, training = true, out } = options;
  check.rate(operation, "eps", eps);
  check.share(operation, "momentum", momentum);
  check.oneOf(operation, "runningVarEstimate", runningVarEstimate, ["unbiased", "biased"]);
  if (activation !== undefined) check.oneOf(operation, "activation", activation, ["relu"]);
  check.boolean(operation, "training", training);
  const [rows, cols] = x.shape as [number, number];
  const perColumn = Object.entries({ gamma, beta, runningMean, runningVar });
  for (const [name, value] of perColumn) {
    if (value === undefined && name.startsWith("running")) continue;
    check.floats(operation, name, value as Tensor, runtime);
    check.shape(operation, name, value as Tensor, [cols], "one value for each column of x");
  }
  const running = runningMean !== undefined && runningVar !== undefined;
  if (!running && (!training || runningMean !== undefined || runningVar !== undefined)) {
    const came = runningMean ? "only runningMean" : runningVar ? "only runningVar" : "neither";
    throw new ArgumentError(
      `${operation}: ${came} came; ${training ? "update both or none" : "inference needs both runningMean and runningVar"}.`,
    );
  }
  if (out !== undefined) {
    checkOut(operation, runtime, out, x.shape);
    check.apart(operation, "out", out, "x", x);
    for (const [name, value] of perColumn) if (value) check.apart(operation, "out", out, name, value);
  }
  if (training && running) {
    check.apart(operation, "runningMean", runningMean, "runningVar", runningVar);
    for (const [name, value] of Object.entries({ x, gamma, beta })) {
      check.apart(operation, "runningMean", runningMean, name, value);
      check.apart(operation, "runningVar", runningVar, name, value);
    }
  }
  const { kernels } = runtime;
  const workSize = kernels.batchNormWorkSize(rows, cols);
  const unused = Math.ceil(workSize / 16) * 16;
  const work = runtime.scratch(operation, unused + 2 * cols);
  const fused = activation === "relu" ? 1 : 0;
  if (!training) {
    const y = floatResult(operation, runtime, out, x.shape);
    const [mean, variance] = [runningMean as Tensor, runningVar as Tensor];
    kernels.batchNormInference(
      y.pointer,
      x.pointer,
      mean.pointer,
      variance.pointer,
      gamma.pointer,
      beta.pointer,
      rows,
      cols,
      cols,
      cols,
      eps,
      fused,
      0,
      rows,
      work,
    );
    return { y };
  }
  const saved = runtime.empty(operation, [3, cols], "float32");
  const y = orRelease(() => floatResult(operation, runtime, out, x.shape), saved);
  kernels.batchNormForward(
    y.pointer,
    saved.pointer,
    runningMean?.pointer ?? work + unused * 4,
    runningVar?.pointer ?? work + (unused + cols) * 4,
    x.pointer,
    gamma.pointer,
    beta.pointer,
    rows,
    cols,
    cols,
    cols,
    eps,
    momentum,
    runningVarEstimate === "unbiased" ? 1 : 0,
    fused,
    0,
    cols,
    work,
  );
  return { y, saved };
}

export interface BatchNormBackwardOptions {
  /** As in the forward pass. */
  readonly activation?: "relu";
  /** Take the results; dx may be dy itself. */
  readonly out?: { readonly dx?: Tensor; readonly dGamma?: Tensor; readonly dBeta?: Tensor };
}

/** The gradients of batchNorm in training: by x (its shape), gamma and beta (one value for each column). */
export function batchNormBackward(
  dy: Tensor,
  x: Tensor,
  saved: Tensor,
  gamma: Tensor,
  beta: Tensor,
  options: BatchNormBackwardOptions = {},
): { readonly dx: Tensor; readonly dGamma: Tensor; readonly dBeta: Tensor } {
  const operation = "batchNormBackward";
  const runtime = check.runtimeOf(operation, "dy", dy);
  check.matrix(operation, "x", x, runtime);
  check.floats(operation, "dy", dy, runtime);
  check.shape(operation, "dy", dy, x.shape, "it must have the shape of x");
  const [rows, cols] = x.shape as [number, number];
  check.floats(operation, "saved", saved, runtime);
  check.shape(operation, "saved", saved, [3, cols], "it comes from batchNorm");
  for (const [name, value] of Object.entries({ gamma, beta })) {
    check.floats(operation, name, value, runtime);
    check.shape(operation, name, value, [cols], "one value for each column of x");
  }
  const { activation, out = {} } = check.options(operation, options);
  if (activation !== undefined) check.oneOf(operation, "activation", activation, ["relu"]);
  check.options(operation, out, "out");
  const shapes = { dx: x.shape, dGamma: [cols], dBeta: [cols] };
  const inputs = { dy, x, saved, gamma, beta };
  const outs = Object.entries(shapes).flatMap(([name, shape]) => {
    const tensor = out[name as keyof typeof shapes];
    if (tensor === undefined) return [];
    checkOut(operation, runtime, tensor, shape, "float32", `out.${name}`);
    return [[`out.${name}`, tensor] as const];
  });
  outs.forEach(([name, tensor], i) => {
    for (const [other, input] of Object.entries(inputs)) {
      const inPlace = name === "out.dx" && other === "dy";
      (inPlace ? check.apartOrSame : check.apart)(operation, name, tensor, other, input);
    }
    for (const [other, second] of outs.slice(i + 1)) check.apart(operation, name, tensor, other, second);
  });
  const { kernels } = runtime;
  const work = runtime.scratch(operation, kernels.batchNormWorkSize(rows, cols));
  const dGamma = floatResult(operation, runtime, out.dGamma, [cols]);
  const madeGamma = out.dGamma ? undefined : dGamma;
  const dBeta = orRelease(() => floatResult(operation, runtime, out.dBeta, [cols]), madeGamma);
  const madeBeta = out.dBeta ? undefined : dBeta;
  const dx = orRelease(() => floatResult(operation, runtime, out.dx, x.shape), madeGamma, madeBeta);
  kernels.batchNormBackward(
    dx.pointer,
    dGamma.pointer,
    dBeta.pointer,
    dy.pointer,
    x.pointer,
    saved.pointer,
    gamma.pointer,
    beta.pointer,
    rows,
    cols,
    cols,
    cols,
    cols,
    activation === "relu" ? 1 : 0,
    0,
    0,
    cols,
    work,
  );
  return { dx, dGamma, dBeta };
}

export interface ColumnSumsOptions extends OutOption {
  /** Adds to what `out` (then required) holds. */
  readonly accumulate?: boolean;
}

/** The sum of each column of x, rows × columns. */
export function columnSums(x: Tensor, options: ColumnSumsOptions = {}): Tensor {
  const operation = "columnSums";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  const { out, accumulate = false } = check.options(operation, options);
  check.boolean(operation, "accumulate", accumulate);
  if (accumulate && !out) throw new ArgumentError(`${operation}: accumulate is true but no out came; it adds to out.`);
  const [rows, cols] = x.shape as [number, number];
  const sums = floatResult(operation, runtime, out, [cols]);
  check.apart(operation, "out", sums, "x", x);
  runtime.kernels.columnSums(sums.pointer, x.pointer, rows, cols, cols, accumulate ? 1 : 0, 0, cols);
  return sums;
}

/** The column of each row's first maximum, as int32; NaN counts as the maximum, as in PyTorch. */
export function argmax(x: Tensor, options: OutOption<"int32"> = {}): Tensor<"int32"> {
  const operation = "argmax";
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  const [rows, cols] = x.shape as [number, number];
  const index = result(operation, runtime, check.options(operation, options).out, [rows], "int32");
  check.apart(operation, "out", index, "x", x);
  runtime.kernels.argmaxRows(index.pointer, x.pointer, rows, cols, cols, 0, rows);
  return index;
}

/** scale · x + shift as float32, for a uint8 tensor; bytes become 0 … 1 by default. */
export function uint8ToFloat32(
  x: Tensor<"uint8">,
  options: OutOption & { readonly scale?: number; readonly shift?: number } = {},
): Tensor {
  const operation = "uint8ToFloat32";
  const runtime = check.runtimeOf(operation, "x", x);
  check.dtype(operation, "x", x, "uint8");
  const { scale = 1 / 255, shift = 0, out } = check.options(operation, options);
  check.finite(operation, "scale", scale);
  check.finite(operation, "shift", shift);
  const y = floatResult(operation, runtime, out, x.shape);
  check.apart(operation, "out", y, "x", x);
  runtime.kernels.uint8ToFloat32(y.pointer, x.pointer, x.size, scale, shift);
  return y;
}

/** y[i] = x[index[i]] by rows: x is a float32 or int32 matrix, index an int32 tensor of row numbers. */
export function gatherRows<D extends "float32" | "int32">(
  x: Tensor<D>,
  index: Tensor<"int32">,
  options: OutOption<D> = {},
): Tensor<D> {
  const operation = "gatherRows";
  const runtime = check.runtimeOf(operation, "x", x);
  check.rank(operation, "x", x, 2);
  if ((x as AnyTensor).dtype === "uint8") check.argument(operation, "x", x, "a float32 or int32 tensor");
  check.dtype(operation, "index", check.tensor(operation, "index", index, runtime), "int32");
  check.rank(operation, "index", index, 1);
  const [rows, cols] = x.shape as [number, number];
  const begin = index.pointer >>> 2;
  for (let i = 0; i < index.size; i++) {
    check.integer(operation, `index[${String(i)}]`, runtime.heapI32[begin + i] as number, 0, rows - 1);
  }
  const y = result(operation, runtime, check.options(operation, options).out, [index.size, cols], x.dtype);
  check.apart(operation, "out", y, "x", x);
  check.apart(operation, "out", y, "index", index);
  runtime.kernels.gatherRows(y.pointer, x.pointer, index.pointer, index.size, cols);
  return y;
}

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
