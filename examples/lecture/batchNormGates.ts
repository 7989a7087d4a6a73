/**
 * Batch norm as the lecture's computational graph, x̂ = a · b with a = x − μ, b = 1 / c, c = √e, e = σ² + ε, and its gradients as the
 * lecture derives them, beside the fused kernel.
 */
import { randomNormal, type Runtime, type Tensor } from "simdgrad";
import {
  add,
  batchNorm,
  grad,
  mean as meanOf,
  multiply,
  reciprocal,
  sqrt,
  square,
  subtract,
  type Value,
} from "simdgrad/graph";
import { deviation, equal, mean, show, type Part } from "./claim.js";

const [BATCH, UNITS, EPS] = [64, 5, 1e-5];

/** Values where they are differentiated, tensors elsewhere. */
interface Variables<Kind extends Value | Tensor = Value> {
  readonly x: Kind;
  readonly gamma: Kind;
  readonly beta: Kind;
}

const overBatch = { axis: 0, keepDims: true };

/** y = γ x̂ + β, gate by gate. */
function byGates({ x, gamma, beta }: Variables<Value | Tensor>): Value {
  const mu = meanOf(x, overBatch);
  const a = subtract(x, mu);
  const variance = meanOf(square(a), overBatch);
  const e = add(variance, EPS);
  const c = sqrt(e);
  const b = reciprocal(c);
  return add(multiply(gamma, multiply(a, b)), beta);
}

/** The lecture's formulas, in float64 for unit i: dβ, dγ, dx. */
function formulas(x: Float32Array, dy: Float32Array, gamma: Float32Array) {
  const column = (values: Float32Array, i: number) => Array.from({ length: BATCH }, (_, j) => values[j * UNITS + i]!);
  const dx = new Float64Array(BATCH * UNITS);
  const sums = Array.from(gamma, (scale, i) => {
    const [xs, dys] = [column(x, i), column(dy, i)];
    const mu = mean(xs);
    const variance = mean(xs.map((value) => (value - mu) ** 2));
    const root = Math.sqrt(variance + EPS);
    const dHat = dys.map((value) => value * scale); // ∂l/∂x̂
    const dMu = -dHat.reduce((total, value) => total + value, 0) / root;
    const dVariance = xs.reduce((total, value, j) => total - (0.5 / root ** 3) * (value - mu) * dHat[j]!, 0);
    xs.forEach((value, j) => {
      dx[j * UNITS + i] = dHat[j]! / root + (2 * (value - mu) * dVariance) / BATCH + dMu / BATCH;
    });
    const dBeta = dys.reduce((total, value) => total + value, 0);
    const dGamma = dys.reduce((total, value, j) => total + (value * (xs[j]! - mu)) / root, 0);
    return { dBeta, dGamma };
  });
  return { dx, dGamma: sums.map(({ dGamma }) => dGamma), dBeta: sums.map(({ dBeta }) => dBeta) };
}

export const batchNormGates: Part = {
  name: "batchNormGates",
  title: "Batch normalization, its graph and its gradients",
  run(runtime: Runtime) {
    const draw = (shape: number[], stream: number, mean = 0, deviation = 1) =>
      randomNormal(runtime, shape, { seed: 5, stream, mean, deviation });
    const [x, gamma, beta] = [draw([BATCH, UNITS], 0, 3, 2), draw([UNITS], 1, 1, 0.2), draw([UNITS], 2)];
    const variables = { x, gamma, beta };
    const fused = ({ x, gamma, beta }: Variables) => batchNorm(x, gamma, beta, { eps: EPS });
    const dy = draw([BATCH, UNITS], 3);
    const gradient = grad<Variables>(byGates)(variables, { seed: dy });
    const kernels = grad<Variables>(fused)(variables, { seed: dy });
    const expected = formulas(x.toArray(), dy.toArray(), gamma.toArray());
    const y = batchNorm(x, gamma, beta, { eps: EPS }).toArray();
    const unit = (values: Float32Array, i: number) => values.filter((_, at) => at % UNITS === i);

    // γ = σ and β = μ undo the normalization.
    const columns = Array.from({ length: UNITS }, (_, i) => unit(x.toArray(), i));
    const sigma = runtime.tensor(columns.map((column) => Math.sqrt(deviation(column) ** 2 + EPS)));
    const mu = runtime.tensor(columns.map(mean));
    const undone = batchNorm(x, sigma, mu, { eps: EPS }).toArray();
    const one = draw([1, UNITS], 4, 3, 2);
    const moments = columns.map((_, i) => {
      const values = unit(y, i);
      return Math.abs(mean(values) - beta.toArray()[i]!) + Math.abs(deviation(values) ** 2 - gamma.toArray()[i]! ** 2);
    });
    return {
      claims: [
        equal("the gates a, b, c, e, μ, σ² compute what the fused kernel does", byGates(variables).toArray(), y, 1e-5),
        equal("∂l/∂β = Σ ∂l/∂y", gradient.beta.toArray(), expected.dBeta, 1e-4),
        equal("∂l/∂γ = Σ ∂l/∂y x̂", gradient.gamma.toArray(), expected.dGamma, 1e-4),
        equal(
          "∂l/∂x = ∂l/∂a + ∂σ²/∂x ∂l/∂σ² + ∂μ/∂x ∂l/∂μ (with ∂l/∂μ negative)",
          gradient.x.toArray(),
          expected.dx,
          1e-5,
        ),
        equal("the fused backward kernel gives the same ∂l/∂x", kernels.x.toArray(), gradient.x.toArray(), 1e-5),
        {
          lecture: "E y = β and var y = γ²",
          measured: `off by ${show(Math.max(...moments))}`,
          holds: Math.max(...moments) < 1e-4,
        },
        equal("γ = σ and β = μ undo the normalization", undone, x.toArray(), 1e-4),
        equal(
          "a batch of one has no statistics: y is β whatever x is",
          batchNorm(one, gamma, beta).toArray(),
          beta.toArray(),
          0,
        ),
        {
          lecture: "the statistics of the batch take part in backpropagation: each unit's ∂l/∂x adds up to 0",
          measured: `at most ${show(Math.max(...columns.map((_, i) => Math.abs(mean(unit(gradient.x.toArray(), i))))))} in the mean`,
          holds: columns.every((_, i) => Math.abs(mean(unit(gradient.x.toArray(), i))) < 1e-6),
        },
      ],
    };
  },
};
