import assert from "node:assert/strict";
import { test } from "node:test";
import { average, breakDown, breakdownSpec, breakdownTable, partOf, timed } from "../../bench/breakdown.js";
import { trainingStep } from "../../bench/trainingStep.js";
import type { Kernels } from "../../src/index.js";

test("the strides of a product tell forward, dW and dX apart", () => {
  // A Dense 784 → 256 at batch 128: C, A, B, bias, m, n, k, rsC, csC, rsA, csA, rsB, csB.
  assert.equal(partOf("sgemm", [0, 0, 0, 0, 128, 256, 784, 256, 1, 784, 1, 1, 784]), "forward 784 → 256");
  assert.equal(partOf("sgemm", [0, 0, 0, 0, 256, 784, 128, 784, 1, 1, 256, 784, 1]), "dW 784 → 256");
  assert.equal(partOf("sgemm", [0, 0, 0, 0, 128, 784, 256, 784, 1, 256, 1, 784, 1]), "dX 784 → 256");
  assert.equal(partOf("softmaxCrossEntropy", []), "loss");
  assert.equal(partOf("adam", []), "adam");
});

test("each kernel call adds to its part what the clock went on", () => {
  const calls: number[][] = [];
  let time = 0;
  const sgd = (...args: number[]) => {
    calls.push(args);
    time += 5;
    return 7;
  };
  const parts = new Map<string, number>();
  const { sgd: run } = timed({ sgd } as unknown as Kernels, parts, () => time) as unknown as { sgd: typeof sgd };
  assert.equal(run(1, 2), 7);
  run(3);
  assert.deepEqual(calls, [[1, 2], [3]]);
  assert.deepEqual([...parts], [["optimizer", 0.01]]);
});

test("the fastest tenth of the steps counts, and parts and rest make up the whole", () => {
  const step = (total: number, a: number) => ({ total, parts: new Map([["a", a]]) });
  const steps = [step(4, 1), step(2, 1), ...Array.from({ length: 18 }, () => step(100, 50))];
  assert.deepEqual(average(steps), [
    { name: "a", seconds: 1 },
    { name: "rest", seconds: 2 },
  ]);
});

test("a training step falls into its parts, in their order", () => {
  const { parts } = breakDown(trainingStep(8), "strict", 0.05);
  assert.deepEqual(
    parts.map(({ name }) => name),
    [
      ...["forward 784 → 256", "batch norm forward", "forward 256 → 256", "forward 256 → 10", "loss"],
      ...["dW 256 → 10", "bias gradients", "dX 256 → 10", "batch norm backward", "dW 256 → 256", "dX 256 → 256"],
      ...["dW 784 → 256", "optimizer", "rest"],
    ],
  );
  assert.ok(parts.every(({ seconds }) => seconds > 0));
});

const breakdown = {
  case: "step b8",
  parts: [
    { name: "loss", seconds: 0.003 },
    { name: "rest", seconds: 0.001 },
  ],
};

test("a table of parts ends with their sum", () => {
  const lines = breakdownTable(breakdown, "table").split("\n");
  assert.deepEqual(lines.slice(2), [
    "part    ms    share",
    "loss  3.00   75.0 %",
    "rest  1.00   25.0 %",
    "all   4.00  100.0 %",
  ]);
});

test("the bar has each part in order", () => {
  const spec = JSON.stringify(breakdownSpec([breakdown], "here"));
  assert.ok(spec.includes('{"case":"step b8","part":"loss","order":0,"ms":3}'), spec);
  assert.ok(spec.includes('"domain":["loss","rest"]'), spec);
});
