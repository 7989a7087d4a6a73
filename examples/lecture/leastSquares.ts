/** L = ½ Σ ‖y − Wx‖²: gradient descent along −(y − Wx) xᵀ finds the W of the normal equations, W = Y Xᵀ (X Xᵀ)⁻¹. */
import { matmul as product, randomNormal, Sgd, type Runtime } from "simdgrad";
import { grad, matmul, Parameters, scale, square, subtract, sum, valueAndGrad, type Value } from "simdgrad/graph";
import { distance, equal, show, type Extent, type Part } from "./claim.js";

const [M, N, EXAMPLES] = [3, 4, 200];

export const leastSquares: Part = {
  name: "leastSquares",
  title: "Least squares by gradient descent",
  run(runtime: Runtime, extent: Extent) {
    const draw = (shape: number[], stream: number, deviation = 1) =>
      randomNormal(runtime, shape, { seed: 3, stream, deviation });
    // An example a column, as in the lecture.
    const [truth, X, noise] = [draw([M, N], 0), draw([N, EXAMPLES], 1), draw([M, EXAMPLES], 2, 0.1)];
    const Y = product(truth, X, { beta: 1, out: noise });
    const loss = (W: Value): Value => scale(sum(square(subtract(Y, matmul(W, X)))), 0.5);

    const model = new Parameters(runtime, { W: { shape: [M, N] } });
    const { W } = model.values;
    const somewhere = draw([M, N], 3);
    const shortcut = scale(matmul(subtract(Y, matmul(somewhere, X)), X, { transposeB: true }), -1).toArray();
    const gradient = grad(loss)(somewhere).toArray();
    const optimizer = new Sgd({ learningRate: 0.5 / EXAMPLES }).bind(model);
    const step = valueAndGrad(({ W }: { W: Value }) => loss(W));
    const losses = Array.from({ length: extent === "full" ? 200 : 100 }, () => {
      const { value } = step(model.values, { out: model.gradients });
      optimizer.step();
      return value;
    });

    const XXt = product(X, X, { transposeB: true }).toArray();
    const YXt = product(Y, X, { transposeB: true }).toArray();
    const closed = solveRight(Float64Array.from(YXt), Float64Array.from(XXt), M, N);
    const one = runtime.tensor(
      X.toArray().filter((_, i) => i % EXAMPLES === 0),
      [N, 1],
    );
    return {
      claims: [
        equal("∇W L = −(Y − WX) Xᵀ", gradient, shortcut, 1e-3),
        equal("its zero is W = Y Xᵀ (X Xᵀ)⁻¹, where gradient descent arrives", W.toArray(), closed, 1e-4),
        {
          lecture: "so that it recovers the W that made the data, up to their noise",
          measured: `at most ${show(distance(W.toArray(), truth.toArray()))} apart, loss ${show(losses[0]!)} → ${show(losses.at(-1)!)}`,
          holds: distance(W.toArray(), truth.toArray()) < 0.05,
        },
        {
          lecture: "for one example alone (the slide's form) x xᵀ has rank 1: singular, no inverse",
          measured: `its second pivot is ${show(secondPivot(product(one, one, { transposeB: true }).toArray()))}`,
          holds: Math.abs(secondPivot(product(one, one, { transposeB: true }).toArray())) < 1e-6,
        },
      ],
      figures: {
        leastSquares: {
          title: "Least squares by gradient descent: the loss",
          width: 420,
          height: 200,
          data: { values: losses.slice(0, 60).map((loss, step) => ({ step, loss })) },
          mark: "line",
          encoding: {
            x: { field: "step", type: "quantitative" },
            y: { field: "loss", type: "quantitative", scale: { type: "log" } },
          },
        },
      },
    };
  },
};

/** W (m×n) with W·A = B, for a symmetric positive A (n×n): Gauss's elimination. */
function solveRight(B: Float64Array, A: Float64Array, m: number, n: number): Float64Array {
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = A[i * n + k]! / A[k * n + k]!;
      for (let j = 0; j < n; j++) A[i * n + j]! -= factor * A[k * n + j]!;
      for (let r = 0; r < m; r++) B[r * n + i]! -= factor * B[r * n + k]!;
    }
  }
  return B.map((value, at) => value / A[(at % n) * (n + 1)]!);
}

/** What elimination leaves of the second diagonal element. */
function secondPivot(A: Float32Array): number {
  return A[N + 1]! - (A[N]! * A[1]!) / A[0]!;
}
