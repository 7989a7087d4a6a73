/** The matrix product with what can be fused to it. */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { checkOut, type OutOption } from "../out.js";
import type { PackedMatrix } from "../packedMatrix.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Tensor } from "../tensor.js";
import { EPILOGUE, factorOf, multiply, multiplyPacked, productsOf, type Factor } from "./products.js";

/** An activation that a kernel applies while it writes its result. */
export type FusedActivation = "relu" | "tanh" | "leakyRelu";

export interface MatmulOptions extends OutOption {
  /** Takes aᵀ for a, without a copy. */
  readonly transposeA?: boolean;
  /** Likewise; a packed b was transposed, or not, when it was packed. */
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

const OPERATION = "matmul";

type Transposes = Required<Pick<MatmulOptions, "transposeA" | "transposeB">>;

/**
 * activation(alpha · a · b + beta · out + bias): a is m×k, b is k×n (after their transposes), the result m×n. Either may be a
 * batch of matrices, batch×m×k or batch×k×n: then the result is batch×m×n, and a single matrix takes part in every product.
 * b may come packed, from `packMatrix`. `out` must share no memory with a, b or bias.
 */
export function matmul(a: Tensor, b: Tensor | PackedMatrix, options: MatmulOptions = {}): Tensor {
  const runtime = check.runtimeOf(OPERATION, "a", a);
  check.matrices(OPERATION, "a", a, runtime);
  const isPacked = check.isPackedMatrix(b);
  if (isPacked) check.packedMatrix(OPERATION, "b", b, runtime);
  else check.matrices(OPERATION, "b", b, runtime);
  const settings = settingsOf(options, isPacked);
  const { alpha, beta, bias, activation, slope, out } = settings;
  const left = factorOf(a.pointer, a.shape, settings.transposeA);
  const right = factorOf(b.pointer, b.shape, settings.transposeB);
  const shape = shapeOf(a, b, settings, left, right);
  if (bias !== undefined) checkBias(bias, right.columns, runtime);
  if (out !== undefined) checkApart(out, shape, a, b, bias);

  const { kernels } = runtime;
  const products = productsOf(Math.max(left.count, right.count), left, right);
  const work = runtime.scratch(OPERATION, kernels.sgemmWorkSize(products.m, products.n, products.k));
  const c = out ?? runtime.empty(OPERATION, shape, "float32");
  const epilogue = bias ? EPILOGUE[activation ?? "none"] : 0;
  const lastWrite = { alpha, beta, bias: bias?.pointer ?? 0, epilogue, slope };
  (isPacked ? multiplyPacked : multiply)(kernels, c.pointer, products, lastWrite, work);
  if (bias) return c;
  if (activation === "leakyRelu") kernels.leakyRelu(c.pointer, c.pointer, c.size, slope);
  else if (activation) kernels[activation](c.pointer, c.pointer, c.size);
  return c;
}

/** The options with their defaults, checked as far as that needs no sizes. */
function settingsOf(options: MatmulOptions, isPacked: boolean) {
  const {
    transposeA = false,
    transposeB = false,
    alpha = 1,
    beta = 0,
    bias,
    activation,
    slope = 0.01,
    out,
  } = check.options(OPERATION, options);
  check.boolean(OPERATION, "transposeA", transposeA);
  check.boolean(OPERATION, "transposeB", transposeB);
  check.finite(OPERATION, "alpha", alpha);
  check.finite(OPERATION, "beta", beta);
  if (activation !== undefined) check.oneOf(OPERATION, "activation", activation, ["relu", "tanh", "leakyRelu"]);
  check.finite(OPERATION, "slope", slope);
  if (transposeB && isPacked) {
    throw new ArgumentError(
      `${OPERATION}: transposeB is true but b is packed; choose that when packing: packMatrix(b, { transpose: true }).`,
    );
  }
  if (beta !== 0 && out === undefined) {
    throw new ArgumentError(`${OPERATION}: beta is ${String(beta)} but no out came; beta scales what out holds.`);
  }
  return { transposeA, transposeB, alpha, beta, bias, activation, slope, out };
}

/** The result's shape, if the factors fit. */
function shapeOf(a: Tensor, b: Tensor | PackedMatrix, settings: Transposes, left: Factor, right: Factor): number[] {
  if (left.columns !== right.rows) {
    const [its, others] = [settings.transposeA ? "rows" : "columns", settings.transposeB ? "columns" : "rows"];
    refuse(a, b, settings, `a's ${its} must equal b's ${others}`);
  }
  if (left.count !== right.count && left.count !== 1 && right.count !== 1) {
    refuse(a, b, settings, "both must have as many matrices, or one of them only one");
  }
  return a.shape.length === 2 && b.shape.length === 2
    ? [left.rows, right.columns]
    : [Math.max(left.count, right.count), left.rows, right.columns];
}

function refuse(a: Tensor, b: Tensor | PackedMatrix, { transposeA, transposeB }: Transposes, rule: string): never {
  const say = (name: string, { shape }: Tensor | PackedMatrix, transposed: boolean) =>
    `${name} is ${check.showShape(shape)}${transposed ? " (transposed)" : ""}`;
  throw new ShapeError(`${OPERATION}: ${say("a", a, transposeA)} but ${say("b", b, transposeB)}; ${rule}.`);
}

function checkBias(bias: Tensor, columns: number, runtime: Runtime): void {
  check.floats(OPERATION, "bias", bias, runtime);
  check.shape(OPERATION, "bias", bias, [columns], "one value for each column of the result");
}

function checkApart(
  out: Tensor,
  shape: readonly number[],
  a: Tensor,
  b: Tensor | PackedMatrix,
  bias: Tensor | undefined,
): void {
  checkOut(OPERATION, a.runtime, out, shape);
  check.apart(OPERATION, "out", out, "a", a);
  check.apart(OPERATION, "out", out, "b", b);
  if (bias) check.apart(OPERATION, "out", out, "bias", bias);
}
