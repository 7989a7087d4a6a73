/** Products by a packed matrix, and batches of products. ops.test.ts has the product of two matrices. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import * as lib from "../../src/index.js";
import { initSync, matmul, packMatrix, type MatmulOptions, type PackedMatrix, type Tensor } from "../../src/index.js";
import { EPILOGUE } from "../../src/ops/products.js";
import * as reference from "../reference/matmul.js";
import { expectClose, expectSameBits, type Tolerance } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, skippable, throws, VARIANTS } from "./support.js";

const wrong = (value: unknown) => value as never;

/** The transpose of each rows×columns matrix of a batch. */
function transpose(x: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(x, (_, at) => {
    const start = at - (at % (rows * columns));
    const i = at - start;
    return x[start + (i % rows) * columns + Math.floor(i / rows)] as number;
  });
}

/** Every option at least once; integers keep all but tanh exact. */
const OPTIONS: readonly (MatmulOptions & { readonly biased?: true })[] = [
  {},
  { alpha: 0.5, beta: -2 },
  { alpha: 0, beta: 1, biased: true },
  { biased: true },
  { biased: true, activation: "relu" },
  { biased: true, activation: "leakyRelu", slope: 0.25 },
  { biased: true, activation: "tanh", alpha: 2 ** -7 },
  { activation: "relu" },
  { activation: "leakyRelu", slope: -0.5 },
  { activation: "tanh", alpha: 2 ** -7 },
];

for (const { variant, skip } of VARIANTS) {
  describe(`products, ${variant}`, () => {
    const it = skippable(skip);
    const runtime = skip ? (undefined as never) : runtimeOf(variant);
    const random = new Random(1);

    /** Holds `multiply` to the reference with every option; a is batch×m×k, b batch×k×n or, shared, k×n. */
    function expectProducts(
      context: string,
      [batch, m, n, k]: readonly [number, number, number, number],
      a: Float32Array,
      b: Float32Array,
      multiply: (options: MatmulOptions) => Tensor,
      shape: readonly number[],
    ): void {
      const bias = random.integers(n);
      const old = random.integers(batch * m * n);
      for (const { biased, ...options } of OPTIONS) {
        const { alpha = 1, beta = 0, activation, slope = 0 } = options;
        const epilogue = biased || activation ? EPILOGUE[activation ?? "none"] : 0;
        const tolerance: Tolerance = activation === "tanh" ? { roundings: k + 12 } : "exact";
        runtime.scope(() => {
          const out = beta === 0 ? undefined : runtime.tensor(old, shape);
          const c = multiply({ ...options, ...(biased && { bias: runtime.tensor(bias) }), ...(out && { out }) });
          assert.deepEqual(c.shape, shape);
          if (out) assert.equal(c, out);
          for (let i = 0; i < batch; i++) {
            const part = (x: Float32Array, size: number) =>
              x.length === size ? x : x.subarray(i * size, (i + 1) * size);
            const expected = reference.matmul(
              m,
              n,
              k,
              part(a, m * k),
              part(b, k * n),
              part(old, m * n),
              biased ? bias : new Float32Array(n),
              alpha,
              beta,
              epilogue,
              slope,
            );
            const say = `${context}, product ${String(i)}, ${JSON.stringify({ biased, ...options })}`;
            expectClose(say, "c", part(c.toArray(), m * n), { ...expected, tolerance });
          }
        });
      }
    }

    for (const [k, n, rows] of [
      [1, 1, [1, 5]],
      [5, 9, [1, 2, 3, 4, 7, 13]],
      [70, 33, [1, 2, 6, 40]],
      [813, 43, [1, 2, 5, 12]],
      [3, 2405, [1, 2, 3, 7]],
    ] as const) {
      it(`a packed ${String(k)}×${String(n)} matrix, by many numbers of rows, with every option`, () => {
        const b = random.integers(k * n);
        const packed = packMatrix(runtime.tensor(b, [k, n]));
        const transposed = packMatrix(runtime.tensor(transpose(b, k, n), [n, k]), { transpose: true });
        for (const matrix of [packed, transposed]) assert.deepEqual(matrix.shape, [k, n]);
        for (const m of rows) {
          const a = random.integers(m * k);
          const [plain, turned] = [runtime.tensor(a, [m, k]), runtime.tensor(transpose(a, m, k), [k, m])];
          const size = [1, m, n, k] as const;
          const shape = [m, n];
          expectProducts(`${String(m)} rows`, size, a, b, (o) => matmul(plain, packed, o), shape);
          expectProducts(
            "transposed",
            size,
            a,
            b,
            (o) => matmul(turned, transposed, { ...o, transposeA: true }),
            shape,
          );
        }
      });
    }

    it("a row's bits do not depend on how many rows a packed matrix multiplies; many are plain matmul's", () => {
      const [m, n, k] = [50, 43, 813];
      const [a, b] = [random.floats(m * k), random.floats(k * n)];
      const B = runtime.tensor(b, [k, n]);
      const packed = packMatrix(B);
      const all = matmul(runtime.tensor(a, [m, k]), packed).toArray();
      const expected = reference.matmul(m, n, k, a, b, [], [], 1, 0, 0);
      expectClose("packed", "c", all, { ...expected, tolerance: { roundings: k + 2 } });
      expectSameBits("packed", "c", all, matmul(runtime.tensor(a, [m, k]), B).toArray());
      for (const rows of [1, 2, 3, 4, 6, 17, 40]) {
        const first = matmul(runtime.tensor(a.subarray(0, rows * k), [rows, k]), packed).toArray();
        expectSameBits(`${String(rows)} rows`, "c", first, all.subarray(0, rows * n));
      }
    });

    it("a packed matrix keeps the values that it was packed of, until it is packed again", () => {
      const [n, k] = [10, 7];
      const a = runtime.tensor(random.integers(3 * k), [3, k]);
      const W = runtime.tensor(random.integers(n * k), [n, k]);
      const product = () => matmul(a, W, { transposeB: true }).toArray();
      const packed = packMatrix(W, { transpose: true });
      const before = product();
      W.from(random.integers(n * k));
      assert.deepEqual(matmul(a, packed).toArray(), before);
      const { bytesInUse } = runtime.statistics;
      assert.equal(packMatrix(W, { transpose: true, out: packed }), packed);
      assert.equal(runtime.statistics.bytesInUse, bytesInUse);
      assert.deepEqual(matmul(a, packed).toArray(), product());
      assert.notDeepEqual(product(), before);
    });

    it("packed weights of a model give its predictions, and again after a step of training", () => {
      const layers = [new lib.Dense(70, 33), new lib.Relu(), new lib.Dense(33, 9)];
      const model = new lib.Sequential(runtime, layers, { seed: 1 });
      const [w1, b1, w2, b2] = model.parameters.map(({ value }) => value) as [Tensor, Tensor, Tensor, Tensor];
      const packed = [w1, w2].map((weight) => packMatrix(weight, { transpose: true })) as [PackedMatrix, PackedMatrix];
      const x = runtime.tensor(random.floats(4 * 70), [4, 70]);
      const predict = () => {
        const h = matmul(x, packed[0], { bias: b1, activation: "relu" });
        return matmul(h, packed[1], { bias: b2 }).toArray();
      };
      // Both sum the products of up to 70 terms in an order of their own, of values about 1.
      const near = { values: model.predict(x), tolerance: { absolute: 1e-5 } };
      expectClose("packed weights", "y", predict(), near);
      model.trainBatch(x, [0, 1, 2, 3], { loss: "softmaxCrossEntropy", optimizer: new lib.Sgd({ learningRate: 0.1 }) });
      packMatrix(w1, { transpose: true, out: packed[0] });
      packMatrix(w2, { transpose: true, out: packed[1] });
      const after = model.predict(x);
      assert.ok(after.some((value, i) => Math.abs(value - near.values[i]!) > 0.01));
      expectClose("packed again", "y", predict(), { ...near, values: after });
      model.dispose();
    });

    it("batches of products, of matrices of their own or one for all, with every option and transpose", () => {
      for (const [batch, m, n, k] of [
        [1, 2, 3, 4],
        [3, 1, 9, 5],
        [4, 13, 17, 70],
        [5, 6, 1, 3],
      ] as const) {
        const size = [batch, m, n, k] as const;
        for (const [countA, countB] of [
          [batch, batch],
          [batch, 0],
          [0, batch],
          [batch, 1],
          [1, batch],
        ] as const) {
          const a = random.integers(Math.max(countA, 1) * m * k);
          const b = random.integers(Math.max(countB, 1) * k * n);
          for (const transposeA of [false, true]) {
            for (const transposeB of [false, true]) {
              const [shapeA, shapeB] = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
              const A = runtime.tensor(transposeA ? transpose(a, m, k) : a, countA ? [countA, ...shapeA] : shapeA);
              const B = runtime.tensor(transposeB ? transpose(b, k, n) : b, countB ? [countB, ...shapeB] : shapeB);
              const multiply = (o: MatmulOptions) => matmul(A, B, { ...o, transposeA, transposeB });
              expectProducts(`${A.shape.join("×")} by ${B.shape.join("×")}`, size, a, b, multiply, [batch, m, n]);
              if (countB !== 0) continue;
              const packed = packMatrix(B, { transpose: transposeB });
              const byPacked = (o: MatmulOptions) => matmul(A, packed, { ...o, transposeA });
              expectProducts("packed", size, a, b, byPacked, [batch, m, n]);
            }
          }
        }
      }
    });

    it("packed matrices go with their scope or pass out of it, and with using", () => {
      const B = runtime.tensor(random.floats(24), [6, 4]);
      const before = runtime.statistics.bytesInUse;
      const [kept, gone] = runtime.scope(() => {
        const inner = packMatrix(B);
        return [{ weights: [packMatrix(B)] }, [() => inner]] as const;
      });
      assert.ok(!kept.weights[0].disposed);
      assert.ok(gone[0]().disposed);
      assert.equal(runtime.statistics.bytesInUse - before, kept.weights[0].byteLength);
      assert.equal(kept.weights[0].pointer % 64, 0);
      const symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for("Symbol.dispose");
      (kept.weights[0] as unknown as Record<symbol, () => void>)[symbol]!();
      kept.weights[0].dispose();
      assert.equal(runtime.statistics.bytesInUse, before);
    });
  });
}

describe("products refuse", () => {
  const it = skippable(false);
  const runtime = initSync({ variant: "strict" });
  const zeros = (...shape: number[]) => runtime.zeros(shape);
  const other = initSync({ variant: "strict" });
  const [a, b] = [zeros(2, 3), zeros(3, 4)];
  const packed = packMatrix(b);
  const foreign = packMatrix(other.zeros([3, 4]));
  const gone = packMatrix(b);
  gone.dispose();
  const batch = zeros(5, 3, 4);
  const over = new lib.Tensor(runtime, packed.pointer + 64, [2, 4], "float32", false);
  // Never read: its packed panels would be 2³² + 8 floats.
  const tall = new lib.Tensor(runtime, 64, [2 ** 29 + 1, 1], "float32", false);

  const cases: [call: () => unknown, code: lib.ErrorCode, message: string][] = [
    [() => matmul(zeros(2, 4), packed), "ERR_SHAPE", "matmul: a is 2×4 but b is 3×4; a's columns must equal b's rows."],
    [
      () => matmul(a, packed, { transposeB: true }),
      "ERR_ARGUMENT",
      "matmul: transposeB is true but b is packed; choose that when packing: packMatrix(b, { transpose: true }).",
    ],
    [() => matmul(a, gone), "ERR_DISPOSED", "matmul: b (3×4) is disposed; it must be alive."],
    [
      () => matmul(a, foreign),
      "ERR_RUNTIME_MISMATCH",
      "matmul: b (3×4) belongs to another runtime; all tensors must come from one.",
    ],
    [() => matmul(wrong(packed), b), "ERR_ARGUMENT", "matmul: a is a packed matrix 3×4; it must be a tensor."],
    [
      () => matmul(a, packed, { out: over }),
      "ERR_ARGUMENT",
      "matmul: out shares memory with b; it must be apart from it.",
    ],
    [
      () => matmul(a, wrong(Object.create(packed))),
      "ERR_ARGUMENT",
      "matmul: b is an object (PackedMatrix); it must be a tensor.",
    ],
    [
      () => matmul(zeros(2, 3, 4), batch, { transposeA: true }),
      "ERR_SHAPE",
      "matmul: a is 2×3×4 (transposed) but b is 5×3×4; both must have as many matrices, or one of them only one.",
    ],
    [
      () => matmul(a, batch, { transposeB: true }),
      "ERR_SHAPE",
      "matmul: a is 2×3 but b is 5×3×4 (transposed); a's columns must equal b's columns.",
    ],
    [
      () => matmul(a, batch, { out: zeros(2, 4) }),
      "ERR_SHAPE",
      "matmul: out is 2×4 but must be 5×2×4: that is the result's shape.",
    ],
    [() => matmul(a, zeros(1, 1, 3, 4)), "ERR_SHAPE", "matmul: b is 1×1×3×4, of rank 4; its rank must be 2 or 3."],
    [() => packMatrix(wrong(packed)), "ERR_ARGUMENT", "packMatrix: b is a packed matrix 3×4; it must be a tensor."],
    [() => packMatrix(batch), "ERR_SHAPE", "packMatrix: b is 5×3×4, of rank 3; its rank must be 2."],
    [
      () => packMatrix(wrong(runtime.zeros([3, 4], "int32"))),
      "ERR_ARGUMENT",
      "packMatrix: b is a int32 tensor 3×4; it must be a float32 tensor.",
    ],
    [() => packMatrix(b, wrong(1)), "ERR_ARGUMENT", "packMatrix: options is 1; it must be an object."],
    [
      () => packMatrix(b, { transpose: wrong(1) }),
      "ERR_ARGUMENT",
      "packMatrix: transpose is 1; it must be true or false.",
    ],
    [
      () => packMatrix(b, { transpose: true, out: packed }),
      "ERR_SHAPE",
      "packMatrix: out is 3×4 but must be 4×3: that is the result's shape.",
    ],
    [
      () => packMatrix(b, { out: wrong(a) }),
      "ERR_ARGUMENT",
      "packMatrix: out is a float32 tensor 2×3; it must be a packed matrix, from packMatrix.",
    ],
    [() => packMatrix(b, { out: gone }), "ERR_DISPOSED", "packMatrix: out (3×4) is disposed; it must be alive."],
    [
      () => packMatrix(tall),
      "ERR_SHAPE",
      "packMatrix: shape 536870913×8 has 4294967304 elements; at most 2147483647 fit a tensor.",
    ],
    [() => gone.pointer, "ERR_DISPOSED", "PackedMatrix.pointer: the matrix (3×4) is disposed; it must be alive."],
    [() => lib.relu(wrong(packed)), "ERR_ARGUMENT", "relu: x is a packed matrix 3×4; it must be a tensor."],
  ];
  for (const [call, code, message] of cases) {
    it(message, () => {
      runtime.scope(() => {
        throws(call, code, message);
      });
    });
  }

  it("before allocating or writing anything", () => {
    const tensor = zeros(2, 4);
    const message = "matmul: alpha is NaN; it must be a finite float32.";
    refuses(runtime, () => matmul(a, packed, { alpha: NaN, out: tensor }), "ERR_ARGUMENT", message);
    const small = initSync({ variant: "strict", maximumMemory: 2 ** 20 });
    const large: PackedMatrix[] = [];
    const B = small.zeros([300, 400]);
    assert.throws(() => large.push(packMatrix(B), packMatrix(B)), { code: "ERR_OUT_OF_MEMORY" });
    assert.equal(large.length, 0);
  });

  it("a packed matrix after its runtime's end", () => {
    const brief = initSync({ variant: "strict" });
    const matrix = packMatrix(brief.zeros([3, 4]));
    brief.dispose();
    assert.ok(matrix.disposed);
    throws(
      () => packMatrix(b, { out: matrix }),
      "ERR_RUNTIME_MISMATCH",
      "packMatrix: out (3×4) belongs to another runtime; all tensors must come from one.",
    );
  });
});
