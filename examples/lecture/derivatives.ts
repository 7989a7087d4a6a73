/** Derivatives of vectors and matrices: shapes, the Jacobian, the chain rule from right to left, the Hessian. */
import { randomNormal, transpose as transposed, type Runtime, type Tensor } from "simdgrad";
import { constant, grad, hessian, jacobian, matmul, multiply, sum, tanh, type Value } from "simdgrad/graph";
import { distance, equal, show, type Part } from "./claim.js";

const [M, N, P] = [5, 4, 3];

export const derivatives: Part = {
  name: "derivatives",
  title: "Vector and matrix derivatives, chain rule, Hessian",
  run(runtime: Runtime) {
    const draw = (shape: number[], stream: number): Tensor => randomNormal(runtime, shape, { seed: 1, stream });
    const [A, W, x] = [draw([M, N], 0), draw([N, M], 1), draw([M, 1], 2)];
    const f = (x: Value): Value => tanh(matmul(W, x)); // y in R^n
    const g = (y: Value): Value => multiply(matmul(draw([P, N], 3), y), 2); // z in R^p
    const denominator = (f: (x: Value) => Value, x: Tensor): Tensor => transposed(jacobian(f)(x));

    const small = draw([M, 1], 4)
      .toArray()
      .map((value) => 1e-3 * value);
    const moved = runtime.tensor(
      x.toArray().map((value, i) => value + small[i]!),
      [M, 1],
    );
    const difference = f(constant(moved))
      .toArray()
      .map((value, i) => value - f(constant(x)).toArray()[i]!);
    const linear = matmul(jacobian(f)(x), runtime.tensor(small, [M, 1])).toArray();

    const whole = denominator((x) => g(f(x)), x);
    const chain = matmul(denominator(f, x), denominator(g, f(constant(x)).tensor)).toArray();

    const H = hessian((x) => sum(multiply(f(x), f(x))))(x);
    const Ht = transposed(H).toArray();
    const gradient = grad((A) => sum(multiply(A, A)))(A);
    return {
      claims: [
        {
          lecture: "the derivative of a scalar by a matrix has the matrix's shape (denominator layout)",
          measured: `A is ${A.shape.join("×")}, its gradient ${gradient.shape.join("×")}`,
          holds: gradient.shape.join() === A.shape.join(),
        },
        equal(
          "the Jacobian of Wx is W, so that ∇x Wx = Wᵀ",
          jacobian((x) => matmul(W, x))(x).toArray(),
          W.toArray(),
          1e-6,
        ),
        equal("Δy ≈ J Δx for a small Δx", difference, linear, 3e-6),
        equal("∂z/∂x = ∂y/∂x · ∂z/∂y, right to left: (m×p) = (m×n)(n×p)", whole.toArray(), chain, 1e-5),
        {
          lecture: "the Hessian is square and symmetric",
          measured: `${H.shape.join("×")}, H − Hᵀ at most ${show(distance(H.toArray(), Ht))}`,
          holds: H.shape.join() === `${M},${M}` && distance(H.toArray(), Ht) < 1e-5,
        },
        equal(
          "it is the derivative of the gradient: H Δx is how the gradient changes",
          matmul(H, runtime.tensor(small, [M, 1])).toArray(),
          (() => {
            const gradientAt = grad((x) => sum(multiply(f(x), f(x))));
            const before = gradientAt(x).toArray();
            return gradientAt(moved)
              .toArray()
              .map((value, i) => value - before[i]!);
          })(),
          2e-5,
        ),
      ],
    };
  },
};
