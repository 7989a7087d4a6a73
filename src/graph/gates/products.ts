/** Matrix products as gates. */
import * as check from "../../check.js";
import { matmul as product } from "../../ops/matmul.js";
import { Value, type Operand } from "../value.js";

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
