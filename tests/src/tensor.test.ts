import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatFloat32, initSync, randomNormal, relu, type AnyTensor, type TensorArray } from "../../src/index.js";
import { detached, refuses, throws } from "./support.js";

const runtime = initSync({ variant: "strict" });
const other = initSync({ variant: "strict" });
const wrong = (value: unknown) => value as never;

describe("tensor", () => {
  test("takes its type from the data, its shape from the caller", () => {
    const cases: [AnyTensor, string, readonly number[], TensorArray][] = [
      [runtime.tensor([1, 2.5]), "float32", [2], Float32Array.of(1, 2.5)],
      [runtime.tensor(Float32Array.of(1, 2, 3, 4), [2, 2]), "float32", [2, 2], Float32Array.of(1, 2, 3, 4)],
      [runtime.tensor(Float64Array.of(0.1)), "float32", [1], Float32Array.of(0.1)],
      [runtime.tensor(Int32Array.of(-1, 7)), "int32", [2], Int32Array.of(-1, 7)],
      [runtime.tensor(Uint8Array.of(255), [1, 1, 1]), "uint8", [1, 1, 1], Uint8Array.of(255)],
      [runtime.tensor([1, 2], [2, 1], "int32"), "int32", [2, 1], Int32Array.of(1, 2)],
      [runtime.tensor(Uint8Array.of(3), [1], "float32"), "float32", [1], Float32Array.of(3)],
      [runtime.zeros([2, 3]), "float32", [2, 3], new Float32Array(6)],
      [runtime.zeros([3], "uint8"), "uint8", [3], new Uint8Array(3)],
    ];
    for (const [tensor, dtype, shape, values] of cases) {
      assert.equal(tensor.dtype, dtype);
      assert.deepEqual(tensor.shape, shape);
      assert.ok(Object.isFrozen(tensor.shape));
      assert.equal(tensor.size, values.length);
      assert.equal(tensor.byteLength, values.byteLength);
      assert.equal(tensor.pointer % 64, 0);
      assert.deepEqual(tensor.toArray(), values);
      tensor.dispose();
    }
  });

  test("NaN, infinities and −0 are legal data", () => {
    const values = Float32Array.of(NaN, Infinity, -Infinity, -0);
    assert.deepEqual(runtime.tensor(values).toArray(), values);
  });

  test("copies in and out; toArray is a copy", () => {
    const tensor = runtime.tensor([1, 2, 3]);
    const copy = tensor.toArray();
    assert.equal(tensor.from(Float64Array.of(4, 5, 6)), tensor);
    assert.deepEqual(copy, Float32Array.of(1, 2, 3));
    const target = new Float32Array(3);
    tensor.copyTo(target);
    assert.deepEqual(target, Float32Array.of(4, 5, 6));
    tensor.from(runtime.tensor([7, 8, 9]));
    assert.deepEqual(tensor.toArray(), Float32Array.of(7, 8, 9));
  });

  test("withView lends the memory itself", () => {
    const tensor = runtime.tensor([1, 2]);
    const sum = tensor.withView((view) => {
      view[0] = 10;
      assert.equal(view.buffer, runtime.memory.buffer);
      return view.length;
    });
    assert.equal(sum, 2);
    assert.deepEqual(tensor.toArray(), Float32Array.of(10, 2));
  });

  test("dispose frees once; every later use says so", () => {
    const before = runtime.statistics.bytesInUse;
    const tensor = runtime.zeros([2, 3]);
    tensor.dispose();
    tensor.dispose();
    assert.equal(runtime.statistics.bytesInUse, before);
    assert.equal(tensor.toString(), "float32 2×3 (disposed)");
    const uses: [string, () => unknown][] = [
      ["Tensor.pointer", () => tensor.pointer],
      ["Tensor.toArray", () => tensor.toArray()],
      [
        "Tensor.copyTo",
        () => {
          tensor.copyTo(new Float32Array(6));
        },
      ],
      ["Tensor.from", () => tensor.from(new Float32Array(6))],
      ["Tensor.withView", () => tensor.withView(() => 1)],
    ];
    for (const [operation, use] of uses) {
      throws(use, "ERR_DISPOSED", `${operation}: the tensor (2×3) is disposed; it must be alive.`);
    }
  });

  test("Symbol.dispose works, also where the engine has none", () => {
    const symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for("Symbol.dispose");
    for (const thing of [runtime.zeros([1]), initSync({ variant: "strict" })]) {
      (thing as unknown as Record<symbol, () => void>)[symbol]?.();
      assert.ok(thing.disposed);
    }
  });

  const shapes: [number[], string][] = [
    [[2, -1], "shape is 2×-1; every size must be a positive integer."],
    [[0], "shape is 0; every size must be a positive integer."],
    [[0, 784], "shape is 0×784; every size must be a positive integer."],
    [[1.5], "shape is 1.5; every size must be a positive integer."],
    [[NaN], "shape is NaN; every size must be a positive integer."],
    [[2, wrong("3")], 'shape is 2×"3"; every size must be a positive integer.'],
    [[wrong([2, 3])], "shape is [2, 3]; every size must be a positive integer."],
    [[wrong(Symbol())], "shape is Symbol(); every size must be a positive integer."],
    [[2 ** 16, 2 ** 16], "shape 65536×65536 has 4294967296 elements; at most 2147483647 fit a tensor."],
  ];
  for (const [shape, message] of shapes) {
    test(`refuses: ${message}`, () => {
      refuses(runtime, () => runtime.zeros(shape), "ERR_SHAPE", `Runtime.zeros: ${message}`);
      refuses(runtime, () => runtime.tensor([1], shape), "ERR_SHAPE", `Runtime.tensor: ${message}`);
    });
  }

  test("refuses what only looks like a tensor or a runtime", () => {
    const tensor = runtime.zeros([1]);
    const marked = { [Symbol.for("simdgrad.Tensor")]: true };
    for (const value of [marked, Object.create(tensor), new Proxy(tensor, {})] as unknown[]) {
      assert.throws(() => relu(wrong(value)), {
        code: "ERR_ARGUMENT",
        message: /^relu: x is an object \(.*\); it must/,
      });
    }
    for (const value of [
      { kernels: {} },
      { [Symbol.for("simdgrad.Runtime")]: true },
      Object.create(runtime),
    ] as unknown[]) {
      assert.throws(() => randomNormal(wrong(value), [2]), { code: "ERR_ARGUMENT" });
    }
  });

  test("withView refuses promises", () => {
    const tensor = runtime.zeros([1]);
    throws(
      () => tensor.withView(() => Promise.resolve(1)),
      "ERR_ARGUMENT",
      "Tensor.withView: use returned a promise; it must be synchronous.",
    );
  });

  const kinds = "it must be Float32Array, Int32Array, Uint8Array, Float64Array or an array of numbers.";
  const bad: [string, () => unknown, string, string][] = [
    [
      "short",
      () => runtime.tensor([1, 2], [3]),
      "ERR_SHAPE",
      "Runtime.tensor: data has 2 elements but must have 3: the shape is 3.",
    ],
    [
      "empty",
      () => runtime.tensor([]),
      "ERR_SHAPE",
      "Runtime.tensor: shape is 0; every size must be a positive integer.",
    ],
    [
      "no shape",
      () => runtime.zeros(wrong(3)),
      "ERR_ARGUMENT",
      "Runtime.zeros: shape is 3; it must be a non-empty array of sizes.",
    ],
    [
      "empty shape",
      () => runtime.zeros([]),
      "ERR_ARGUMENT",
      "Runtime.zeros: shape is an array of 0; it must be a non-empty array of sizes.",
    ],
    ["no data", () => runtime.tensor(wrong(undefined)), "ERR_ARGUMENT", `Runtime.tensor: data is undefined; ${kinds}`],
    ["text", () => runtime.tensor(wrong("12")), "ERR_ARGUMENT", `Runtime.tensor: data is "12"; ${kinds}`],
    [
      "a buffer",
      () => runtime.tensor(wrong(new ArrayBuffer(8))),
      "ERR_ARGUMENT",
      `Runtime.tensor: data is an object (ArrayBuffer); ${kinds}`,
    ],
    [
      "a DataView",
      () => runtime.tensor(wrong(new DataView(new ArrayBuffer(8)))),
      "ERR_ARGUMENT",
      `Runtime.tensor: data is a DataView of 8; ${kinds}`,
    ],
    [
      "text inside",
      () => runtime.tensor([1, wrong("2")]),
      "ERR_ARGUMENT",
      'Runtime.tensor: data[1] is "2"; it must be a number.',
    ],
    [
      "dtype",
      () => runtime.zeros([1], wrong("float64")),
      "ERR_ARGUMENT",
      'Runtime.zeros: dtype is "float64"; it must be "float32" or "int32" or "uint8".',
    ],
    [
      "fraction",
      () => runtime.tensor([1.5], [1], "int32"),
      "ERR_ARGUMENT",
      "Runtime.tensor: data[0] is 1.5; int32 holds integers from -2147483648 to 2147483647.",
    ],
    [
      "range",
      () => runtime.tensor(Int32Array.of(0, 256), [2], "uint8"),
      "ERR_ARGUMENT",
      "Runtime.tensor: data[1] is 256; uint8 holds integers from 0 to 255.",
    ],
    [
      "detached",
      () => runtime.tensor(detached(new Float32Array(2))),
      "ERR_DETACHED",
      "Runtime.tensor: data is detached (its buffer was transferred); pass a live array.",
    ],
    [
      "detached, with shape",
      () => runtime.tensor(detached(new Uint8Array(2)), [2]),
      "ERR_DETACHED",
      "Runtime.tensor: data is detached (its buffer was transferred); pass a live array.",
    ],
  ];
  for (const [name, call, code, message] of bad) {
    test(`refuses ${name}`, () => {
      refuses(runtime, call, code as "ERR_SHAPE", message);
    });
  }

  test("refuses what does not fit an existing tensor, which stays as it was", () => {
    const tensor = runtime.tensor([1, 2, 3, 4], [2, 2]);
    const calls: [() => unknown, string, string][] = [
      [
        () => tensor.from([1, 2, 3]),
        "ERR_SHAPE",
        "Tensor.from: source has 3 elements but must have 4: the tensor is 2×2.",
      ],
      [
        () => tensor.from(detached(new Float32Array(4))),
        "ERR_DETACHED",
        "Tensor.from: source is detached (its buffer was transferred); pass a live array.",
      ],
      [() => tensor.from(wrong(null)), "ERR_ARGUMENT", `Tensor.from: source is null; ${kinds}`],
      [
        () => tensor.from(runtime.zeros([4])),
        "ERR_SHAPE",
        "Tensor.from: source is 4 but must be 2×2: the shapes must be equal.",
      ],
      [
        () => tensor.from(wrong(runtime.zeros([2, 2], "int32"))),
        "ERR_ARGUMENT",
        "Tensor.from: source is a int32 tensor 2×2; it must be a float32 tensor.",
      ],
      [
        () => tensor.from(other.zeros([2, 2])),
        "ERR_RUNTIME_MISMATCH",
        "Tensor.from: source (2×2) belongs to another runtime; all tensors must come from one.",
      ],
      [
        () => {
          tensor.copyTo(new Float32Array(3));
        },
        "ERR_SHAPE",
        "Tensor.copyTo: target has 3 elements but must have 4: the tensor is 2×2.",
      ],
      [
        () => {
          tensor.copyTo(wrong(new Int32Array(4)));
        },
        "ERR_ARGUMENT",
        "Tensor.copyTo: target is a Int32Array of 4; it must be a Float32Array.",
      ],
      [
        () => {
          tensor.copyTo(detached(new Float32Array(4)));
        },
        "ERR_DETACHED",
        "Tensor.copyTo: target is detached (its buffer was transferred); pass a live array.",
      ],
      [() => tensor.withView(wrong(1)), "ERR_ARGUMENT", "Tensor.withView: use is 1; it must be a function."],
    ];
    for (const [call, code, message] of calls) throws(call, code as "ERR_SHAPE", message);
    assert.deepEqual(tensor.toArray(), Float32Array.of(1, 2, 3, 4));
  });
});

describe("printing", () => {
  test("float32 with the fewest digits that read back", () => {
    const cases: [number, string][] = [
      [0.1, "0.1"],
      [1 / 3, "0.33333334"],
      [16777216, "16777216"],
      [3.4028234663852886e38, "3.4028235e+38"],
      [2 ** -149, "1e-45"],
      [2 ** -44, "5.684342e-14"],
      [-0, "-0"],
      [NaN, "NaN"],
      [-Infinity, "-Infinity"],
      [-1.5, "-1.5"],
    ];
    for (const [value, text] of cases) assert.equal(formatFloat32(Math.fround(value)), text);
  });

  /** Whether some decimal of so many digits reads back as `value`: any would be among these neighbours. */
  function hasShorter(value: number, digits: number): boolean {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
    const integer = Number(mantissa.replace(".", ""));
    const scale = Number(exponent) - digits + 1;
    return [-1, 0, 1].some((step) => Math.fround(Number(`${String(integer + step)}e${String(scale)}`)) === value);
  }
  const digitsOf = (text: string) =>
    text
      .replace(/e.*|[-.]/g, "")
      .replace(/^0+/, "")
      .replace(/0+$/, "").length;

  test("reads back equal, and no shorter decimal does, for powers of two and random bits", () => {
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    const check = (value: number) => {
      const text = formatFloat32(value);
      assert.ok(Object.is(Math.fround(Number(text)), value), text);
      const digits = digitsOf(text);
      if (digits > 1) assert.ok(!hasShorter(value, digits - 1), `${text} of ${String(value)} could be shorter`);
    };
    for (let exponent = -149; exponent < 128; exponent++) {
      check(2 ** exponent);
      check(-(2 ** exponent));
    }
    fc.assert(
      fc.property(fc.nat(0xffffffff), (word) => {
        bits[0] = word;
        const value = float[0] as number;
        if (Number.isFinite(value) && value !== 0) check(value);
      }),
      { numRuns: 5000 },
    );
  });

  test("shows type, shape and rows; long tensors by their edges", () => {
    assert.equal(String(runtime.tensor([0.1, -0, NaN, 2], [2, 2])), "float32 2×2 [[0.1, -0], [NaN, 2]]");
    assert.equal(String(runtime.tensor(Int32Array.of(1, 2))), "int32 2 [1, 2]");
    const long = runtime.tensor(Float32Array.from({ length: 2000 }, (_, i) => i));
    assert.equal(String(long), "float32 2000 [0, 1, 2, …, 1997, 1998, 1999]");
    long.dispose();
  });
});
