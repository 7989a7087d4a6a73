/** The command line of the example. */
import { parseArgs } from "node:util";

export const HELP = `Trains a network of 784-256-256-10 with batch norm and ReLU to read handwritten digits (MNIST).

    npm start [-- options]

    --epochs N             how often to go through the 60,000 images (5)
    --batch N              images a step (128)
    --learning-rate R      of Adam in the first epoch; each epoch takes half of the last one's (0.002)
    --seed N               of the initial weights and the order of the images (1)
    --variant strict|relaxed   strict gives the same bits everywhere; by default the faster one on this engine
    --json                 end with one line of JSON instead of tables
    --help                 this text
`;

export interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly variant: "strict" | "relaxed" | "auto";
  readonly json: boolean;
  readonly help: boolean;
}

/** Reads the arguments; throws an Error that explains itself to the person who typed them. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      epochs: { type: "string", default: "5" },
      batch: { type: "string", default: "128" },
      "learning-rate": { type: "string", default: "0.002" },
      seed: { type: "string", default: "1" },
      variant: { type: "string", default: "auto" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { variant, json, help } = values;
  if (variant !== "strict" && variant !== "relaxed" && variant !== "auto") {
    throw new Error(`--variant is strict or relaxed, not "${variant}".`);
  }
  const learningRate = Number(values["learning-rate"]);
  if (!(learningRate > 0 && learningRate < Infinity)) {
    throw new Error(`--learning-rate is a positive number, not "${values["learning-rate"]}".`);
  }
  return {
    epochs: wholeNumber("--epochs", values.epochs, 1),
    batch: wholeNumber("--batch", values.batch, 2, 60_000), // batch norm of one image would leave nothing of it
    learningRate,
    seed: wholeNumber("--seed", values.seed, 0),
    variant,
    json,
    help,
  };
}

function wholeNumber(name: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new Error(`${name} is a whole number ${range}, not "${text}".`);
}
