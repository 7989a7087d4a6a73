/**
 * The cases `step mnist-mlp`: a training step of the network of examples/mnist, by layers and by the graph, checked against the same
 * steps in float64.
 */
import * as reference from "../tests/reference/trainingStep.js";
import * as graph from "../src/graph.js";
import { BatchNorm, constant, Dense, heNormal, Relu, Sequential, Sgd, type Tensor } from "../src/core.js";
import type { Desk } from "./desk.js";
import type { BenchCase } from "./operations/setup.js";

const { CLASSES, EPS, LAYERS, LEARNING_RATE } = reference;
const LAST = LAYERS.length - 1;

/** A model under training. */
interface Trained {
  /** Of each layer: W, b and, but for the last one, gamma, beta. */
  readonly parameters: readonly Tensor[];
  /** One step; returns the mean loss before it. */
  step(x: Tensor, labels: Tensor<"int32">): number;
}

/** One batch of random data: forward, loss, backward without the gradient of the input, SGD. */
export const trainingStep = (batch: number): BenchCase => stepCase(`step mnist-mlp b${batch}`, batch, layersModel);

/** The same step through the graph, with the same kernels in its fused gates. */
export const graphStep = (batch: number): BenchCase => stepCase(`step mnist-mlp b${batch} graph`, batch, graphModel);

function layersModel({ runtime }: Desk, batch: number): Trained {
  const layers = LAYERS.flatMap(([from, to], layer) => {
    const dense = new Dense(from, to);
    return layer === LAST ? [dense] : [dense, new BatchNorm(to, { eps: EPS }), new Relu()];
  });
  const model = new Sequential(runtime, layers, { seed: 1, maxBatch: batch });
  const options = { loss: "softmaxCrossEntropy", optimizer: new Sgd({ learningRate: LEARNING_RATE }) } as const;
  return {
    parameters: model.parameters.map(({ value }) => value),
    step: (x, labels) => model.trainBatch(x, labels, options),
  };
}

function graphModel({ runtime }: Desk): Trained {
  const { batchNorm, dense, Parameters, softmaxCrossEntropy, valueAndGrad } = graph;
  const shapes = LAYERS.flatMap(([from, to], layer) => {
    const norm = { [`gamma${layer}`]: { shape: [to], initializer: constant(1) }, [`beta${layer}`]: { shape: [to] } };
    const affine = { [`W${layer}`]: { shape: [to, from], initializer: heNormal() }, [`b${layer}`]: { shape: [to] } };
    return Object.entries({ ...affine, ...(layer < LAST && norm) });
  });
  const model = new Parameters(runtime, Object.fromEntries(shapes), { seed: 1 });
  const running = LAYERS.slice(0, LAST).map(([, to]) => ({
    runningMean: runtime.zeros([to]),
    runningVar: runtime.zeros([to]),
  }));
  const optimizer = new Sgd({ learningRate: LEARNING_RATE }).bind(model);
  let [input, classes]: [Tensor?, Tensor<"int32">?] = [];
  const loss = valueAndGrad((parameters: Readonly<Record<string, graph.Value>>) => {
    const of = (name: string, layer: number) => parameters[`${name}${layer}`]!;
    let h: graph.Operand = input!;
    for (const layer of LAYERS.keys()) {
      h = dense(h, of("W", layer), of("b", layer));
      if (layer === LAST) break;
      h = batchNorm(h, of("gamma", layer), of("beta", layer), { eps: EPS, activation: "relu", ...running[layer] });
    }
    return softmaxCrossEntropy(h, classes!);
  });
  return {
    parameters: Object.values(model.values),
    step: (x, labels) => {
      [input, classes] = [x, labels];
      const { value } = loss(model.values, { out: model.gradients });
      optimizer.step();
      return value;
    },
  };
}

function stepCase(name: string, batch: number, build: (desk: Desk, batch: number) => Trained): BenchCase {
  const flops = reference.stepFlops(batch);
  return {
    name,
    unit: "ms",
    amount: 1,
    limit: { flops },
    inParts: true,
    prepare: (desk) => {
      const model = build(desk, batch);
      const size = batch * LAYERS[0][0];
      const batches = [0, 1].map(() => ({
        x: desk.runtime.tensor(desk.floats(desk.uniform(size), size), [batch, LAYERS[0][0]]),
        labels: desk.runtime.tensor(desk.ints(desk.integers(batch, CLASSES), batch), [batch]),
      }));
      const run = (which: number) => {
        const { x, labels } = batches[which]!;
        return model.step(x, labels);
      };
      const validate = () => {
        const parameters = model.parameters.map((value) => Float64Array.from(value.toArray()));
        for (const which of [0, 1, 0]) {
          const { x, labels } = batches[which]!;
          const expected = reference.trainingStep(parameters, x.toArray(), labels.toArray(), batch);
          const loss = run(which);
          if (!(Math.abs(loss - expected) < 1e-4 * expected)) {
            throw new Error(`the loss is ${loss}, expected ${expected}.`);
          }
        }
      };
      return { run, args: [[0], [1]], validate };
    },
  };
}
