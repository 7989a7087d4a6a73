/** Matrix products as gates. */
import * as check from "../../check.js";
import { reluBackward, tanhBackward } from "../../ops/activations.js";
import { matmul as product, type FusedActivation } from "../../ops/matmul.js";
import { columnSums } from "../../ops/reductions.js";
import { fused } from "../gate.js";
import { Value, type Operand } from "../value.js";
import { relu, tanh } from "./activations.js";
import { add } from "./arithmetic.js";

export interface MatmulGateOptions {
  /** Takes aᵀ for a, without a copy. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** c = a · b, a being m×k and b k×n after their transposes; da = dc · bᵀ, db = aᵀ · dc. */
export function matmul(a: Operand, b: Operand, options: MatmulGateOptions = {}): Value {
  const { transposeA = false, transposeB = false } = check.options("matmul", options);
  const gradientOfA = (b: Value, dy: Value) =>
    transposeA
      ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
      : matmul(dy, b, { transposeB: !transposeB });
  const gradientOfB = (a: Value, dy: Value) =>
    transposeB
      ? matmul(dy, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, dy, { transposeA: !transposeA });
  return Value.apply<[a: Value, b: Value]>(
    {
      name: "matmul",
      forward: ([a, b]) => product(a, b, { transposeA, transposeB }),
      backward: (dy, [a, b], _, [needsA, needsB]) => [
        needsA ? gradientOfA(b, dy) : undefined,
        needsB ? gradientOfB(a, dy) : undefined,
      ],
    },
    [a, b],
  );
}

export interface DenseGateOptions {
  /** Applied as the product is written. */
  readonly activation?: FusedActivation;
}

/**
 * activation(x · Wᵀ + b) in one product, as the layer Dense: x is batch × inFeatures, W outFeatures × inFeatures, b has one
 * value for each of outFeatures. dz is dy through the activation; dW = dzᵀ · x, db = Σ dz over the batch, dx = dz · W.
 */
export function dense(x: Operand, W: Operand, b: Operand, options: DenseGateOptions = {}): Value {
  const { activation } = check.options("dense", options);
  const byGates = ([x, W, b]: readonly [Value, Value, Value]): Value => {
    const z = add(matmul(x, W, { transposeB: true }), b);
    return activation === undefined ? z : activation === "relu" ? relu(z) : tanh(z);
  };
  return Value.apply<readonly [x: Value, W: Value, b: Value]>(
    fused("dense", byGates, {
      forward: ([x, W, b]) => product(x, W, { transposeB: true, bias: b, ...(activation && { activation }) }),
      backward: (dy, [x, W], y, [needsX, needsW, needsB]) => {
        const dz = activation === undefined ? dy : activation === "relu" ? reluBackward(y, dy) : tanhBackward(y, dy);
        return [
          needsX ? product(dz, W) : undefined,
          needsW ? product(dz, x, { transposeA: true }) : undefined,
          needsB ? columnSums(dz) : undefined,
        ];
      },
    }),
    [x, W, b],
  );
}
