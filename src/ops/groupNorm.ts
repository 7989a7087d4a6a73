/** Layer norm and group norm, forward and backward: each row by itself, so that training and inference are the same. */
import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { checkOut, floatResult, orRelease, type OutOption } from "../out.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Tensor } from "../tensor.js";
import { checkGradientOuts, gradientResults, type NormGradients } from "./normGradients.js";

export interface LayerNormOptions extends OutOption {
  /** Added to the variance. */
  readonly eps?: number;
}

export interface GroupNormOptions extends LayerNormOptions {
  /** How many groups of neighbouring columns, a divisor of the columns. */
  readonly groups: number;
}

export interface GroupNormResult {
  readonly y: Tensor;
  /** 3 × rows·groups: mean, its rounding residual, 1/√(variance + eps); the backward pass needs it. */
  readonly saved: Tensor;
}

/** What the backward pass of layer norm takes beside its inputs. */
export interface LayerNormBackwardOptions {
  /** Take the results; dx may be dy itself. */
  readonly out?: Partial<NormGradients>;
}

export interface GroupNormBackwardOptions extends LayerNormBackwardOptions {
  /** As in the forward pass. */
  readonly groups: number;
}

/** Features of a group; throws unless the groups divide the columns. */
export function groupSize(operation: string, cols: number, groups: number): number {
  check.integer(operation, "groups", groups, 1);
  if (cols % groups !== 0) {
    throw new ArgumentError(
      `${operation}: ${String(cols)} features do not divide into ${String(groups)} groups; groups must be a divisor.`,
    );
  }
  return cols / groups;
}

/** gamma and beta have one value for each column. */
function checkColumns(
  operation: string,
  runtime: Runtime,
  cols: number,
  tensors: Readonly<Record<string, Tensor>>,
): void {
  for (const [name, value] of Object.entries(tensors)) {
    check.floats(operation, name, value, runtime);
    check.shape(operation, name, value, [cols], "one value for each column of x");
  }
}

function forward(
  operation: string,
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  groups: number,
  { eps = 1e-5, out }: LayerNormOptions,
): GroupNormResult {
  const runtime = check.runtimeOf(operation, "x", x);
  check.matrix(operation, "x", x, runtime);
  check.rate(operation, "eps", eps);
  const [rows, cols] = x.shape as [number, number];
  groupSize(operation, cols, groups);
  checkColumns(operation, runtime, cols, { gamma, beta });
  if (out !== undefined) {
    checkOut(operation, runtime, out, x.shape);
    check.apartOrSame(operation, "out", out, "x", x);
    check.apart(operation, "out", out, "gamma", gamma);
    check.apart(operation, "out", out, "beta", beta);
  }
  const saved = runtime.empty(operation, [3, rows * groups], "float32");
  const y = orRelease(() => floatResult(operation, runtime, out, x.shape), saved);
  const { kernels } = runtime;
  const pointers = [y.pointer, saved.pointer, x.pointer, gamma.pointer, beta.pointer] as const;
  kernels.groupNormForward(...pointers, rows, cols, groups, cols, cols, eps, 0, rows);
  return { y, saved };
}

function backward(
  operation: string,
  dy: Tensor,
  x: Tensor,
  saved: Tensor,
  gamma: Tensor,
  groups: number,
  { out = {} }: LayerNormBackwardOptions,
): NormGradients {
  const runtime = check.runtimeOf(operation, "dy", dy);
  check.matrix(operation, "x", x, runtime);
  check.floats(operation, "dy", dy, runtime);
  check.shape(operation, "dy", dy, x.shape, "it must have the shape of x");
  const [rows, cols] = x.shape as [number, number];
  groupSize(operation, cols, groups);
  check.floats(operation, "saved", saved, runtime);
  check.shape(operation, "saved", saved, [3, rows * groups], "it comes from the forward pass");
  checkColumns(operation, runtime, cols, { gamma });
  checkGradientOuts(operation, runtime, out, x.shape, { dy, x, saved, gamma });
  const { kernels } = runtime;
  const count = kernels.groupNormPartsSize(rows);
  const partsSize = count * 2 * cols;
  const parts = runtime.scratch(operation, partsSize + kernels.columnSumsWorkSize(cols));
  const work = parts + 4 * partsSize;
  const { dx, dGamma, dBeta } = gradientResults(operation, runtime, out, x.shape);
  const pointers = [dx.pointer, parts, dy.pointer, x.pointer, saved.pointer, gamma.pointer] as const;
  kernels.groupNormBackward(...pointers, rows, cols, groups, cols, cols, cols, 0, count);
  kernels.columnSums(dGamma.pointer, parts, count, cols, 2 * cols, 0, 0, cols, work);
  kernels.columnSums(dBeta.pointer, parts + 4 * cols, count, cols, 2 * cols, 0, 0, cols, work);
  return { dx, dGamma, dBeta };
}

/**
 * y = gamma · (x − mean) / √(variance + eps) + beta by rows of x, rows × columns, with the mean and the biased variance of
 * each row (Ba, Kiros & Hinton 2016); eps is 1e-5 by default. gamma and beta have one value for each column. In place.
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: LayerNormOptions = {}): GroupNormResult {
  return forward("layerNorm", x, gamma, beta, 1, check.options("layerNorm", options));
}

/** The gradients of layerNorm, by x, gamma and beta. */
export function layerNormBackward(
  dy: Tensor,
  x: Tensor,
  saved: Tensor,
  gamma: Tensor,
  options: LayerNormBackwardOptions = {},
): NormGradients {
  return backward("layerNormBackward", dy, x, saved, gamma, 1, check.options("layerNormBackward", options));
}

/**
 * As layerNorm, with the mean and the variance of each group of neighbouring columns of a row (Wu & He 2018). Of a group of
 * one column beta is left.
 */
export function groupNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: GroupNormOptions): GroupNormResult {
  const { groups } = check.options("groupNorm", options);
  return forward("groupNorm", x, gamma, beta, groups, options);
}

/** The gradients of groupNorm, by x, gamma and beta. */
export function groupNormBackward(
  dy: Tensor,
  x: Tensor,
  saved: Tensor,
  gamma: Tensor,
  options: GroupNormBackwardOptions,
): NormGradients {
  const { groups } = check.options("groupNormBackward", options);
  return backward("groupNormBackward", dy, x, saved, gamma, groups, options);
}
