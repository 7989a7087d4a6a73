/** The worker of the part "Look inside". */
import { expose } from "comlink";
import { loadRuntime } from "../runtime.js";
import type { ExpressionName } from "./drawnGraph.js";
import type { Experiment } from "./experiment.js";
import { evaluate } from "./expressions.js";
import { runTenLayers } from "./tenLayers.js";

const runtime = loadRuntime();

const inspector = {
  tenLayers: async (choice: Experiment) => runTenLayers(await runtime, choice),
  expression: async (name: ExpressionName, inputs: Record<string, number>) => evaluate(await runtime, name, inputs),
};

export type Inspector = typeof inspector;

expose(inspector);
