import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as ops from "../../src/index.js";
import { initSync } from "../../src/index.js";
import { scatterAddRows, transpose } from "../reference/data.js";
import { argmaxColumns, reduce, REDUCTIONS } from "../reference/reductions.js";
import { expectClose } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, skippable, throws, VARIANTS } from "./support.js";

for (const { variant, skip } of VARIANTS) {
  describe(`reductions, ${variant}`, () => {
    const it = skippable(skip);
    const runtime = skip ? (undefined as never) : runtimeOf(variant);
    const random = new Random(11);
    const shape = [2, 3, 4, 5];
    const x = random.integers(120, -9, 9);

    /** x as outer matrices of length × inner, the columns of each reduced. */
    function expected(kind: keyof typeof REDUCTIONS, axis: number): Float64Array {
      const product = (sizes: number[]) => sizes.reduce((all, length) => all * length, 1);
      const [outer, length, inner] = [product(shape.slice(0, axis)), shape[axis]!, product(shape.slice(axis + 1))];
      const blocks = Array.from({ length: outer }, (_, i) => {
        const block = x.slice(i * length * inner, (i + 1) * length * inner);
        return [...Array.from(reduce(kind, "columns", block, length, inner).values)];
      });
      return Float64Array.from(blocks.flat());
    }

    for (const kind of ["sum", "sumOfSquares", "max", "min"] as const) {
      it(`${kind} along every axis and over all`, () => {
        const tensor = runtime.tensor(x, shape);
        for (let axis = 0; axis < 4; axis++) {
          const values = expected(kind, axis);
          const y = ops[kind](tensor, { axis });
          assert.deepEqual(y.shape, shape.toSpliced(axis, 1));
          expectClose(`${kind} of axis ${String(axis)}`, "y", y.toArray(), { values, tolerance: { ulp: 0 } });
          const out = runtime.zeros(shape.with(axis, 1));
          assert.equal(ops[kind](tensor, { axis: axis - 4, keepDims: true, out }), out);
          assert.deepEqual(out.toArray(), y.toArray());
        }
        const { value } = REDUCTIONS[kind](Array.from(x));
        assert.deepEqual(Array.from(ops[kind](tensor).toArray()), [value]);
        assert.deepEqual(ops[kind](tensor, { keepDims: true }).shape, [1, 1, 1, 1]);
        assert.deepEqual(ops[kind](runtime.tensor(x), { axis: 0 }).shape, [1]);
      });
    }

    it("mean is the sum times 1 / n", () => {
      const tensor = runtime.tensor(x, shape);
      for (const axis of [0, 3, undefined]) {
        const { values, n } =
          axis === undefined
            ? { values: [REDUCTIONS.sum(Array.from(x)).value], n: 120 }
            : { values: expected("sum", axis), n: shape[axis]! };
        const means = Array.from(values, (value) => value / n);
        const y = ops.mean(tensor, axis === undefined ? {} : { axis }).toArray();
        expectClose("mean", "y", y, { values: means, magnitude: means.map(Math.abs), tolerance: { roundings: 2 } });
      }
    });

    it("sums of a million keep their bound", () => {
      const values = random.floats(1_000_000, 0, 1);
      const { value, magnitude } = REDUCTIONS.sum(Array.from(values));
      const tensor = runtime.tensor(values);
      const of = (roundings: number) => ({ values: [value], magnitude: [magnitude], tolerance: { roundings } });
      expectClose("sum", "y", ops.sum(tensor).toArray(), of(48));
      const column = runtime.tensor(values, [1_000_000, 1]);
      expectClose("columnSums", "y", ops.columnSums(column).toArray(), of(2500));
      tensor.dispose();
      column.dispose();
    });

    it("argmax along every axis", () => {
      const few = x.map((value, i) => (i % 37 === 5 ? NaN : value));
      const tensor = runtime.tensor(few, shape);
      const blocks = Array.from({ length: 6 }, (_, i) => argmaxColumns(few.slice(i * 20, i * 20 + 20), 4, 5));
      const values = blocks.flatMap((block) => Array.from(block));
      const index = ops.argmax(tensor, { axis: 2 });
      assert.deepEqual(index.shape, [2, 3, 5]);
      assert.deepEqual(Array.from(index.toArray()), values);
      assert.deepEqual(
        Array.from(ops.argmax(tensor, { axis: 0, keepDims: true }).toArray()),
        Array.from(argmaxColumns(few, 2, 60)),
      );
    });

    it("transpose and scatterAddRows", () => {
      const matrix = x.slice(0, 35);
      assert.deepEqual(
        Array.from(ops.transpose(runtime.tensor(matrix, [7, 5])).toArray()),
        Array.from(transpose(matrix, 7, 5)),
      );
      const ints = runtime.tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
      const turned = runtime.zeros([3, 2], "int32");
      assert.equal(ops.transpose(ints, { out: turned }), turned);
      assert.deepEqual(Array.from(turned.toArray()), [1, 4, 2, 5, 3, 6]);
      const [y, rows] = [random.floats(12), random.floats(15)];
      const index = Int32Array.of(2, 0, 2, 3, 2);
      const sums = runtime.tensor(y, [4, 3]);
      const result = ops.scatterAddRows(sums, runtime.tensor(rows, [5, 3]), runtime.tensor(index));
      assert.equal(result, sums);
      assert.deepEqual(result.toArray(), scatterAddRows(y, rows, index, 3));
    });
  });
}

describe("reductions and rows refuse", () => {
  const runtime = initSync({ variant: "strict" });
  const [a, v3] = [runtime.zeros([2, 3]), runtime.zeros([3])];
  const index = runtime.tensor(Int32Array.of(0, 2));

  test("axes that are not there", () => {
    const message = "sum: axis is 2; it must be an integer from -2 to 1.";
    refuses(runtime, () => ops.sum(a, { axis: 2 }), "ERR_ARGUMENT", message);
    throws(
      () => ops.argmax(v3, { axis: -2 }),
      "ERR_ARGUMENT",
      "argmax: axis is -2; it must be an integer from -1 to 0.",
    );
    throws(() => ops.max(a, { keepDims: 1 as never }), "ERR_ARGUMENT", "max: keepDims is 1; it must be true or false.");
  });

  test("an out that is no place for the result", () => {
    const message = "mean: out is 3 but must be 2: that is the result's shape.";
    refuses(runtime, () => ops.mean(a, { axis: 1, out: v3 }), "ERR_SHAPE", message);
    const row = new ops.Tensor(runtime, a.pointer, [3], "float32", false);
    const shared = "min: out shares memory with x; it must be apart from it.";
    refuses(runtime, () => ops.min(a, { axis: 0, out: row }), "ERR_ARGUMENT", shared);
    const square = runtime.zeros([3, 3]);
    const itself = "transpose: out shares memory with x; it must be apart from it.";
    refuses(runtime, () => ops.transpose(square, { out: square }), "ERR_ARGUMENT", itself);
  });

  test("rows that are not there, or do not fit", () => {
    const message = "scatterAddRows: index[1] is 2; it must be an integer from 0 to 1.";
    refuses(runtime, () => ops.scatterAddRows(a, a, index), "ERR_ARGUMENT", message);
    const wide = "scatterAddRows: x is 2×3 but must be 2×2: a row for each index, with y's columns.";
    const narrow = runtime.zeros([3, 2]);
    refuses(runtime, () => ops.scatterAddRows(narrow, a, index), "ERR_SHAPE", wide);
  });
});
