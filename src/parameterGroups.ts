/** Groups of parameters with a learning rate or penalties of their own, as torch.optim's param_groups. */
import * as check from "./check.js";
import { ArgumentError } from "./errors.js";
import type { Parameter, ParameterSlab } from "./parameters.js";
import type { Rate } from "./schedules.js";

/** Some of a model's parameters, and what their updates do differently. A parameter is in one group at most. */
export interface ParameterGroup {
  /** The parameters of these layers, by index; either this or `parameters`. */
  readonly layers?: readonly number[];
  /** Those for which this returns true: ({ name }) => name.endsWith("bias"). */
  readonly parameters?: (parameter: Parameter) => boolean;
  readonly learningRate?: Rate;
  /** On the group's weights, as the optimizer's own: biases, gamma and beta are left out. */
  readonly weightDecay?: number;
  readonly l1?: number;
}

/** By what parameters with these settings are updated. */
export interface GroupSettings {
  /** For messages: "groups[0].learningRate". */
  readonly name: string;
  /** Undefined where the optimizer's holds. */
  readonly learningRate: Rate | undefined;
  readonly weightDecay: number;
  readonly l1: number;
  /** What the learning rate is in this step. */
  rate: number;
}

/** The groups as the caller gave them, each checked. */
export function checkGroups(operation: string, given: readonly ParameterGroup[]): readonly ParameterGroup[] {
  if (!Array.isArray(given)) check.argument(operation, "groups", given, "an array of parameter groups");
  const groups: readonly ParameterGroup[] = given;
  groups.forEach((group, i) => {
    const name = `groups[${String(i)}]`;
    const { layers, parameters, learningRate, weightDecay, l1 } = check.options(operation, group, name);
    if ((layers === undefined) === (parameters === undefined)) {
      const came = layers === undefined ? "neither layers nor parameters" : "both layers and parameters";
      throw new ArgumentError(`${operation}: ${name} has ${came}; it needs one of them.`);
    }
    if (layers !== undefined) {
      if (!Array.isArray(layers)) check.argument(operation, `${name}.layers`, layers, "an array of layer numbers");
      for (const layer of layers as readonly number[]) check.integer(operation, `${name}.layers`, layer, 0);
    } else if (typeof parameters !== "function") {
      check.argument(operation, `${name}.parameters`, parameters, "a function of a parameter");
    }
    if (learningRate !== undefined && typeof learningRate !== "function") {
      check.rate(operation, `${name}.learningRate`, learningRate);
    }
    if (weightDecay !== undefined) check.rate(operation, `${name}.weightDecay`, weightDecay);
    if (l1 !== undefined) check.rate(operation, `${name}.l1`, l1);
  });
  return Object.freeze([...groups]);
}

/**
 * The settings of each parameter of a model. Penalties are for weights alone; where there are none, the settings of all of a
 * group's parameters are one object, so that one kernel call covers them.
 */
export function settingsOf(
  operation: string,
  { parameters }: ParameterSlab,
  groups: readonly ParameterGroup[],
  defaults: { readonly weightDecay: number; readonly l1: number },
): ReadonlyMap<Parameter, GroupSettings> {
  const places = parameters.map((parameter) => groupOf(operation, parameter, groups));
  groups.forEach((_, i) => {
    if (places.includes(i)) return;
    throw new ArgumentError(`${operation}: groups[${String(i)}] has none of the model's parameters; it needs one.`);
  });
  const settings = new Map<number, readonly [weights: GroupSettings, others: GroupSettings]>();
  for (const place of new Set(places)) {
    const { learningRate, weightDecay = defaults.weightDecay, l1 = defaults.l1 } = groups[place] ?? {};
    const name = place < 0 ? "learningRate" : `groups[${String(place)}].learningRate`;
    const weights = { name, learningRate, weightDecay, l1, rate: 0 };
    const penalised = weightDecay !== 0 || l1 !== 0;
    settings.set(place, [weights, penalised ? { ...weights, weightDecay: 0, l1: 0 } : weights]);
  }
  return new Map(
    parameters.map((parameter, i) => {
      const [weights, others] = settings.get(places[i] as number) as [GroupSettings, GroupSettings];
      return [parameter, parameter.decay ? weights : others];
    }),
  );
}

/** The place of the group that a parameter is in; −1 if in none. */
function groupOf(operation: string, parameter: Parameter, groups: readonly ParameterGroup[]): number {
  let found = -1;
  groups.forEach(({ layers, parameters }, i) => {
    if (!(layers?.includes(parameter.layer) ?? parameters?.(parameter))) return;
    if (found >= 0) {
      throw new ArgumentError(
        `${operation}: ${parameter.name} is in groups[${String(found)}] and groups[${String(i)}]; one group at most may have it.`,
      );
    }
    found = i;
  });
  return found;
}
