/** z = y − Wx: ∂z/∂W is an m×n×m tensor, mostly of zeros, that collapses to −(∂ε/∂z) xᵀ and need never be stored. */
import { randomNormal, type Runtime } from "simdgrad";
import { grad, jacobian, matmul, reshape, scale, square, subtract, sum, type Value } from "simdgrad/graph";
import { equal, type Part } from "./claim.js";

const [M, N] = [3, 4];

export const tensorDerivative: Part = {
  name: "tensorDerivative",
  title: "Multivariate chain rule and tensor derivative",
  run(runtime: Runtime) {
    const draw = (shape: number[], stream: number) => randomNormal(runtime, shape, { seed: 2, stream });
    const [W, x, y] = [draw([M, N], 0), draw([N, 1], 1), draw([M, 1], 2)];
    const z = (W: Value): Value => subtract(y, matmul(W, x));
    const epsilon = (z: Value): Value => scale(sum(square(z)), 0.5);

    // A row for each z_k, the derivative of z_k by W in it: the m×n×m tensor, z's dimension first.
    const tensor = jacobian(z)(W);
    const slices = Array.from({ length: M * M * N }, (_, at) => {
      const [k, i, j] = [Math.floor(at / (M * N)), Math.floor(at / N) % M, at % N];
      return i === k ? -x.toArray()[j]! : 0;
    });
    const zs = subtract(y, matmul(W, x));
    const dz = grad(epsilon)(zs.tensor);
    const contracted = matmul(reshape(dz, [1, M]), tensor); // Σ_k ∂ε/∂z_k · ∂z_k/∂W
    const shortcut = scale(matmul(zs, x, { transposeB: true }), -1);
    const backward = grad((W) => epsilon(z(W)))(W);
    const zeros = tensor.toArray().filter((value) => value === 0).length;
    return {
      claims: [
        equal("∂z_k/∂W is 0 but for row k, which is −xᵀ", tensor.toArray(), slices, 0),
        equal("∂ε/∂z = z", dz.toArray(), zs.toArray(), 1e-6),
        equal("the m×n×m tensor times ∂ε/∂z collapses to −z xᵀ", contracted.toArray(), shortcut.toArray(), 1e-6),
        equal(
          "the backward pass takes the shortcut: ∇W ε = −(y − Wx) xᵀ",
          backward.toArray(),
          shortcut.toArray(),
          1e-6,
        ),
        {
          lecture: "so that the sparse tensor need never be stored",
          measured: `${tensor.size} numbers, ${zeros} of them 0, beside ${backward.size}`,
          holds: tensor.size === M * backward.size && zeros === tensor.size - backward.size,
        },
      ],
    };
  },
};
