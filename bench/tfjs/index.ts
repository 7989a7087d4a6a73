/**
 * `npm run bench:tfjs`: training steps of the networks of examples/tfjs, and `npm run bench:tfjs -- calls` tiny calls, on simdgrad,
 * tfjs-wasm and tfjs-cpu. Each backend is a process on the same core; losses of the first steps, from the same weights, must be
 * cpu's to four digits, and results of calls cpu's; then they take turns. Names of networks or of calls as arguments choose among
 * them; --seconds N is how long the turns of each go on (10; 1 for a call).
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { BACKENDS, type BackendName } from "../../examples/tfjs/backends.js";
import { MODELS, type ModelName } from "../../examples/tfjs/models.js";
import { findEngine, runNode } from "../launch.js";
import { processor } from "../machine.js";
import { CALL_NAMES, type CallName } from "./calls.js";
import { compete, start, type Contest, type Outcome } from "./rounds.js";

const STEPS = 100;
/** Four digits. */
const LOSS_TOLERANCE = 1e-4;
/** Some roundings of sums of a few elements of size 1, and of the two polynomials for exp. */
const CALL_TOLERANCE = 1e-5;

/** The steps whose losses are compared. One of the embedding takes cpu seconds, since it compares every index with every word. */
const stepsOf = (model: ModelName, backend: BackendName): number =>
  model === "embedding" && backend === "cpu" ? 3 : STEPS;

const network = (model: ModelName, seconds = 10): Contest => ({
  name: model,
  request: (backend) => ({ model, steps: stepsOf(model, backend) }),
  tolerance: (loss) => LOSS_TOLERANCE * Math.abs(loss),
  turn: 20,
  seconds,
});

const call = (name: CallName, seconds = 1): Contest => ({
  name,
  request: () => ({ call: name }),
  tolerance: (value) => CALL_TOLERANCE * (1 + Math.abs(value)),
  turn: 5,
  seconds,
});

/** A row for each backend that can train a network: best and median of a step in ms, and how many times simdgrad's they are. */
function networkRows(name: string, outcomes: readonly Outcome[]): string[] {
  const ours = outcomes.find(({ backend }) => backend === "simdgrad");
  return outcomes.map(({ backend, error, best, median, apart, compared }) => {
    if (error !== undefined) return `| ${name} | ${backend} | ${error} | | | |`;
    const ratio = `${(best / (ours?.best ?? NaN)).toFixed(1)} (${(median / (ours?.median ?? NaN)).toFixed(1)})`;
    const agreement = `${apart.toExponential(0)} in ${compared} steps`;
    return `| ${name} | ${backend} | ${best.toFixed(2)} | ${median.toFixed(2)} | ${ratio} | ${agreement} |`;
  });
}

/** A row for a call: best and median of each backend in µs. */
function callRow(name: string, outcomes: readonly Outcome[]): string {
  const cells = outcomes.map(({ error, best, median }) =>
    error === undefined ? `${(best * 1e3).toFixed(2)} (${(median * 1e3).toFixed(2)})` : error,
  );
  return `| ${name} | ${cells.join(" | ")} |`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string" }, engine: { type: "string" }, core: { type: "string" } },
});
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
const models = Object.keys(MODELS) as ModelName[];
const chosenCalls = CALL_NAMES.filter((name) => positionals.includes("calls") || positionals.includes(name));
const chosenModels = models.filter((name) => positionals.length === 0 || positionals.includes(name));
runNode("scripts/build.mjs");
const engine = findEngine(values.engine);
const entrants = [];
for (const backend of BACKENDS)
  entrants.push(await start(backend, engine, values.core ? Number(values.core) : undefined));
const where = `${path.basename(path.dirname(path.dirname(engine)))}, one core of ${processor}`;
try {
  if (chosenModels.length > 0) {
    console.log(`Training steps in ms, ${where}.\n`);
    console.log("| network | backend | best | median | ÷ simdgrad best (median) | losses off cpu's |");
    console.log("|---|---|---:|---:|---:|---|");
  }
  for (const model of chosenModels) {
    for (const row of networkRows(model, await compete(network(model, seconds), entrants))) console.log(row);
  }
  if (chosenCalls.length > 0) {
    console.log(`Calls on tensors of 4×4, best (median) in µs, ${where}.\n`);
    console.log(`| call | ${BACKENDS.join(" | ")} |\n|---|${"---:|".repeat(BACKENDS.length)}`);
  }
  for (const name of chosenCalls) {
    console.log(callRow(name, await compete(call(name, seconds), entrants)));
  }
} finally {
  for (const { child } of entrants) child.disconnect();
}
