/** What the backward passes of all normalisations give: their outputs, checked and allocated. */
import * as check from "../check.js";
import { checkOut, floatResult, orRelease } from "../out.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Tensor } from "../tensor.js";

/** The gradients by x (its shape), gamma and beta (one value for each column). */
export interface NormGradients {
  readonly dx: Tensor;
  readonly dGamma: Tensor;
  readonly dBeta: Tensor;
}

/** Checks the outputs that came: of the right shapes, apart from each other and the inputs; dx may be dy itself. */
export function checkGradientOuts(
  operation: string,
  runtime: Runtime,
  out: Partial<NormGradients>,
  shape: readonly number[],
  inputs: Readonly<Record<string, Tensor>>,
): void {
  check.options(operation, out, "out");
  const cols = shape[1] as number;
  const shapes = { dx: shape, dGamma: [cols], dBeta: [cols] };
  const outs = Object.entries(shapes).flatMap(([name, expected]) => {
    const tensor = out[name as keyof typeof shapes];
    if (tensor === undefined) return [];
    checkOut(operation, runtime, tensor, expected, "float32", `out.${name}`);
    return [[`out.${name}`, tensor] as const];
  });
  outs.forEach(([name, tensor], i) => {
    for (const [other, input] of Object.entries(inputs)) {
      const inPlace = name === "out.dx" && other === "dy";
      (inPlace ? check.apartOrSame : check.apart)(operation, name, tensor, other, input);
    }
    for (const [other, second] of outs.slice(i + 1)) check.apart(operation, name, tensor, other, second);
  });
}

/** The tensors that take the gradients: those that came, which `checkGradientOuts` has passed, or new ones. */
export function gradientResults(
  operation: string,
  runtime: Runtime,
  out: Partial<NormGradients>,
  shape: readonly number[],
): NormGradients {
  const cols = shape[1] as number;
  const dGamma = floatResult(operation, runtime, out.dGamma, [cols]);
  const madeGamma = out.dGamma ? undefined : dGamma;
  const dBeta = orRelease(() => floatResult(operation, runtime, out.dBeta, [cols]), madeGamma);
  const madeBeta = out.dBeta ? undefined : dBeta;
  const dx = orRelease(() => floatResult(operation, runtime, out.dx, shape), madeGamma, madeBeta);
  return { dx, dGamma, dBeta };
}
