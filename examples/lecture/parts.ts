/** The parts of the lecture, in its order. */
import { batchNormGates } from "./batchNormGates.js";
import { batchNormTraining } from "./batchNormTraining.js";
import type { Part } from "./claim.js";
import { derivatives } from "./derivatives.js";
import { gates } from "./gates.js";
import { initialization } from "./initialization.js";
import { leastSquares } from "./leastSquares.js";
import { regularization } from "./regularization.js";
import { reluLayer } from "./reluLayer.js";
import { softplus } from "./softplus.js";
import { tenLayers } from "./tenLayers.js";
import { tensorDerivative } from "./tensorDerivative.js";

export const parts: readonly Part[] = [
  gates,
  softplus,
  derivatives,
  tensorDerivative,
  leastSquares,
  reluLayer,
  tenLayers,
  initialization,
  batchNormGates,
  batchNormTraining,
  regularization,
];
