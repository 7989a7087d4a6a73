/** TensorFlow.js on the backend BACKEND, wasm or cpu; results stay in the backend's memory. */
import { folderOf, gemms, load, operations, serve, versionOf } from "../serve.js";

interface Tensor {
  dispose(): void;
  dataSync(): Float32Array;
}

interface TensorFlow {
  env(): { set(flag: string, value: unknown): void };
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array, shape: number[]): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
}

interface WasmBackend {
  setWasmPaths(folder: string): void;
  setThreadsCount(threads: number): void;
}

const backend = process.argv[2] ?? "wasm";
const backendPackage = `@tensorflow/tfjs-backend-${backend}`;
const tf = (await load("@tensorflow/tfjs-core")) as TensorFlow;
tf.env().set("PROD", true); // checks no shapes twice and no values for NaN
const loaded = await load(backendPackage);
if (backend === "wasm") {
  const wasm = loaded as WasmBackend;
  wasm.setWasmPaths(`${folderOf(backendPackage)}/wasm-out/`);
  wasm.setThreadsCount(1);
}
if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend}.`);

const products = gemms(({ a, b, shapeA, shapeB, transposeA, transposeB }) => {
  const [A, B] = [tf.tensor(a, shapeA), tf.tensor(b, shapeB)];
  const product = () => tf.matMul(A, B, transposeA, transposeB);
  return {
    call: () => {
      product().dispose();
    },
    outputs: () => {
      const c = product();
      const values = c.dataSync();
      c.dispose();
      return [values];
    },
    dispose: () => {
      A.dispose();
      B.dispose();
    },
  };
});

await serve({ version: versionOf(backendPackage), prepare: operations(products) });
