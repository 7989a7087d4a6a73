import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { initSync, Sequential } from "../../src/index.js";
import { layersOf } from "../../site/train/network.js";
import { decodeWeights, encodeWeights, readMetadata } from "../../site/train/safetensors.js";

const runtime = initSync();
const architecture = { hidden: [7, 5], activation: "tanh", batchNorm: true, dropout: 0.1 } as const;

/** 3 → 7 → 5 → 2, with weights by this seed. */
const network = (seed: number, options: Partial<typeof architecture> = {}) =>
  new Sequential(runtime, layersOf(3, 2, { ...architecture, ...options }), { seed });

const numbers = (model: Sequential) =>
  [...model.parameters, ...model.states].map(({ name, value }) => [name, [...value.toArray()]]);

describe("weights", () => {
  test("survive a file, with what it says about them", () => {
    const from = network(1);
    from.forward(
      Float32Array.from({ length: 12 }, (_, i) => i),
      { training: true },
    ); // moves the running statistics
    const file = encodeWeights(from, { choices: "as they were" });
    const to = network(2);
    assert.notDeepEqual(numbers(to), numbers(from));
    decodeWeights(file, to);
    assert.deepEqual(numbers(to), numbers(from));
    assert.deepEqual(readMetadata(file), { choices: "as they were" });
  });

  test("lie in the file as the safetensors format says", () => {
    const model = network(1);
    const file = encodeWeights(model, {});
    const length = Number(new DataView(file).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, length))) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    assert.equal((8 + length) % 8, 0);
    let end = 0;
    for (const { name, value } of [...model.parameters, ...model.states]) {
      const { dtype, shape, data_offsets: offsets } = header[name]!;
      assert.deepEqual(
        { dtype, shape, offsets },
        { dtype: "F32", shape: value.shape, offsets: [end, end + 4 * value.size] },
      );
      const stored = new Float32Array(file.slice(8 + length + offsets[0], 8 + length + offsets[1]));
      assert.deepEqual([...stored], [...value.toArray()], name);
      end = offsets[1];
    }
    assert.equal(file.byteLength, 8 + length + end, "nothing between or behind the tensors");
  });

  test("of another network are refused, and nothing changes", () => {
    const file = encodeWeights(network(1, { batchNorm: false } as never), {});
    const to = network(2);
    const before = numbers(to);
    assert.throws(() => decodeWeights(file, to), /The file has no 1\.gamma of 7 float32 numbers/);
    assert.throws(() => decodeWeights(encodeWeights(to, {}).slice(0, -4), to), /which this network needs/);
    assert.throws(() => decodeWeights(new ArrayBuffer(3), to), /not in the safetensors format/);
    assert.throws(() => decodeWeights(new TextEncoder().encode("no weights at all").buffer, to), /safetensors/);
    assert.deepEqual(numbers(to), before);
  });
});
