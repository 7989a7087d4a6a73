import assert from "node:assert/strict";
import * as graph from "../../src/graph.js";
import { initSync, type ErrorCode, type Tensor } from "../../src/index.js";
import { runtimeOf, skippable, throws, VARIANTS } from "../src/support.js";
import { Random } from "../support/random.js";

const { checkGradients, grad, hessian, hessianVectorProduct, jacobian, matmul, relu, scale, sum, valueAndGrad } = graph;
const DIFFERENTIATORS = { grad, valueAndGrad, jacobian, hessian, hessianVectorProduct, checkGradients };
type Value = graph.Value;

const { skip } = VARIANTS[0]!;
const test = skippable(skip);
const runtime = runtimeOf("strict");

/** xᵀ·A·x for a column x: its gradient is (A + Aᵀ)·x. */
const quadratic = (A: Tensor | Value) => (x: Value) => sum(matmul(matmul(x, A, { transposeA: true }), x));

test("the gradient has the structure and the shapes of the variables", () => {
  const W = runtime.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const x = runtime.tensor([1, -1, 2], [3, 1]);
  const f = ({ layers: [W], x }: { layers: [Value]; x: Value }) => sum(matmul(W, x));
  const { value, gradient } = valueAndGrad(f)({ layers: [W], x });
  assert.equal(value, 5 + 11);
  assert.deepEqual(gradient.layers[0].shape, [2, 3]);
  assert.deepEqual([...gradient.layers[0].toArray()], [1, -1, 2, 1, -1, 2]);
  assert.deepEqual([...gradient.x.toArray()], [5, 7, 9]);
});

test("where paths converge, gradients add up", () => {
  const x = runtime.tensor([1, 2, 3, 4], [2, 2]);
  const gradient = grad((x) => sum(matmul(x, x)))(x);
  // ∂/∂x_ij Σ x·x = Σ_k x_jk + Σ_k x_ki.
  assert.deepEqual([...gradient.toArray()], [3 + 4, 7 + 4, 3 + 6, 7 + 6]);
});

test("differentiations nest: the Hessian of a quadratic form, a row at a time", () => {
  const A = runtime.tensor([1, 2, 0, 5], [2, 2]);
  const x = runtime.tensor([3, -1], [2, 1]);
  const gradient = grad(quadratic(A));
  assert.deepEqual([...gradient(x).toArray()], [2 * 3 - 2, 2 * 3 - 10]);
  const row = (seed: readonly number[]) => grad(gradient)(x, { seed: runtime.tensor(seed, [2, 1]) }).toArray();
  assert.deepEqual([...row([1, 0])], [2, 2]);
  assert.deepEqual([...row([0, 1])], [2, 10]);
});

test("an inner differentiation does not confuse its variables with those around it", () => {
  // d/dx (x · d/dy (x·y)) = d/dx x² = 2x, where y starts as x itself.
  const x = runtime.tensor([3], [1, 1]);
  const f = (x: Value) => sum(matmul(x, grad((y) => sum(matmul(x, y)))(x)));
  assert.deepEqual([...grad(f)(x).toArray()], [6]);
});

test("an inner differentiation by constants still depends on what is around it", () => {
  // ∂/∂w of ∂/∂x (w·x·x) at x = 5 is 2x.
  const [w, x] = [runtime.tensor([3], [1, 1]), runtime.tensor([5], [1, 1])];
  const f = (w: Value) => sum(grad((x) => sum(matmul(matmul(x, w), x)))(graph.constant(x)));
  assert.deepEqual([...grad(f)(w).toArray()], [10]);
});

test("variables that f does not use have gradient 0, and constants none", () => {
  const [a, b] = [runtime.tensor([1, 2]), runtime.tensor([3, 4, 5])];
  const gradient = grad(({ a }: { a: Value; b: Value }) => sum(a))({ a, b });
  assert.deepEqual([...gradient.b.toArray()], [0, 0, 0]);
  assert.deepEqual([...grad(() => sum(b))(a).toArray()], [0, 0]);
});

test("a seed is the gradient to start from", () => {
  const x = runtime.tensor([1, -2, 3]);
  const seed = runtime.tensor([10, 20, 30]);
  const { value, gradient } = valueAndGrad((x) => relu(x))(x, { seed });
  assert.deepEqual([...value.toArray()], [1, 0, 3]);
  assert.deepEqual([...gradient.toArray()], [10, 0, 30]);
});

test("gradients are tensors of their own, or those of out", () => {
  const x = runtime.tensor([1, 2]);
  const seed = runtime.tensor([5, 6]);
  const same = grad(({ a, b }: { a: Value; b: Value }) => scale(relu(a), 1) && relu(b))({ a: x, b: x }, { seed });
  assert.notEqual(same.a.pointer, same.b.pointer);
  assert.notEqual(same.b.pointer, seed.pointer);
  const out = runtime.zeros([2]);
  assert.equal(grad((x) => sum(x))(x, { out }), out);
  assert.deepEqual([...out.toArray()], [1, 1]);
});

test("gradients written straight to out are those without it, also where paths converge or out is what f reads", () => {
  const own = initSync({ variant: "strict" });
  const random = new Random(2);
  const draw = (...shape: number[]) => own.tensor(random.floats(shape[0]! * (shape[1] ?? 1)), shape);
  const x = draw(4, 3);
  const f = ({ W, b, gamma, beta }: Record<"W" | "b" | "gamma" | "beta", Value>) => {
    const h = graph.batchNorm(graph.dense(x, W, b, { activation: "tanh" }), gamma, beta);
    return sum(graph.add(matmul(graph.dense(h, W, beta), W), graph.multiply(b, gamma)));
  };
  const variables = () => ({ W: draw(3, 3), b: draw(3), gamma: draw(3), beta: draw(3) });
  const at = variables();
  const expected = Object.values(grad(f)(at)).map((gradient) => [...gradient.toArray()]);
  const outs = variables();
  for (const tensor of Object.values(outs)) tensor.from(tensor.toArray().fill(NaN));
  const arrays = (gradients: Readonly<Record<string, Tensor>>) =>
    Object.values(gradients).map((gradient) => [...gradient.toArray()]);
  const gradients = grad(f)(at, { out: outs });
  Object.entries(outs).forEach(([name, out]) => assert.equal(gradients[name as keyof typeof outs], out));
  assert.deepEqual(arrays(gradients), expected);
  const [, b] = expected;
  assert.deepEqual([...grad(f)(at, { out: { ...outs, b: at.gamma } }).b.toArray()], b, "out is another variable");
});

test("out may be the variables themselves, or a constant that f reads", () => {
  const W = runtime.tensor([1, 2, 3, 4], [2, 2]);
  const x = runtime.tensor([5, -6, 7, 8], [2, 2]);
  const f = (W: Value) => sum(matmul(matmul(W, W), x));
  const expected = grad(f)(W).toArray();
  assert.deepEqual(grad(f)(runtime.tensor(W.toArray(), [2, 2]), { out: x }).toArray(), expected);
  x.from([5, -6, 7, 8]);
  assert.deepEqual(grad(f)(W, { out: W }).toArray(), expected);
});

test("everything else is released: ten thousand steps leave the memory as it was", () => {
  const own = initSync({ variant: "strict" });
  const A = own.tensor([1, 2, 0, 5], [2, 2]);
  const x = own.tensor([3, -1], [2, 1]);
  const out = own.zeros([2, 1]);
  const step = valueAndGrad(quadratic(A));
  step(x, { out });
  const before = own.statistics;
  for (let i = 0; i < 10_000; i++) step(x, { out });
  assert.deepEqual(own.statistics, before);
  const second = grad(grad(quadratic(A)));
  second(x, { seed: x }).dispose();
  assert.equal(own.statistics.bytesInUse, before.bytesInUse);
  assert.throws(() => step(x, { out: A }));
  assert.equal(own.statistics.bytesInUse, before.bytesInUse, "after a refusal");
});

test("what throws inside, at any depth and on the way back, leaves nothing behind", () => {
  const own = initSync({ variant: "strict" });
  const x = own.tensor([1, -2, 3]);
  const before = own.statistics.bytesInUse;
  const fail = (): never => {
    throw new Error("mine");
  };
  const thrower = graph.gate<readonly [x: Value]>({
    name: "thrower",
    forward: ([x]) => scale(x, 2).tensor,
    backward: fail,
  });
  const inF = (x: Value) => sum(relu(x)) && fail();
  const nested = (x: Value) => sum(graph.multiply(x, grad(inF)(x)));
  const onTheWayBack = (x: Value) => sum(thrower(relu(x)));
  const seconds = (x: Value) => sum(grad(onTheWayBack)(graph.multiply(x, x)));
  for (const f of [inF, nested, onTheWayBack, seconds]) {
    const calls = [grad(f), valueAndGrad(f), jacobian(f), hessian(f), checkGradients(f)];
    for (const call of calls) assert.throws(() => call(x), { message: "mine" });
    assert.throws(() => hessianVectorProduct(f)(x, x), { message: "mine" });
  }
  assert.equal(own.statistics.bytesInUse, before);
  const gradient = grad((x) => sum(graph.square(x)))(x);
  assert.deepEqual([...gradient.toArray()], [2, -4, 6], "later differentiations know nothing of it");
});

test("values of a differentiation that is over are constants to the next one", () => {
  const x = runtime.tensor([1, 2]);
  let kept: Value | undefined;
  const outer = grad((x) => {
    grad((y) => sum((kept = graph.square(y))))(x);
    return sum(grad((y) => sum(graph.multiply(y, kept!)))(x)); // Σ x², of which kept is made
  });
  assert.deepEqual([...outer(x).toArray()], [2, 4]);
});

test("a gate outside of any differentiation just computes", () => {
  const x = runtime.tensor([-1, 2]);
  assert.deepEqual([...relu(x).toArray()], [0, 2]);
  assert.equal(String(relu(x)), "float32 2 [0, 2]");
});

test("what cannot be is refused with a clear message", () => {
  const x = runtime.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const y = runtime.tensor([1, 2], [1, 2]);
  const says = (call: () => unknown, code: ErrorCode, message: string) => {
    throws(call, code, message);
  };
  says(
    () => grad((x) => relu(x))(x),
    "ERR_SHAPE",
    "grad: f's value is 2×3, not one number; reduce it with sum or mean, or give a seed of its shape: the gradient to start from.",
  );
  says(
    () => grad((x) => relu(x))(x, { seed: y }),
    "ERR_SHAPE",
    "grad: seed is 1×2 but must be 2×3: it must have the shape of f's value.",
  );
  says(
    () => grad((x) => matmul(x, y))(x),
    "ERR_SHAPE",
    "matmul: a is 2×3 but b is 1×2; a's columns must equal b's rows.",
  );
  says(
    () => grad((x) => matmul(x, runtime.zeros([4, 3, 2])))(x),
    "ERR_SHAPE",
    "matmul: b is 4×3×2, of rank 3; its rank must be 2.",
  );
  says(() => grad(3 as never), "ERR_ARGUMENT", "grad: f is 3; it must be a function.");
  for (const [name, take] of Object.entries(DIFFERENTIATORS)) {
    says(
      () => (take as (...all: unknown[]) => unknown)((x: Value) => sum(x), x),
      "ERR_ARGUMENT",
      `${name}: 2 arguments came; it takes f alone and gives a function, as in ${name}(f)(x).`,
    );
  }
  says(
    () => grad((() => x) as never)(x),
    "ERR_ARGUMENT",
    "grad: f's result is a float32 tensor 2×3; it must be a value that gates made, such as sum(x).",
  );
  says(
    () => grad((() => Promise.resolve()) as never)(x),
    "ERR_ARGUMENT",
    "grad: f returned a promise; it must be synchronous.",
  );
  says(
    () => grad(() => relu("x" as never))(x),
    "ERR_ARGUMENT",
    'relu: an input is "x"; it must be a value, a tensor or a number.',
  );
  says(
    () => grad(({ w }: { w: Value }) => sum(w))({ w: [1, 2] } as never),
    "ERR_ARGUMENT",
    "grad: variables.w[0] is 1; it must be a tensor.",
  );
  says(
    () => grad((x) => sum(x))([] as never),
    "ERR_ARGUMENT",
    "grad: variables is an array of 0; it must be a tensor or contain one.",
  );
  const cycle: Record<string, unknown> = { x };
  cycle["self"] = cycle;
  says(
    () => grad(((v: { x: Value }) => sum(v.x)) as never)(cycle as never),
    "ERR_ARGUMENT",
    "grad: variables.self contains itself, a cycle; variables must form a tree.",
  );
  says(
    () => grad((x) => sum(x))(x, { out: { x } as never }),
    "ERR_SHAPE",
    "grad: out is an object (Object); out must be built as the variables are.",
  );
  says(
    () => grad(({ a }: { a: Value; b: Value }) => sum(a))({ a: x, b: y }, { out: { a: x } as never }),
    "ERR_SHAPE",
    "grad: out.b is missing; out must be built as the variables are.",
  );
  says(
    () => grad(({ a }: { a: Value }) => sum(a))({ a: x }, { out: { a: x, c: y } as never }),
    "ERR_SHAPE",
    "grad: out.c is no variable; out must be built as the variables are.",
  );
  says(
    () => grad((x) => sum(grad((y) => sum(y))(x, { out: x as never })))(x),
    "ERR_ARGUMENT",
    "grad: out came with variables that are values; it takes the gradients of tensors.",
  );
  const dead = runtime.tensor([1, 2]);
  dead.dispose();
  says(() => grad((x) => sum(x))(dead), "ERR_DISPOSED", "grad: variables (2) is disposed; it must be alive.");
  let leaked: Value | undefined;
  grad((x) => sum((leaked = relu(x))))(x);
  says(() => relu(leaked!), "ERR_DISPOSED", "relu: input 0 (2×3) is disposed; it must be alive.");
  const other = initSync({ variant: "strict" }).tensor([1]);
  says(
    () => grad((x) => matmul(x, other))(x),
    "ERR_RUNTIME_MISMATCH",
    "matmul: input 1 (1) belongs to another runtime; all tensors must come from one.",
  );
  let [f, depth] = [(x: Value) => sum(x), 0];
  for (; depth < 31; depth++) {
    const inner = f;
    f = (x) => sum(grad(inner)(x));
  }
  says(() => grad(f)(x), "ERR_ARGUMENT", "grad: differentiations stand 31 deep; that is the most.");
});
