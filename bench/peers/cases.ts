/** The table of everything that `npm run bench:peers` compares: one row a case, in suites. */
import type { Random } from "../../tests/support/random.js";
import type { Limit, Unit } from "../harness.js";
import { expectProduct, type Product } from "../operations.js";
import type { Task } from "./protocol.js";

export const SUITES = ["gemm"] as const;
export type Suite = (typeof SUITES)[number];

export interface PeerCase {
  readonly suite: Suite;
  readonly name: string;
  readonly unit: Unit;
  /** Operations or elements of one call; a case in ms has none. */
  readonly amount: number;
  readonly limit: Limit;
  readonly task: Task;
  /** The data that all peers share. */
  inputs(random: Random): Float32Array[];
  /** Throws an Error that names the first wrong value among the results, one array after the other. */
  check(inputs: readonly Float32Array[], outputs: Float32Array): void;
}

type Transposes = "NN" | "NT" | "TN";

/** C = op(A)·op(B), m×n, with A and B as `transposes` says they are stored. */
function gemm(transposes: Transposes, m: number, n: number, k: number): PeerCase {
  const product: Product = { transposes, m, n, k };
  const flops = 2 * m * n * k;
  return {
    suite: "gemm",
    name: `${transposes} ${m}x${n}x${k}`,
    unit: "GFLOP/s",
    amount: flops,
    limit: { flops },
    task: { operation: `gemm${transposes}`, sizes: [m, n, k] },
    inputs: (random) => [random.floats(m * k), random.floats(k * n)],
    check: ([a = new Float32Array(), b = new Float32Array()], c) => {
      expectProduct(product, a, b, c);
    },
  };
}

const SQUARES = [4, 8, 16, 32, 64, 100, 127, 128, 129, 200, 256, 384, 512, 768, 1024];
const TRANSPOSED_SQUARES = [64, 128, 256, 512, 1024];

export const cases: readonly PeerCase[] = [
  ...SQUARES.map((n) => gemm("NN", n, n, n)),
  ...TRANSPOSED_SQUARES.flatMap((n) => [gemm("NT", n, n, n), gemm("TN", n, n, n)]),
  // One example, and a few, through wide layers.
  gemm("NN", 1, 128, 784),
  gemm("NN", 1, 4096, 4096),
  gemm("NN", 8, 4096, 4096),
  // Dense 784 → 256 at batch 32 and 128: forward, dW and dX with weights inFeatures × outFeatures, then the other way.
  ...[32, 128].flatMap((batch) => [
    gemm("NN", batch, 256, 784),
    gemm("TN", 784, 256, batch),
    gemm("NT", batch, 784, 256),
    gemm("NT", batch, 256, 784),
    gemm("TN", 256, 784, batch),
    gemm("NN", batch, 784, 256),
  ]),
  gemm("NN", 1000, 100, 100),
  gemm("NN", 1000, 10, 100),
];

/** The case of a task. */
export function findCase({ operation, sizes }: Task): PeerCase {
  const found = cases.find(({ task }) => task.operation === operation && String(task.sizes) === String(sizes));
  if (found === undefined) throw new Error(`there is no case ${operation} ${sizes.join(",")}.`);
  return found;
}
