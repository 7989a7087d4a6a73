/**
 * `npm run bench:tfjs`: training steps of the networks of examples/tfjs on simdgrad, tfjs-wasm and tfjs-cpu. Each backend is
 * a process on the same core; they start from the same weights, their losses must be cpu's over the first steps to four digits, then
 * they take turns. Names of networks as arguments choose among them; --seconds N is how long the turns of each go on (10).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { parseArgs } from "node:util";
import { BACKENDS, type BackendName } from "../../examples/tfjs/backends.js";
import { MODELS, type ModelName } from "../../examples/tfjs/models.js";
import { median } from "../harness.js";
import { engineFlags, findEngine, pin, root, runNode } from "../launch.js";
import { processor } from "../machine.js";
import type { Reply, Request } from "./worker.js";

/** How long a turn takes about, in milliseconds. */
const TURN = 20;
/** Whose step takes longer than this, in milliseconds, is timed once: the others' rounds are not to wait for it. */
const SLOW = 1000;
const STEPS = 100;
/** Four digits. */
const TOLERANCE = 1e-4;

interface Entrant {
  readonly backend: BackendName;
  readonly child: ChildProcess;
}

async function start(backend: BackendName, engine: string, core: number | undefined): Promise<Entrant> {
  const worker = path.join(root, "bench/tfjs/worker.ts");
  const [command = "", ...args] = [...pin(core), engine, ...engineFlags(engine), "--import", "tsx", worker, backend];
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2, "ipc"] });
  await once(child, "message");
  return { backend, child };
}

async function ask({ child }: Entrant, request: Request): Promise<Reply> {
  child.send(request);
  const [reply] = (await once(child, "message")) as [Reply];
  return reply;
}

/** Prints a row for each backend that can train the network: best and median of a step, and how many times faster than it simdgrad is. */
async function compare(model: ModelName, entrants: readonly Entrant[], seconds: number): Promise<void> {
  const taking: { entrant: Entrant; samples: number[]; losses: number[] }[] = [];
  for (const entrant of entrants) {
    const { losses, error } = await ask(entrant, { model, steps: stepsOf(model, entrant.backend) });
    if (losses) taking.push({ entrant, samples: [], losses });
    else console.log(`| ${model} | ${entrant.backend} | ${error ?? ""} | | | |`);
  }
  const reference = taking.find(({ entrant }) => entrant.backend === "cpu")?.losses ?? [];
  const apart = taking.map(({ losses }) =>
    Math.max(...losses.slice(0, reference.length).map((loss, i) => Math.abs(loss / reference[i]! - 1))),
  );
  const wrong = taking.filter((_, i) => !(apart[i]! <= TOLERANCE)).map(({ entrant }) => entrant.backend);
  if (wrong.length > 0) throw new Error(`${model}: the losses of ${wrong.join(" and ")} are not those of cpu.`);
  const begin = performance.now();
  do {
    for (const { entrant, samples } of taking) {
      const last = samples.at(-1) ?? TURN;
      if (last > SLOW) continue;
      const { milliseconds = NaN } = await ask(entrant, { time: Math.max(1, Math.round(TURN / last)) });
      samples.push(milliseconds);
    }
  } while (performance.now() - begin < seconds * 1e3);
  const ours = taking.find(({ entrant }) => entrant.backend === "simdgrad");
  if (!ours) return;
  for (const [i, { entrant, samples }] of taking.entries()) {
    const [best, middle] = [Math.min(...samples), median(samples)];
    const ratio = `${(best / Math.min(...ours.samples)).toFixed(1)} (${(middle / median(ours.samples)).toFixed(1)})`;
    const agreement = `${apart[i]!.toExponential(0)} in ${reference.length} steps`;
    console.log(
      `| ${model} | ${entrant.backend} | ${best.toFixed(2)} | ${middle.toFixed(2)} | ${ratio} | ${agreement} |`,
    );
  }
}

/** How many losses are compared. A step of the embedding takes cpu seconds, since it compares every index with every word. */
const stepsOf = (model: ModelName, backend: BackendName): number =>
  model === "embedding" && backend === "cpu" ? 3 : STEPS;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "10" }, engine: { type: "string" }, core: { type: "string" } },
});
const names = Object.keys(MODELS) as ModelName[];
const chosen = positionals.length === 0 ? names : names.filter((name) => positionals.includes(name));
runNode("scripts/build.mjs");
const engine = findEngine(values.engine);
const entrants: Entrant[] = [];
for (const backend of BACKENDS)
  entrants.push(await start(backend, engine, values.core ? Number(values.core) : undefined));
console.log(`Training steps in ms, ${path.basename(path.dirname(path.dirname(engine)))}, one core of ${processor}.\n`);
console.log(
  "| network | backend | best | median | ÷ simdgrad best (median) | losses off cpu's |\n|---|---|---:|---:|---:|---|",
);
try {
  for (const model of chosen) await compare(model, entrants, Number(values.seconds));
} finally {
  for (const { child } of entrants) child.disconnect();
}
