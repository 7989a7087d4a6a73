/** The table of gates: what each computes, as loops over float64. */
import { graph } from "../../src/index.js";
import * as matmul from "../reference/matmul.js";

type Operand = graph.Operand;

export interface GateCase {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly gate: (...inputs: Operand[]) => graph.Value;
  readonly reference: (...inputs: Float64Array[]) => ArrayLike<number>;
  /** Where inputs are drawn from; −1 … 1 unless given. */
  readonly range?: readonly [low: number, high: number];
}

/** A row-major rows × columns matrix, transposed. */
function transposed(x: Float64Array, rows: number, columns: number): Float64Array {
  return x.map((_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

function product(m: number, n: number, k: number, transposeA: boolean, transposeB: boolean): GateCase {
  return {
    name: `matmul ${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}`,
    shapes: [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]],
    gate: (a, b) => graph.matmul(a, b, { transposeA, transposeB }),
    reference: (a, b) => {
      const left = transposeA ? transposed(a, k, m) : a;
      const right = transposeB ? transposed(b, n, k) : b;
      return matmul.matmul(m, n, k, left, right, [], [], 1, 0, 0).values;
    },
  };
}

export const cases: readonly GateCase[] = [
  ...[false, true].flatMap((a) => [false, true].map((b) => product(3, 4, 5, a, b))),
  { name: "relu", shapes: [[3, 5]], gate: graph.relu, reference: (x) => x.map((value) => Math.max(value, 0)) },
  {
    name: "scale",
    shapes: [[7]],
    gate: (x) => graph.scale(x, -0.75),
    reference: (x) => x.map((value) => -0.75 * value),
  },
  { name: "sum", shapes: [[3, 7]], gate: graph.sum, reference: (x) => [x.reduce((total, value) => total + value, 0)] },
];
