/** Apart from fit.test.ts, since it replaces what only Node has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Adam, Dense, initSync, Sequential } from "../../src/index.js";
import { Random } from "../support/random.js";

const x = new Random(1).floats(600);
const labels = Uint8Array.from({ length: 300 }, (_, i) => i % 3);

test("gives the event loop its turn every 16 ms, or after each step that is longer", async (t) => {
  const runtime = initSync({ variant: "strict" });
  for (const [milliseconds, steps] of [
    [1, 15],
    [5, 3],
    [40, 1],
  ] as const) {
    // A clock on which each step, which looks at it once, takes so long.
    let now = 0;
    let resumed = 0;
    let turns = 0;
    const waits: number[] = [];
    t.mock.method(performance, "now", () => (now += milliseconds));
    t.mock.method(globalThis, "setImmediate", (callback: () => void) => {
      turns++;
      waits.push(now - resumed);
      resumed = now + milliseconds;
      queueMicrotask(callback);
    });
    const model = new Sequential(runtime, [new Dense(2, 3)]);
    await model.fit(x, labels, {
      loss: "softmaxCrossEntropy",
      optimizer: new Adam(),
      batchSize: 3,
      validationSplit: 0.5,
    });
    t.mock.restoreAll();
    // The first wait has no start, and the end of the epoch looks at the clock once more.
    const long = waits.slice(1).filter((wait) => wait > Math.max(16, milliseconds));
    assert.ok(long.length <= 1 && long.every((wait) => wait <= 2 * milliseconds), `${String(long)} ms`);
    assert.ok(turns >= Math.floor(50 / steps), `${String(turns)} turns`);
  }
});
