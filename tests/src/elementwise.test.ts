import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as ops from "../../src/index.js";
import { initSync, type Operand, type OutOption, type Tensor } from "../../src/index.js";
import { BINARY, broadcast, select } from "../reference/elementwise.js";
import { expectClose } from "../support/compare.js";
import { mixed, Random } from "../support/random.js";
import { refuses, runtimeOf, skippable, throws, VARIANTS } from "./support.js";

type Binary = (x: Operand, y: Operand, options?: OutOption) => Tensor;
type Reference = (x: number, y: number) => number;

const FUNCTIONS: [name: string, run: Binary, reference: Reference][] = [
  ["add", ops.add, (x, y) => x + y],
  ["add alpha", (x, y, o) => ops.add(x, y, { ...o, alpha: 2 }), (x, y) => x + 2 * y],
  ["subtract", ops.subtract, (x, y) => x - y],
  ["axpy", (x, y, o) => ops.axpy(-0.5, x, y, o), (x, y) => -0.5 * x + y],
  ["multiply", ops.multiply, BINARY.multiply.reference],
  ["divide", ops.divide, BINARY.divide.reference],
  ["minimum", ops.minimum, BINARY.minimum.reference],
  ["maximum", ops.maximum, BINARY.maximum.reference],
  ["equal", ops.equal, BINARY.equal.reference],
  ["notEqual", ops.notEqual, BINARY.notEqual.reference],
  ["less", ops.less, BINARY.less.reference],
  ["lessEqual", ops.lessEqual, BINARY.lessEqual.reference],
  ["greater", ops.greater, (x, y) => (x > y ? 1 : 0)],
  ["greaterEqual", ops.greaterEqual, (x, y) => (x >= y ? 1 : 0)],
];

/** Shapes of x and y, and the one that both broadcast to. */
const SHAPES: [x: number[], y: number[], z: number[]][] = [
  [[1], [1], [1]],
  [[13], [13], [13]],
  [
    [4, 9],
    [4, 9],
    [4, 9],
  ],
  [[4, 9], [9], [4, 9]],
  [
    [4, 1],
    [4, 9],
    [4, 9],
  ],
  [
    [4, 1],
    [1, 9],
    [4, 9],
  ],
  [[1, 1, 1], [5], [1, 1, 5]],
  [
    [2, 1, 3, 1],
    [4, 1, 5],
    [2, 4, 3, 5],
  ],
  [
    [2, 3, 1, 2, 1],
    [1, 3, 4, 1, 3],
    [2, 3, 4, 2, 3],
  ],
  [
    [3, 2, 2, 9],
    [3, 1, 1, 9],
    [3, 2, 2, 9],
  ],
];

for (const { variant, skip } of VARIANTS) {
  describe(`elementwise functions, ${variant}`, () => {
    const it = skippable(skip);
    const runtime = skip ? (undefined as never) : runtimeOf(variant);
    const random = new Random(7);
    const sizeOf = (shape: number[]) => shape.reduce((product, length) => product * length, 1);

    for (const [name, run, reference] of FUNCTIONS) {
      it(`${name} broadcasts`, () => {
        for (const [xShape, yShape, shape] of SHAPES) {
          // Halves, so that sums are exact, in every order of operands, and equal ones are frequent.
          const [xs, ys] = [xShape, yShape].map((own) => random.integers(sizeOf(own), -3, 3).map((v) => v / 2));
          const values = broadcast(
            shape,
            [
              { shape: xShape, values: xs! },
              { shape: yShape, values: ys! },
            ],
            reference,
          );
          const [x, y] = [runtime.tensor(xs!, xShape), runtime.tensor(ys!, yShape)];
          const z = run(x, y);
          assert.deepEqual(z.shape, shape);
          const context = `${name} of ${xShape.join("×")} and ${yShape.join("×")}`;
          expectClose(context, "z", z.toArray(), { values, tolerance: "exact" });
          for (const operand of [x, y]) {
            if (operand.shape.length !== shape.length || operand.size !== z.size) continue;
            const before = operand.toArray();
            assert.equal(run(x, y, { out: operand }), operand);
            expectClose(context, "z in place", operand.toArray(), { values, tolerance: "exact" });
            operand.from(before);
          }
        }
      });
    }

    it("numbers take part as operands", () => {
      const x = mixed(random, 21);
      const tensor = runtime.tensor(x, [3, 7]);
      for (const [name, run, reference] of FUNCTIONS.filter(([name]) => name !== "add alpha" && name !== "axpy")) {
        const right = { values: x.map((value) => reference(value, -1.5)), tolerance: "exact" as const };
        expectClose(name, "f(x, number)", run(tensor, -1.5).toArray(), right);
        const left = { values: x.map((value) => reference(2, value)), tolerance: "exact" as const };
        expectClose(name, "f(number, x)", run(2, tensor).toArray(), left);
      }
    });

    it("select broadcasts", () => {
      const condition = random.integers(4, -1, 1);
      const [x, y] = [random.floats(12), random.floats(3)];
      const inputs = [
        { shape: [4, 1], values: condition },
        { shape: [4, 3], values: x },
        { shape: [3], values: y },
      ];
      const [c, tx, ty] = inputs.map(({ shape, values }) => runtime.tensor(values, shape)) as [Tensor, Tensor, Tensor];
      const values = broadcast([4, 3], inputs, select);
      expectClose("select", "z", ops.select(c, tx, ty).toArray(), { values, tolerance: "exact" });
      const zeros = broadcast([4, 3], [inputs[0]!, inputs[1]!], (chosen, value) => (chosen === 0 ? 0 : value));
      assert.equal(ops.select(c, tx, 0, { out: tx }), tx);
      expectClose("select", "in place", tx.toArray(), { values: zeros, tolerance: "exact" });
    });

    it("functions of one tensor", () => {
      const values = mixed(random, 37);
      const functions: [name: string, run: (x: Tensor, o?: OutOption) => Tensor, reference: (x: number) => number][] = [
        ["scale", (x, o) => ops.scale(x, -0.25, o), (x) => -0.25 * x],
        ["negate", ops.negate, (x) => -x],
        ["clip", (x, o) => ops.clip(x, -1, Infinity, o), (x) => (x < -1 ? -1 : x)],
        ["abs", ops.abs, Math.abs],
        ["sign", ops.sign, Math.sign],
        ["sqrt", ops.sqrt, Math.sqrt],
        ["square", ops.square, (x) => x * x],
        ["reciprocal", ops.reciprocal, (x) => 1 / x],
      ];
      for (const [name, run, reference] of functions) {
        const x = runtime.tensor(values);
        const expected = { values: Float64Array.from(values, reference), tolerance: "exact" as const };
        expectClose(name, "y", run(x).toArray(), expected);
        assert.equal(run(x, { out: x }), x);
        expectClose(name, "y in place", x.toArray(), expected);
      }
    });
  });
}

describe("elementwise functions refuse", () => {
  const runtime = initSync({ variant: "strict" });
  const [a, b, v3] = [runtime.zeros([2, 3]), runtime.zeros([4, 3]), runtime.zeros([3])];

  test("shapes that do not broadcast", () => {
    const rule = "counted from the last, sizes must be equal or 1.";
    refuses(runtime, () => ops.add(a, b), "ERR_SHAPE", `add: x is 2×3 but y is 4×3; ${rule}`);
    refuses(runtime, () => ops.greater(a, b), "ERR_SHAPE", `greater: y is 4×3 but x is 2×3; ${rule}`);
    const wide = runtime.zeros([2]);
    const message = `select: condition is 2×3 but x is 3 and y is 2; ${rule}`;
    refuses(runtime, () => ops.select(a, v3, wide), "ERR_SHAPE", message);
  });

  test("an out of another shape, or that a broadcast operand lies in", () => {
    const message = "multiply: out is 3 but must be 2×3: that is the result's shape.";
    refuses(runtime, () => ops.multiply(a, v3, { out: v3 }), "ERR_SHAPE", message);
    const row = new ops.Tensor(runtime, a.pointer, [3], "float32", false);
    refuses(
      runtime,
      () => ops.multiply(b, row, { out: new ops.Tensor(runtime, a.pointer, [4, 3], "float32", false) }),
      "ERR_ARGUMENT",
      "multiply: out shares memory with y; it must be apart from it.",
    );
  });

  test("operands and parameters of no use", () => {
    throws(() => ops.add(1, 2), "ERR_ARGUMENT", "add: x and y are numbers; one must be a tensor.");
    throws(() => ops.add(a, a, { alpha: NaN }), "ERR_ARGUMENT", "add: alpha is NaN; it must be a finite float32.");
    throws(() => ops.divide(a, "2" as never), "ERR_ARGUMENT", 'divide: y is "2"; it must be a tensor.');
    throws(() => ops.clip(a, 2, 1), "ERR_ARGUMENT", "clip: low is 2, high 1; low must not exceed high.");
  });
});
