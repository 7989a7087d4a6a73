/** Batch normalization, forward and backward. */
import * as check from "../check.js";
import { ArgumentError } from "../errors.js";
import { checkOut, floatResult, orRelease, type OutOption } from "../out.js";
import type { Tensor } from "../tensor.js";
import { checkGradientOuts, gradientResults, type NormGradients } from "./normGradients.js";

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
  readonly out?: Partial<NormGradients>;
}

/** The gradients of batchNorm in training: by x (its shape), gamma and beta (one value for each column). */
export function batchNormBackward(
  dy: Tensor,
  x: Tensor,
  saved: Tensor,
  gamma: Tensor,
  beta: Tensor,
  options: BatchNormBackwardOptions = {},
): NormGradients {
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
  checkGradientOuts(operation, runtime, out, x.shape, { dy, x, saved, gamma, beta });
  const { kernels } = runtime;
  const work = runtime.scratch(operation, kernels.batchNormWorkSize(rows, cols));
  const { dx, dGamma, dBeta } = gradientResults(operation, runtime, out, x.shape);
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
