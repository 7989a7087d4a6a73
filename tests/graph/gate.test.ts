import assert from "node:assert/strict";
import * as graph from "../../src/graph.js";
import { initSync, multiply as times, type Tensor } from "../../src/index.js";
import { runtimeOf, skippable, throws, VARIANTS } from "../src/support.js";

const { checkGradients, gate, grad, hessian, multiply, relu, square, sum, tanh } = graph;
type Value = graph.Value;

const test = skippable(VARIANTS[0]!.skip);
const runtime = runtimeOf("strict");

const cube = gate<readonly [x: Value]>({
  name: "cube",
  forward: ([x]) => times(x, times(x, x)),
  backward: (dy, [x]) => [multiply(dy, multiply(3, square(x)))],
});

/** `cube` with a backward that returns what is given. */
const wrong = (backward: (dy: Value, inputs: readonly [x: Value], y: Value) => unknown) =>
  gate<readonly [x: Value]>({
    name: "cube",
    forward: ([x]) => times(x, times(x, x)),
    backward: backward as never,
  });

test("a gate of one's own has a gradient and, being made of gates, a Hessian", () => {
  const x = runtime.tensor([1, -2, 3]);
  assert.deepEqual([...cube(x).toArray()], [1, -8, 27]);
  assert.deepEqual([...grad((x) => sum(cube(x)))(x).toArray()], [3, 12, 27]);
  const H = hessian((x) => sum(cube(x)))(x).toArray();
  assert.deepEqual(
    Array.from(H, (value) => value + 0),
    [6, 0, 0, 0, -12, 0, 0, 0, 18],
  ); // −0 + 0 = 0
});

test("a gate says which gradients it needs, and whether it is recorded", () => {
  const seen: unknown[] = [];
  const product = gate<readonly [a: Value, b: Value]>({
    name: "product",
    forward: ([a, b], recorded) => {
      seen.push(recorded);
      return times(a, b);
    },
    backward: (dy, [a, b], _, needs) => {
      seen.push([...needs]);
      return [multiply(dy, b), multiply(dy, a)];
    },
  });
  const [a, b] = [runtime.tensor([2]), runtime.tensor([3])];
  assert.deepEqual([...grad((a) => sum(product(a, b)))(a).toArray()], [3]);
  product(a, b);
  assert.deepEqual(seen, [true, [true, false], false]);
});

test("a gate that breaks its promise is refused with a clear message", () => {
  const x = runtime.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const of = (backward: Parameters<typeof wrong>[0]) => () => grad((x) => sum(wrong(backward)(x)))(x);
  throws(
    of((dy) => [sum(dy)]),
    "ERR_SHAPE",
    "cube: backward gave 1 for input 0, which is 2×3; a gradient has the shape of its input.",
  );
  throws(
    of((dy) => [dy, dy]),
    "ERR_ARGUMENT",
    "cube: backward's result is an array of 2; it must be an array of 1: a gradient for each input.",
  );
  throws(
    of((dy) => dy),
    "ERR_ARGUMENT",
    "cube: backward's result is an object (Value); it must be an array of 1: a gradient for each input.",
  );
  throws(
    of(() => [x]),
    "ERR_ARGUMENT",
    "cube: backward's gradient 0 is a float32 tensor 2×3; it must be a value or undefined.",
  );
  const byKernels = (backwardKernels: unknown) => () => {
    const definition = { name: "cube", forward: ([x]: readonly Tensor[]) => times(x!, x!), backward: () => [] };
    return grad((x) => sum(gate({ ...definition, backwardKernels } as never)(x as never)))(x);
  };
  throws(
    byKernels(() => [sum(x).tensor]),
    "ERR_SHAPE",
    "cube: backward gave 1 for input 0, which is 2×3; a gradient has the shape of its input.",
  );
  throws(
    byKernels((dy: Tensor) => [graph.constant(dy)]),
    "ERR_ARGUMENT",
    "cube: backward's gradient 0 is an object (Value); it must be a tensor or undefined.",
  );
  throws(
    byKernels(() => x),
    "ERR_ARGUMENT",
    "cube: backward's result is a float32 tensor 2×3; it must be an array of 1: a gradient for each input.",
  );
  throws(byKernels(3), "ERR_ARGUMENT", "gate: backwardKernels is 3; it must be a function or undefined.");
  throws(
    of((dy) => {
      const gone = relu(dy);
      gone.tensor.dispose();
      return [gone];
    }),
    "ERR_DISPOSED",
    "cube: backward's gradient 0 (2×3) is disposed; it must be alive.",
  );
  const dead = runtime.tensor([1]);
  dead.dispose();
  const gives = (result: unknown) => () =>
    gate({ name: "own", forward: () => result as Tensor, backward: () => [] })(x);
  throws(gives(3), "ERR_ARGUMENT", "own: forward's result is 3; it must be a tensor.");
  throws(gives(dead), "ERR_DISPOSED", "own: forward's result (1) is disposed; it must be alive.");
  throws(
    gives(initSync({ variant: "strict" }).tensor([1])),
    "ERR_RUNTIME_MISMATCH",
    "own: forward's result (1) belongs to another runtime; all tensors must come from one.",
  );
  throws(() => gate({ name: "own" } as never), "ERR_ARGUMENT", "gate: forward is undefined; it must be a function.");
  throws(() => gate(5 as never), "ERR_ARGUMENT", "gate: definition is 5; it must be an object.");
});

test("checkGradients passes a right gate and tells its worst element", () => {
  const x = runtime.tensor([0.5, -1.5, 2]);
  const { element, gradient, difference } = checkGradients((x) => sum(cube(x)))(x);
  assert.match(element, /^variables\[[012]\]$/);
  assert.ok(Math.abs(gradient - difference) < 1e-3 * gradient);
});

test("checkGradients names the element of a structure whose gradient is wrong", () => {
  // 2x² in place of 3x²: right at 0 alone.
  const f = ({ w }: { w: { a: Value; b: Value } }) =>
    sum(wrong((dy, [x]) => [multiply(dy, multiply(2, square(x)))])(multiply(w.a, w.b)));
  const w = { a: runtime.tensor([0, 0, 1]), b: runtime.tensor([0, 1, 1]) };
  throws(
    () => checkGradients(f)({ w }),
    "ERR_GRADIENT",
    "checkGradients: the gradient of variables.w.a[2] is 2 by the backward pass but 3 by differences; they must agree.",
  );
  assert.deepEqual([...w.a.toArray()], [0, 0, 1], "the variables stay");
});

test("checkGradients allows for what float32 cannot tell, and no more", () => {
  const x = runtime.tensor([1]);
  checkGradients((x) => sum(multiply(tanh(x), 1e6)))(x);
  checkGradients((x) => sum(relu(x)))(runtime.tensor([1, -1]));
  assert.throws(() => checkGradients((x) => sum(relu(x)))(runtime.tensor([0])), { code: "ERR_GRADIENT" });
  throws(
    () => checkGradients((x) => sum(x))(x, { step: 0 }),
    "ERR_ARGUMENT",
    "checkGradients: step is 0; it must be a finite float32 above 0.",
  );
});
