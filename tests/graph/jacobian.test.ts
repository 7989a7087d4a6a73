import assert from "node:assert/strict";
import * as graph from "../../src/graph.js";
import { initSync } from "../../src/index.js";
import * as derivatives from "../reference/derivatives.js";
import { runtimeOf, skippable, throws, VARIANTS } from "../src/support.js";
import { expectClose } from "../support/compare.js";
import { Random } from "../support/random.js";

const {
  add,
  divide,
  hessian,
  hessianVectorProduct,
  jacobian,
  matmul,
  mean,
  multiply,
  relu,
  reshape,
  softplus,
  square,
} = graph;
const { subtract, sum, tanh } = graph;
type Value = graph.Value;

const test = skippable(VARIANTS[0]!.skip);
const runtime = runtimeOf("strict");

/** A network of one hidden layer with a squared loss, in gates and in float64: its weights are one vector. */
const [IN, HIDDEN] = [3, 4];
const x = [0.5, -1, 2];
const target = 0.3;
const networkByGates = (w: Value): Value => {
  const W = reshape(graph.slice(w, 0, 0, HIDDEN * IN), [HIDDEN, IN]);
  const v = reshape(graph.slice(w, 0, HIDDEN * IN, HIDDEN * IN + HIDDEN), [1, HIDDEN]);
  const y = matmul(v, tanh(matmul(W, runtime.tensor(x, [IN, 1]))));
  return sum(square(subtract(y, target)));
};
const network = ([w]: readonly Float64Array[]): number => {
  let y = 0;
  for (let i = 0; i < HIDDEN; i++) {
    const z = x.reduce((total, value, j) => total + w![i * IN + j]! * value, 0);
    y += w![HIDDEN * IN + i]! * Math.tanh(z);
  }
  return (y - target) ** 2;
};
const weights = new Random(3).floats(HIDDEN * IN + HIDDEN);

test("the Jacobian is outputs × inputs: that of W·x is W, by x", () => {
  const W = runtime.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const J = jacobian((x) => matmul(W, x))(runtime.tensor([7, 8, 9], [3, 1]));
  assert.deepEqual(J.shape, [2, 3]);
  assert.deepEqual([...J.toArray()], [1, 2, 3, 4, 5, 6]);
});

test("the Jacobian of what does not change is 0, of the variable itself the identity", () => {
  const x = runtime.tensor([1, 2]);
  assert.deepEqual([...jacobian(() => graph.constant(x))(x).toArray()], [0, 0, 0, 0]);
  assert.deepEqual([...jacobian((x) => x)(x).toArray()], [1, 0, 0, 1]);
});

test("the Jacobian of a chain is the product of the Jacobians", () => {
  const x = runtime.tensor([0.5, -1, 2]);
  const f = (x: Value) => tanh(multiply(x, x));
  const g = (y: Value) =>
    add(softplus(y), reshape(matmul(reshape(y, [1, 3]), runtime.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3])), [3]));
  const whole = jacobian((x) => g(f(x)))(x).toArray();
  const parts = matmul(jacobian(g)(f(graph.constant(x)).tensor), jacobian(f)(x)).toArray();
  expectClose("g ∘ f", "J", whole, { values: parts, tolerance: { absolute: 1e-5 } });
});

test("the Hessian of a network is that of central differences, and symmetric", () => {
  const w = runtime.tensor(weights);
  const H = hessian(networkByGates)(w);
  const n = weights.length;
  assert.deepEqual(H.shape, [n, n]);
  const rows = H.toArray();
  const at = [Float64Array.from(weights)];
  for (let i = 0; i < n; i++) {
    const unit = [Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))];
    const [values] = derivatives.hessianVectorProduct(network, at, unit);
    expectClose("network", `row ${i}`, rows.subarray(i * n, (i + 1) * n), {
      values: values!,
      tolerance: { absolute: 1e-4 },
    });
    for (let j = 0; j < i; j++) assert.ok(Math.abs(rows[i * n + j]! - rows[j * n + i]!) < 1e-5);
  }
});

test("a Hessian-vector product is the Hessian times the vector, for one tensor and for a structure", () => {
  const w = runtime.tensor(weights);
  const v = new Random(4).floats(weights.length);
  const expected = matmul(hessian(networkByGates)(w), runtime.tensor(v, [v.length, 1])).toArray();
  const tolerance = { absolute: 1e-5 };
  const product = hessianVectorProduct(networkByGates)(w, runtime.tensor(v));
  expectClose("network", "H·v", product.toArray(), { values: expected, tolerance });
  // f = Σ (a·b)²: ∂²f/∂a² = 2b², ∂²f/∂a∂b = 4ab.
  const f = ({ a, b }: { a: Value; b: Value }) => sum(square(multiply(a, b)));
  const [a, b] = [runtime.tensor([1, 2]), runtime.tensor([3, -1])];
  const both = hessianVectorProduct(f)({ a, b }, { a: runtime.tensor([1, 0]), b: runtime.tensor([0, 1]) });
  assert.deepEqual([...both.a.toArray()], [2 * 9, 4 * 2 * -1]);
  assert.deepEqual([...both.b.toArray()], [4 * 3, 2 * 4]);
});

test("third derivatives: x⁴ by three nested gradients", () => {
  const { grad } = graph;
  const third = grad((x) => sum(grad((x) => sum(grad((x) => sum(square(square(x))))(x)))(x)));
  assert.deepEqual([...third(runtime.tensor([1, -2])).toArray()], [24, -48]);
});

test("second derivatives through fused gates are those of their gates", () => {
  const input = new Random(8).floats(12);
  const rows = runtime.tensor(input, [6, 2]);
  const one = runtime.tensor([1, 1]);
  const zero = runtime.tensor([0, 0]);
  const byGates = (x: Value): Value => {
    const centred = subtract(x, mean(x, { axis: 0 }));
    const deviation = graph.sqrt(add(mean(square(centred), { axis: 0 }), 1e-5));
    return sum(square(tanh(divide(centred, deviation))));
  };
  const fused = (x: Value): Value => sum(square(tanh(graph.batchNorm(x, one, zero))));
  const values = hessian(byGates)(rows).toArray();
  expectClose("batchNorm", "H", hessian(fused)(rows).toArray(), { values, tolerance: { absolute: 2e-4 } });
});

test("nothing but the result stays allocated", () => {
  const own = initSync({ variant: "strict" });
  const x = own.tensor([1, 2, 3]);
  const before = own.statistics.bytesInUse;
  const f = (x: Value) => sum(square(square(x)));
  for (const result of [jacobian(square)(x), hessian(f)(x), hessianVectorProduct(f)(x, x)]) result.dispose();
  assert.equal(own.statistics.bytesInUse, before);
});

test("what has no Jacobian or Hessian is refused", () => {
  const x = runtime.tensor([1, 2]);
  throws(() => jacobian(2 as never), "ERR_ARGUMENT", "jacobian: f is 2; it must be a function.");
  throws(() => jacobian(relu)([x] as never), "ERR_ARGUMENT", "jacobian: x is an array of 1; it must be a tensor.");
  throws(
    () => hessian(square)(x),
    "ERR_SHAPE",
    "hessian: f's value is 2, not one number; reduce it with sum or mean, or give a seed of its shape: the gradient to start from.",
  );
  throws(
    () => hessianVectorProduct((x) => sum(x))(x, runtime.tensor([1])),
    "ERR_SHAPE",
    "hessianVectorProduct: v is 1 but must be 2: the shape of its variable.",
  );
});
