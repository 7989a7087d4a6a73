/** Strict training gives the recorded bits, whatever engine and processor run it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchBytes } from "../../src/runtime/fetch.js";
import recorded from "../fingerprint/recorded.json" with { type: "json" };
import { fingerprint, splitExamples } from "../fingerprint/train.js";

const examples = splitExamples(await fetchBytes("fingerprint", new URL("mnist.bin", import.meta.url).href));

test(`${recorded.steps} strict steps on MNIST from seed ${recorded.seed} give the recorded SHA-256`, async () => {
  assert.equal(await fingerprint(examples, recorded.seed, recorded.steps), recorded.sha256);
});

test("the seed has a part in it, and the number of steps", async () => {
  const [one, two, three] = [
    await fingerprint(examples, 1, 1),
    await fingerprint(examples, 2, 1),
    await fingerprint(examples, 1, 2),
  ];
  assert.equal(new Set([one, two, three]).size, 3);
});
