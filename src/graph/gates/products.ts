/** Matrix products as gates. */
import * as check from "../../check.js";
import { leakyReluBackward, reluBackward, tanhBackward } from "../../ops/activations.js";
import { matmul as product, type FusedActivation } from "../../ops/matmul.js";
import { columnSums } from "../../ops/reductions.js";
import type { Tensor } from "../../tensor.js";
import { fused } from "../gate.js";
import { Value, type Gate, type Operand } from "../value.js";
import { leakyRelu, relu, tanh } from "./activations.js";
import { add } from "./arithmetic.js";

export interface MatmulGateOptions {
  /** Takes aᵀ for a, without a copy. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** c = a · b, a being m×k and b k×n after their transposes; da = dc · bᵀ, db = aᵀ · dc. */
export function matmul(a: Operand, b: Operand, options: MatmulGateOptions = {}): Value {
  const { transposeA = false, transposeB = false } = check.options("matmul", options);
  return Value.apply(matmulGate(transposeA, transposeB), [a, b]);
}

/** A product of values or of tensors, which `out` takes. */
type Product<T> = (a: T, b: T, options: MatmulGateOptions & { readonly out?: Tensor }) => T;

function matmulGate(transposeA: boolean, transposeB: boolean): Gate<readonly [a: Value, b: Value]> {
  return {
    name: "matmul",
    forward: ([a, b]) => {
      check.rank("matmul", "a", a, 2);
      check.rank("matmul", "b", b, 2);
      return product(a, b, { transposeA, transposeB });
    },
    backward: (dy, [a, b], _, [needsA, needsB]) => [
      needsA ? gradientOfA(matmul, transposeA, transposeB, b, dy) : undefined,
      needsB ? gradientOfB(matmul, transposeA, transposeB, a, dy) : undefined,
    ],
    backwardKernels: (dy, [a, b], _, [needsA, needsB], [outA, outB]) => [
      needsA ? gradientOfA(product, transposeA, transposeB, b, dy, outA) : undefined,
      needsB ? gradientOfB(product, transposeA, transposeB, a, dy, outB) : undefined,
    ],
  };
}

function gradientOfA<T>(times: Product<T>, transposeA: boolean, transposeB: boolean, b: T, dy: T, out?: Tensor): T {
  const taken = out && { out };
  return transposeA
    ? times(b, dy, { transposeA: transposeB, transposeB: true, ...taken })
    : times(dy, b, { transposeB: !transposeB, ...taken });
}

function gradientOfB<T>(times: Product<T>, transposeA: boolean, transposeB: boolean, a: T, dy: T, out?: Tensor): T {
  const taken = out && { out };
  return transposeB
    ? times(dy, a, { transposeA: true, transposeB: transposeA, ...taken })
    : times(a, dy, { transposeA: !transposeA, ...taken });
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
  return Value.apply(activation === undefined ? AFFINE : denseGate(activation), [x, W, b]);
}

/** What an activation means in gates, and dz from y and dy by a kernel: y tells what z was. */
const ACTIVATIONS: Readonly<
  Record<FusedActivation, { byGates: (z: Value) => Value; backward: (y: Tensor, dy: Tensor) => Tensor }>
> = {
  relu: { byGates: relu, backward: reluBackward },
  leakyRelu: { byGates: leakyRelu, backward: leakyReluBackward },
  tanh: { byGates: tanh, backward: tanhBackward },
};

const AFFINE = denseGate(undefined);

function denseGate(activation: FusedActivation | undefined): Gate<readonly [x: Value, W: Value, b: Value]> {
  return fused("dense", (inputs) => denseByGates(inputs, activation), {
    forward: ([x, W, b]) => product(x, W, { transposeB: true, bias: b, ...(activation && { activation }) }),
    backward: (dy, [x, W], y, [needsX, needsW, needsB], [dx, dW, db]) => {
      const dz = activation === undefined ? dy : ACTIVATIONS[activation].backward(y, dy);
      return [
        needsX ? product(dz, W, { ...(dx && { out: dx }) }) : undefined,
        needsW ? product(dz, x, { transposeA: true, ...(dW && { out: dW }) }) : undefined,
        needsB ? columnSums(dz, { ...(db && { out: db }) }) : undefined,
      ];
    },
  });
}

function denseByGates(
  [x, W, b]: readonly [x: Value, W: Value, b: Value],
  activation: FusedActivation | undefined,
): Value {
  const z = add(matmul(x, W, { transposeB: true }), b);
  return activation === undefined ? z : ACTIVATIONS[activation].byGates(z);
}
