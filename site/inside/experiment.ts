/** What the ten-layer experiment is asked and what it answers, and the answer in a sentence. */
import { short } from "../elements.js";

export type InitializationName = "small" | "large" | "xavier" | "glorot" | "he" | "orthonormal" | "randomWalk" | "lsuv";
export type ActivationName = "relu" | "tanh";

export interface Experiment {
  readonly initialization: InitializationName;
  readonly activation: ActivationName;
  readonly batchNorm: boolean;
}

/** What is in one layer. */
export interface Layer {
  /** Shares of all values, in bins from `low` to `high`. */
  readonly shares: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly deviation: number;
  /** The share of values above 0.97 or below −0.97, where tanh is flat. */
  readonly saturated: number;
}

/** Where a spread changes by less than this factor, it is kept. */
const KEPT = 5;

/** The share of flat units from which tanh counts as saturated; deviations of gradients that no learning rate makes up for. */
const FLAT = 0.3;
const TINY = 1e-3;
const HUGE = 1e5;

/** How a spread changes along its way, from `begin` to `end`. */
function change(begin: number, end: number): "vanish" | "shrink" | "stay" | "grow" {
  if (end === 0) return "vanish";
  if (end < begin / KEPT) return "shrink";
  return end > begin * KEPT ? "grow" : "stay";
}

/** What the experiment shows, for somebody who sees it for the first time. */
export function verdict(activations: readonly Layer[], gradients: readonly Layer[], tanh: boolean): string {
  const first = activations[0]!;
  const last = activations.at(-1)!;
  const forward = change(first.deviation, last.deviation);
  const times = (a: number, b: number) => `${short(Math.max(a / b, b / a))} times`;
  const sentences = {
    vanish: "The activations vanish before the last layer.",
    shrink: `The activations shrink ${times(first.deviation, last.deviation)} from layer 1 to layer 10.`,
    stay: "The activations keep their spread through all ten layers.",
    grow: `The activations grow ${times(first.deviation, last.deviation)} from layer 1 to layer 10.`,
  };
  const saturated = `${Math.round(100 * last.saturated)} % of layer 10 is close to ±1, where tanh is flat and passes no gradient on.`;
  return [sentences[forward], ...(tanh && last.saturated > FLAT ? [saturated] : []), learning(gradients, forward)].join(
    " ",
  );
}

/** What the gradients mean for learning, given that those of the output are standard normal. */
function learning(gradients: readonly Layer[], forward: ReturnType<typeof change>): string {
  const first = gradients[0]!.deviation;
  const backward = change(gradients.at(-1)!.deviation, first);
  if (first < TINY) return "The gradients are next to nothing: the network learns nothing.";
  if (backward === "vanish" || backward === "shrink")
    return "The gradients shrink on the way back: the first layers hardly learn.";
  if (backward === "grow")
    return "The gradients grow on the way back: a step that suits the last layer is far too long for the first.";
  if (first > HUGE) return "The gradients are huge: every step is far too long.";
  return forward === "stay"
    ? "So do the gradients on the way back: every layer can learn."
    : "The gradients are of one size all the way back.";
}
