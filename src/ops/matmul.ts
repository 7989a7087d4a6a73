/** The matrix product with what can be fused to it. */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { checkOut, floatResult, type OutOption } from "../out.js";
import type { Tensor } from "../tensor.js";

/** An activation that a kernel applies while it writes its result. */
export type FusedActivation = "relu" | "tanh" | "leakyRelu";

export interface MatmulOptions extends OutOption {
  /** Takes aᵀ for a, without a copy. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Scales the product. */
  readonly alpha?: number;
  /** Scales what `out` holds before, which is then required. 0 does not read it. */
  readonly beta?: number;
  /** One value for each column of the result. */
  readonly bias?: Tensor;
  readonly activation?: FusedActivation;
  /** Of leakyRelu, what scales values that are not positive; 0.01 by default. */
  readonly slope?: number;
}

/** sgemm's `epilogue` argument: what follows the bias. */
export const EPILOGUE = { none: 1, relu: 2, tanh: 3, leakyRelu: 4 } as const;

/**
 * activation(alpha · a · b + beta · out + bias): a is m×k, b is k×n (after their transposes), the result m×n.
 * `out` must share no memory with a, b or bias.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const operation = "matmul";
  const runtime = check.runtimeOf(operation, "a", a);
  check.matrix(operation, "a", a, runtime);
  check.matrix(operation, "b", b, runtime);
  const {
    transposeA = false,
    transposeB = false,
    alpha = 1,
    beta = 0,
    bias,
    activation,
    slope = 0.01,
    out,
  } = check.options(operation, options);
  check.boolean(operation, "transposeA", transposeA);
  check.boolean(operation, "transposeB", transposeB);
  check.finite(operation, "alpha", alpha);
  check.finite(operation, "beta", beta);
  if (activation !== undefined) check.oneOf(operation, "activation", activation, ["relu", "tanh", "leakyRelu"]);
  check.finite(operation, "slope", slope);
  const [aRows, aCols] = a.shape as [number, number];
  const [bRows, bCols] = b.shape as [number, number];
  const [m, k] = transposeA ? [aCols, aRows] : [aRows, aCols];
  const [inner, n] = transposeB ? [bCols, bRows] : [bRows, bCols];
  if (k !== inner) {
    const say = (name: string, tensor: Tensor, transposed: boolean) =>
      `${name} is ${check.showShape(tensor.shape)}${transposed ? " (transposed)" : ""}`;
    throw new ShapeError(
      `${operation}: ${say("a", a, transposeA)} but ${say("b", b, transposeB)}; ` +
        `a's ${transposeA ? "rows" : "columns"} must equal b's ${transposeB ? "columns" : "rows"}.`,
    );
  }
  if (bias !== undefined) {
    check.floats(operation, "bias", bias, runtime);
    check.shape(operation, "bias", bias, [n], "one value for each column of the result");
  }
  if (beta !== 0 && out === undefined) {
    throw new ArgumentError(`${operation}: beta is ${String(beta)} but no out came; beta scales what out holds.`);
  }
  if (out !== undefined) {
    checkOut(operation, runtime, out, [m, n]);
    check.apart(operation, "out", out, "a", a);
    check.apart(operation, "out", out, "b", b);
    if (bias) check.apart(operation, "out", out, "bias", bias);
  }
  const { kernels } = runtime;
  const work = runtime.scratch(operation, kernels.sgemmWorkSize(m, n, k));
  const c = floatResult(operation, runtime, out, [m, n]);
  kernels.sgemm(
    c.pointer,
    a.pointer,
    b.pointer,
    bias?.pointer ?? 0,
    m,
    n,
    k,
    n,
    1,
    transposeA ? 1 : aCols,
    transposeA ? aCols : 1,
    transposeB ? 1 : bCols,
    transposeB ? bCols : 1,
    alpha,
    beta,
    bias ? EPILOGUE[activation ?? "none"] : 0,
    slope,
    0,
    0,
    m,
    work,
  );
  if (bias) return c;
  if (activation === "leakyRelu") kernels.leakyRelu(c.pointer, c.pointer, c.size, slope);
  else if (activation) kernels[activation](c.pointer, c.pointer, c.size);
  return c;
}
