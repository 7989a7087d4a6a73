/** jax-js on its wasm backend, every operation compiled by `jit`. */
import { gemms, load, operations, serve, versionOf } from "../serve.js";

/** Reference counted: a function takes its arguments for good; `ref` lends them. */
interface Array {
  readonly ref: Array;
  reshape(shape: number[]): Array;
  blockUntilReady(): Promise<Array>;
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Jax {
  init(device: string): Promise<unknown>;
  defaultDevice(device: string): unknown;
  readonly jit: <F>(f: F) => F;
  readonly numpy: {
    array(values: Float32Array): Array;
    matmul(a: Array, b: Array): Array;
    transpose(a: Array): Array;
  };
}

const jax = (await load("@jax-js/jax")) as Jax;
const { jit, numpy: np } = jax;
await jax.init("wasm");
jax.defaultDevice("wasm");

async function array(values: Float32Array, shape: number[]): Promise<Array> {
  return np.array(values).reshape(shape).blockUntilReady();
}

/** Waits for a result and lets it go. */
async function done(result: Array): Promise<void> {
  await result.blockUntilReady();
  result.dispose();
}

const products = gemms(async ({ a, b, shapeA, shapeB, transposeA, transposeB }) => {
  const [A, B] = [await array(a, shapeA), await array(b, shapeB)];
  const matmul = jit((x: Array, y: Array) =>
    np.matmul(transposeA ? np.transpose(x) : x, transposeB ? np.transpose(y) : y),
  );
  return {
    call: () => done(matmul(A.ref, B.ref)),
    outputs: async () => [await matmul(A.ref, B.ref).data()],
    dispose: () => {
      A.dispose();
      B.dispose();
    },
  };
});

await serve({ version: versionOf("@jax-js/jax"), prepare: operations(products) });
