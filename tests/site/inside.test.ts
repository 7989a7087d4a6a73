import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { initSync } from "../../src/index.js";
import { short } from "../../site/elements.js";
import { verdict } from "../../site/inside/experiment.js";
import { evaluate } from "../../site/inside/expressions.js";
import { runTenLayers } from "../../site/inside/tenLayers.js";

const runtime = initSync({ variant: "strict" });

describe("the ten-layer experiment", () => {
  const run = (
    initialization: Parameters<typeof runTenLayers>[1]["initialization"],
    activation: "relu" | "tanh",
    batchNorm = false,
  ) => {
    const { activations, gradients } = runTenLayers(runtime, { initialization, activation, batchNorm });
    return { activations, gradients, text: verdict(activations, gradients, activation === "tanh") };
  };

  test("small weights fade, large ones explode or saturate, He's keep the spread, as the lecture shows", () => {
    assert.match(run("small", "relu").text, /activations shrink .* learns nothing/);
    assert.match(run("large", "relu").text, /activations grow .* times.* huge/);
    assert.match(run("large", "tanh").text, /close to ±1/);
    assert.match(run("he", "relu").text, /keep their spread .* every layer can learn/);
    assert.match(run("xavier", "relu").text, /activations shrink/);
    assert.match(run("xavier", "tanh").text, /keep their spread/);
    assert.match(run("randomWalk", "relu").text, /keep their spread .* every layer can learn/);
  });

  test("LSUV gives what each layer sums up the variance 1, whatever follows it", () => {
    // ReLU of a standard normal has the deviation √(½ − 1/2π).
    for (const { deviation } of run("lsuv", "relu").activations) {
      assert.ok(Math.abs(deviation - Math.sqrt(0.5 - 1 / (2 * Math.PI))) < 0.06, String(deviation));
    }
    for (const { deviation, saturated } of run("lsuv", "tanh").activations) {
      assert.ok(deviation > 0.55 && deviation < 0.7 && saturated < 0.1, `${deviation}, ${saturated}`);
    }
  });

  test("batch normalization mends small and large weights", () => {
    for (const initialization of ["small", "large"] as const) {
      const { activations } = run(initialization, "relu", true);
      for (const { deviation } of activations) assert.ok(deviation > 0.5 && deviation < 0.7, String(deviation));
    }
  });

  test("histograms hold every value of ten layers", () => {
    for (const layers of [run("he", "relu"), run("glorot", "tanh"), run("orthonormal", "tanh")]) {
      for (const kind of ["activations", "gradients"] as const) {
        assert.equal(layers[kind].length, 10);
        for (const { shares, low, high } of layers[kind]) {
          assert.ok(low < high);
          assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
        }
      }
    }
  });

  test("leaves no tensor behind", () => {
    const before = runtime.statistics.bytesInUse;
    run("he", "relu", true);
    run("lsuv", "tanh", true);
    assert.equal(runtime.statistics.bytesInUse, before);
  });
});

describe("the graph of an expression", () => {
  test("f = (x + y) · max(y, z): addition distributes, multiplication switches, the maximum routes", () => {
    const { nodes, edges } = evaluate(runtime, "gates", { x: 3, y: -1, z: 2 });
    assert.deepEqual(
      nodes.map(({ name, value }) => [name, value]),
      [
        ["x", 3],
        ["y", -1],
        ["z", 2],
        ["sum", 2],
        ["larger", 2],
        ["f", 4],
      ],
    );
    assert.deepEqual(
      edges.map(({ from, to, gradient }) => [from, to, gradient]),
      [
        ["x", "sum", 2],
        ["y", "sum", 2],
        ["y", "larger", 0],
        ["z", "larger", 2],
        ["sum", "f", 2],
        ["larger", "f", 2],
      ],
    );
  });

  test("softplus has the derivative exp(x) / (1 + exp(x)), and a dead ReLU passes nothing on", () => {
    const [edge] = evaluate(runtime, "softplus", { x: 0.5 }).edges;
    assert.ok(Math.abs(edge!.gradient - Math.exp(0.5) / (1 + Math.exp(0.5))) < 1e-6);
    const { edges } = evaluate(runtime, "neuron", { w: -1.5, x: 2, b: -1, z: 1 });
    assert.equal(edges.find(({ from }) => from === "w")!.gradient, 0);
    assert.equal(edges.find(({ from }) => from === "z")!.gradient, 2);
  });

  test("numbers are short", () => {
    assert.deepEqual([0, 4, -1.5, 0.00614, 12345, 96_000, 2.4e-10].map(short), [
      "0",
      "4",
      "−1.5",
      "0.0061",
      "1 × 10⁴",
      "1 × 10⁵",
      "2 × 10⁻¹⁰",
    ]);
  });
});
