import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Adam, BatchNorm, Dense, initSync, Relu, Sequential, Tanh } from "../../src/index.js";
import { Random } from "../support/random.js";
import { skippable, VARIANTS } from "./support.js";

// When and how well an engine optimises depends on how busy the machine is. Code that it never optimises boxes the same
// numbers in every step, so that bytes can be counted.
setFlagsFromString("--no-opt");
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What boxed numbers take in a step: 880 bytes on Node 20, 176 on Node 24. One typed array more is over the bound. */
const BOXED_NUMBERS = Number(process.versions.node.split(".")[0]) < 24 ? 920 : 220;

/** Bytes that a call leaves on the JavaScript heap: the least of several rounds, since the engine itself allocates. */
function bytesPerCall(work: () => void): number {
  const calls = 500;
  let least = Infinity;
  for (let round = 0; round < 10; round++) {
    collectGarbage();
    const { heapUsed } = process.memoryUsage();
    for (let i = 0; i < calls; i++) work();
    least = Math.min(least, (process.memoryUsage().heapUsed - heapUsed) / calls);
  }
  return least;
}

for (const { variant, skip } of VARIANTS) {
  skippable(skip)(`ten thousand training steps allocate nothing, ${variant}`, () => {
    const runtime = initSync({ variant });
    const layers = [new Dense(20, 32), new BatchNorm(32), new Relu(), new Dense(32, 16), new Tanh(), new Dense(16, 4)];
    const model = new Sequential(runtime, layers, { maxBatch: 32 });
    const options = { loss: "softmaxCrossEntropy", optimizer: new Adam() } as const;
    const random = new Random(9);
    const x = random.floats(32 * 20);
    const labels = Uint8Array.from({ length: 32 }, () => random.integer(0, 3));
    const shortX = x.subarray(0, 7 * 20);
    const shortLabels = labels.subarray(0, 7);
    const twoSteps = () => {
      model.trainBatch(x, labels, options);
      model.trainBatch(shortX, shortLabels, options);
    };
    twoSteps();
    const before = runtime.statistics;
    const { buffer } = runtime.memory;
    const bytes = bytesPerCall(twoSteps) / 2;
    assert.deepEqual(runtime.statistics, before);
    assert.equal(runtime.memory.buffer, buffer);
    assert.ok(bytes < BOXED_NUMBERS, `${String(bytes)} bytes a step`);
    model.dispose();
    assert.equal(runtime.statistics.bytesInUse, 0);
  });
}
