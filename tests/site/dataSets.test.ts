import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { initSync } from "../../src/index.js";
import { DATA_SETS } from "../../site/train/choices.js";
import { EXTENT, GRID, PIXELS } from "../../site/train/dataSet.js";
import { joinPart, partNames, splitPart } from "../../site/train/mnistParts.js";
import { ToySet } from "../../site/train/toys.js";

const runtime = initSync({ variant: "strict" });

describe("toy sets", () => {
  for (const name of DATA_SETS) {
    if (name === "mnist") continue;
    test(`${name}: balanced, inside the picture, the same for the same seed, and separable`, async () => {
      const set = new ToySet(runtime, name, 3);
      const { x, labels } = await set.train();
      assert.equal(labels.length, set.total);
      assert.equal(x.length, 2 * set.total);
      for (let label = 0; label < set.classes; label++) {
        const share = labels.filter((other) => other === label).length / labels.length;
        assert.ok(Math.abs(share - 1 / set.classes) < 0.05, `class ${label} has ${share} of all`);
      }
      assert.ok(x.every((value) => Math.abs(value) < EXTENT));
      assert.deepEqual((await new ToySet(runtime, name, 3).train()).x, x);
      assert.notDeepEqual((await new ToySet(runtime, name, 4).train()).x, x);
      // The nearest training example knows the class of a test example: the classes do not lie on top of each other.
      const test = await set.test();
      const hits = test.labels.filter((label, i) => {
        const distance = (j: number) => (x[2 * j]! - test.x[2 * i]!) ** 2 + (x[2 * j + 1]! - test.x[2 * i + 1]!) ** 2;
        let nearest = 0;
        for (let j = 1; j < labels.length; j++) if (distance(j) < distance(nearest)) nearest = j;
        return labels[nearest] === label;
      });
      assert.ok(hits.length / test.labels.length > 0.93, `${hits.length} of ${test.labels.length}`);
    });
  }

  test("are shown on a grid from the top left to the bottom right", async () => {
    const { x } = await new ToySet(runtime, "moons", 1).shown;
    assert.equal(x.length, 2 * GRID * GRID);
    const half = EXTENT / GRID;
    assert.deepEqual([...x.subarray(0, 2)], [-EXTENT + half, EXTENT - half].map(Math.fround));
    assert.deepEqual([...x.subarray(-2)], [EXTENT - half, -EXTENT + half].map(Math.fround));
  });
});

describe("parts of MNIST", () => {
  test("hold every image once", () => {
    const names = partNames("train", 5000);
    assert.deepEqual(names, ["mnist/train-00.bin", "mnist/train-01.bin"]);
    const labels = Uint8Array.from({ length: 5000 }, (_, i) => i % 10);
    const x = Uint8Array.from({ length: 5000 * PIXELS }, (_, i) => i % 251);
    const parts = names.map((_, part) => splitPart(joinPart({ x, labels }, part)));
    assert.deepEqual(
      parts.flatMap((part) => [...part.labels]),
      [...labels],
    );
    assert.ok(Buffer.from(x).equals(Buffer.concat(parts.map((part) => part.x as Uint8Array))));
    assert.equal(
      parts.reduce((sum, { count }) => sum + count, 0),
      5000,
    );
  });
});
