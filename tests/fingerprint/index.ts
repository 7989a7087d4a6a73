/**
 * `npm run fingerprint`: trains the network of train.ts on real MNIST and prints the SHA-256 of its parameters.
 *
 *     npm run fingerprint -- --seed 7 --steps 50     other initial weights, order and dropout; fewer steps
 *     npm run fingerprint -- --record                writes recorded.json: after a change that is meant to change bits
 *
 * Without options, or with those that are recorded, it fails when the digest is another than the recorded one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadMnist } from "../../examples/mnist/data.js";
import { fingerprint, joinExamples, splitExamples } from "./train.js";

const RECORDED = new URL("recorded.json", import.meta.url);

interface Recorded {
  readonly seed: number;
  readonly steps: number;
  readonly sha256: string;
}

function integer(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is ${text}; it must be an integer from 0.`);
  return value;
}

try {
  const { values } = parseArgs({
    options: { seed: { type: "string" }, steps: { type: "string" }, record: { type: "boolean" } },
  });
  const recorded = JSON.parse(readFileSync(RECORDED, "utf8")) as Recorded;
  const seed = integer("seed", values.seed ?? String(recorded.seed));
  const steps = integer("steps", values.steps ?? String(recorded.steps));
  const sha256 = await fingerprint(splitExamples(joinExamples(loadMnist().train)), seed, steps);
  console.log(sha256);
  if (values.record) {
    writeFileSync(RECORDED, `${JSON.stringify({ seed, steps, sha256 }, null, 2)}\n`);
  } else if (seed === recorded.seed && steps === recorded.steps && sha256 !== recorded.sha256) {
    throw new Error(`recorded is ${recorded.sha256}; --record takes the new one if bits were meant to change.`);
  }
} catch (error) {
  console.error(`fingerprint: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
