/** ONNX Runtime Web on its wasm provider. With the argument `constant`, B is part of the model, which packs it once. */
import { onnxModel, type Graph } from "../onnx.js";
import { load, versionOf } from "../packages.js";
import { gemms, operations, serve, type Operation, type Prepared } from "../serve.js";

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
  release(): Promise<void>;
}

interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads: number; proxy: boolean }; logLevel: string };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: "float32", values: Float32Array, shape: readonly number[]) => unknown;
}

const constant = process.argv[2] === "constant";
const ort = (await load("onnxruntime-web")) as OnnxRuntime;
ort.env.wasm.numThreads = 1;
ort.env.wasm.proxy = false;
ort.env.logLevel = "error";

/** A session for a graph with the output `y`, fed with these values, again at each call. */
async function session(graph: Graph, values: Readonly<Record<string, Float32Array>>): Promise<Prepared> {
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const created = await ort.InferenceSession.create(await onnxModel(graph), options);
  const feeds = Object.fromEntries(
    Object.entries(graph.inputs).map(([name, shape]) => {
      return [name, new ort.Tensor("float32", values[name] ?? new Float32Array(), shape)];
    }),
  );
  return {
    call: () => created.run(feeds),
    outputs: async () => {
      const { y } = await created.run(feeds);
      return [y?.data ?? []];
    },
    dispose: () => {
      void created.release();
    },
  };
}

const products = gemms(({ m, n, a, b, shapeA, shapeB, transposeA, transposeB }) => {
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  const product = { inputs: ["a", "b"], output: "y" };
  const node =
    transposeA || transposeB ? { ...product, operator: "Gemm", attributes } : { ...product, operator: "MatMul" };
  const outputs = { y: [m, n] };
  return constant
    ? session({ nodes: [node], inputs: { a: shapeA }, constants: { b: { shape: shapeB, values: b } }, outputs }, { a })
    : session({ nodes: [node], inputs: { a: shapeA, b: shapeB }, outputs }, { a, b });
});

const unary =
  (operator: string): Operation =>
  ([n = 0], [x = new Float32Array()]) => {
    const nodes = [{ operator, inputs: ["x"], output: "y" }];
    return session({ nodes, inputs: { x: [n] }, outputs: { y: [n] } }, { x });
  };

const table = { ...products, relu: unary("Relu"), tanh: unary("Tanh"), exp: unary("Exp"), log: unary("Log") };

await serve({ version: versionOf("onnxruntime-web"), prepare: operations(table) });
