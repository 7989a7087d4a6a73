/** h = ReLU(Wx + b) with ℓ = (h − z)²: the gradients that the lecture derives, those of the gates, and those of the layer. */
import { Dense, randomNormal, Relu, Sequential, transpose, type Runtime } from "simdgrad";
import { add, grad, matmul, multiply, relu, square, subtract, sum, type Value } from "simdgrad/graph";
import { equal, type Part } from "./claim.js";

const [M, H] = [6, 5];

export const reluLayer: Part = {
  name: "reluLayer",
  title: "Backpropagation for a neural network layer",
  run(runtime: Runtime) {
    const draw = (shape: number[], stream: number) => randomNormal(runtime, shape, { seed: 4, stream });
    const [x, W, b, z] = [draw([M, 1], 0), draw([H, M], 1), draw([H, 1], 2), draw([H, 1], 3)];
    const variables = { W, x, b };
    const loss = ({ W, x, b }: { W: Value; x: Value; b: Value }): Value => {
      const h = relu(add(matmul(W, x), b));
      return sum(square(subtract(h, z)));
    };
    const gradient = grad(loss)(variables);

    const a = add(matmul(W, x), b);
    const dh = multiply(2, subtract(relu(a), z));
    const passes = runtime.tensor(
      a.toArray().map((value) => (value > 0 ? 1 : 0)),
      [H, 1],
    );
    const da = multiply(passes, dh); // = dc = db

    const model = new Sequential(runtime, [new Dense(M, H), new Relu()], { inputGradient: true, maxBatch: 1 });
    const [weight, bias] = model.parameters;
    weight!.value.from(W.toArray());
    bias!.value.from(b.toArray());
    model.forward(x.toArray(), { training: true });
    const dx = model.backward(transpose(dh.tensor))!;
    return {
      claims: [
        equal(
          "dl/da = I(a > 0) ⊙ dl/dh with dl/dh = 2(h − z), and dl/db = dl/da",
          gradient.b.toArray(),
          da.toArray(),
          1e-5,
        ),
        equal("dl/dx = Wᵀ dl/dc", gradient.x.toArray(), matmul(W, da, { transposeA: true }).toArray(), 1e-5),
        equal("dl/dW = dl/dc xᵀ", gradient.W.toArray(), matmul(da, x, { transposeB: true }).toArray(), 1e-5),
        equal("the layers Dense and Relu compute the same dW", weight!.gradient.toArray(), gradient.W.toArray(), 1e-5),
        equal("and the same dx", dx.toArray(), gradient.x.toArray(), 1e-5),
      ],
    };
  },
};
