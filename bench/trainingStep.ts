/** The case `step mnist-mlp`: a training step of the network of examples/mnist, checked against the same steps in float64. */
import * as reference from "../tests/reference/trainingStep.js";
import { BatchNorm, Dense, Relu, Sequential, Sgd } from "../src/index.js";
import type { BenchCase } from "./operations/setup.js";

const { CLASSES, EPS, LAYERS, LEARNING_RATE } = reference;

/** One batch of random data: forward, loss, backward without the gradient of the input, SGD. */
export function trainingStep(batch: number): BenchCase {
  const last = LAYERS.length - 1;
  const flops = reference.stepFlops(batch);
  return {
    name: `step mnist-mlp b${batch}`,
    unit: "ms",
    amount: 1,
    limit: { flops },
    prepare: (desk) => {
      const layers = LAYERS.flatMap(([from, to], layer) => {
        const dense = new Dense(from, to);
        return layer === last ? [dense] : [dense, new BatchNorm(to, { eps: EPS }), new Relu()];
      });
      const model = new Sequential(desk.runtime, layers, { seed: 1, maxBatch: batch });
      const optimizer = new Sgd({ learningRate: LEARNING_RATE });
      const options = { loss: "softmaxCrossEntropy", optimizer } as const;
      const size = batch * LAYERS[0][0];
      const batches = [0, 1].map(() => ({
        x: desk.runtime.tensor(desk.floats(desk.uniform(size), size), [batch, LAYERS[0][0]]),
        labels: desk.runtime.tensor(desk.ints(desk.integers(batch, CLASSES), batch), [batch]),
      }));
      const run = (which: number) => {
        const { x, labels } = batches[which]!;
        return model.trainBatch(x, labels, options);
      };
      const validate = () => {
        const parameters = model.parameters.map(({ value }) => Float64Array.from(value.toArray()));
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
