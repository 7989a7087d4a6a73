import * as check from "../check.js";
import { orthonormal, type Initializer } from "../initializers.js";
import type { Parameter } from "../parameters.js";
import type { Runtime } from "../runtime/runtime.js";
import { checkBatch, checkInputs, loadInputs, type Inputs } from "./data.js";
import { DenseStage } from "./dense.js";
import type { Plan } from "./plan.js";

export interface LsuvOptions {
  /** How far from 1 the variance may stay: 0.1 by default, as in the paper. */
  readonly tolerance?: number;
  /** How often a layer's weights are scaled at most: 10 by default, as in the paper. */
  readonly maxIterations?: number;
  /** What the weights start from, by default orthonormal(). */
  readonly weightInit?: Initializer;
}

/** What a Dense came to. */
export interface LsuvResult {
  /** Its place in the model. */
  readonly layer: number;
  /** Of its outputs, before any activation. 0 or not finite where no scale helps: then its weights are as they started. */
  readonly variance: number;
  /** How often its weights were scaled. */
  readonly iterations: number;
}

/** Sequential.lsuv: one forward pass that stops at each Dense until its outputs have variance 1. */
export function lsuv(operation: string, plan: Plan, x: Inputs, seed: number, options: LsuvOptions): LsuvResult[] {
  const { tolerance = 0.1, maxIterations = 10, weightInit = orthonormal() } = check.options(operation, options);
  check.positive(operation, "tolerance", tolerance);
  check.integer(operation, "maxIterations", maxIterations, 0);
  if (typeof weightInit !== "function") check.argument(operation, "weightInit", weightInit, "an initializer");
  const rows = checkInputs(operation, "x", x, plan);
  checkBatch(operation, rows, plan);

  const { runtime, slab } = plan;
  const states = slab.states.map(({ value }) => value.toArray());
  loadInputs(plan, x, 0, rows);
  plan.trainedRows = 0;
  const results: LsuvResult[] = [];
  for (const { stage, index: layer, parameters, inFeatures, outFeatures } of plan.steps) {
    if (stage instanceof DenseStage) {
      const [stream] = parameters;
      const { pointer, size } = (slab.parameters[stream] as Parameter).value;
      weightInit({ runtime, pointer, size, inFeatures, outFeatures, seed, stream });
      results.push({ layer, ...scaleToUnitVariance(stage, runtime, rows, tolerance, maxIterations) });
    }
    stage.forward(rows, true);
  }
  slab.states.forEach(({ value }, i) => void value.from(states[i] as Float32Array));
  return results;
}

/** Divides the weights by the deviation of the outputs until that is 1; a bias keeps its part, hence the repetition. */
function scaleToUnitVariance(
  stage: DenseStage,
  runtime: Runtime,
  rows: number,
  tolerance: number,
  maxIterations: number,
): Omit<LsuvResult, "layer"> {
  const { output, parameters } = stage.memory;
  const weight = parameters[0] as number;
  const begin = output >>> 2;
  for (let iterations = 0; ; iterations++) {
    stage.linear(rows);
    const variance = varianceOf(runtime.heapF32.subarray(begin, begin + rows * stage.outFeatures));
    const within = Math.abs(variance - 1) < tolerance;
    if (within || iterations === maxIterations || !(variance > 0 && variance < Infinity))
      return { variance, iterations };
    runtime.kernels.scale(weight, weight, stage.outFeatures * stage.inFeatures, 1 / Math.sqrt(variance));
  }
}

/** Of all values together, in float64; 0 if they are equal. */
function varianceOf(values: Float32Array): number {
  const first = values[0] as number;
  let difference = 0;
  for (const value of values) difference += value - first;
  const mean = first + difference / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  return squares / values.length;
}
