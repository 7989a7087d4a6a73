/** `npm run example:tfjs`: trains a network with TensorFlow.js on a backend of choice, and prints time and loss. */
import { parseArgs } from "node:util";
import { BACKENDS, startBackend, type BackendName } from "./backends.js";
import { makeModel, MODELS, type ModelName } from "./models.js";

const HELP = `Trains a network with TensorFlow.js.

    npm run example:tfjs -- [network] [options]

    network          ${Object.keys(MODELS).join(", ")} (dense)
    --backend NAME   ${BACKENDS.join(", ")} (simdgrad)
    --steps N        how many steps to train (100)
    --help           this text
`;

function readArguments(): { name: ModelName; backend: BackendName; steps: number; help: boolean } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: "string", default: "simdgrad" },
      steps: { type: "string", default: "100" },
      help: { type: "boolean", default: false },
    },
  });
  const [name = "dense"] = positionals;
  const backend = BACKENDS.find((known) => known === values.backend);
  const steps = Number(values.steps);
  if (!(name in MODELS)) throw new Error(`There is no network "${name}", only ${Object.keys(MODELS).join(", ")}.`);
  if (!backend) throw new Error(`There is no backend "${values.backend}", only ${BACKENDS.join(", ")}.`);
  if (!(Number.isInteger(steps) && steps > 0)) throw new Error(`--steps is a whole number, not "${values.steps}".`);
  return { name: name as ModelName, backend, steps, help: values.help };
}

async function train(name: ModelName, backend: BackendName, steps: number): Promise<void> {
  await startBackend(backend);
  const { model, x, y } = makeModel(name);
  const times: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const begin = performance.now();
    const loss = (await model.trainOnBatch(x, y)) as number;
    times.push(performance.now() - begin);
    if (step !== 1 && step !== steps && step % Math.ceil(steps / 10) !== 0) continue;
    const [median = NaN] = times.toSorted((a, b) => a - b).slice(times.length >> 1);
    console.log(`${name} on ${backend}  step ${step}  loss ${loss.toFixed(4)}  ${median.toFixed(2)} ms/step`);
  }
}

try {
  const { name, backend, steps, help } = readArguments();
  if (help) console.log(HELP);
  else await train(name, backend, steps);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
