/**
 * The table of Mishkin and Matas (2015), initialization against activation, on MNIST with a deep network: does the ranking that the
 * lecture shows, measured on CIFAR-10 with convolutions, hold here?
 */
import {
  Adam,
  Dense,
  heNormal,
  LeakyRelu,
  Maxout,
  orthonormal,
  Relu,
  Sequential,
  Sigmoid,
  Tanh,
  xavierNormal,
  type Initializer,
  type Layer,
  type Runtime,
} from "simdgrad";
import { mean, percent, type Claim, type Extent, type Part } from "./claim.js";
import { CLASSES, PIXELS, someDigits } from "./digits.js";

const UNITS = 64;
const DEPTH = 8;
const BATCH = 100;
const PIECES = 2;

const METHODS = ["LSUV", "OrthoNorm", "Xavier", "MSRA (He)"] as const;
type Method = (typeof METHODS)[number];
const INITIALIZERS: Readonly<Record<Method, () => Initializer>> = {
  LSUV: orthonormal,
  OrthoNorm: orthonormal,
  Xavier: xavierNormal,
  "MSRA (He)": heNormal,
};

const ACTIVATIONS = {
  maxout: () => new Maxout(PIECES),
  ReLU: () => new Relu(),
  "very leaky ReLU": () => new LeakyRelu(1 / 3),
  tanh: () => new Tanh(),
  sigmoid: () => new Sigmoid(),
} as const satisfies Record<string, () => Layer>;
type ActivationName = keyof typeof ACTIVATIONS;

/** What the slide's table says, in % of CIFAR-10; NaN where it is n/c (not converged) or "—". */
const SLIDE: Readonly<Record<Method, Readonly<Record<ActivationName, number>>>> = {
  LSUV: { maxout: 93.94, ReLU: 92.11, "very leaky ReLU": 92.97, tanh: 89.28, sigmoid: NaN },
  OrthoNorm: { maxout: 93.78, ReLU: 91.74, "very leaky ReLU": 92.4, tanh: 89.48, sigmoid: NaN },
  Xavier: { maxout: 91.75, ReLU: 90.63, "very leaky ReLU": 92.27, tanh: 89.82, sigmoid: NaN },
  "MSRA (He)": { maxout: NaN, ReLU: 90.91, "very leaky ReLU": 92.43, tanh: 89.54, sigmoid: NaN },
};

/** Share of test images read after training. */
async function accuracy(runtime: Runtime, method: Method, activation: ActivationName, seed: number, extent: Extent) {
  const { train, test } = extent === "full" ? someDigits(10_000, 5000) : someDigits(6000, 500);
  const wide = activation === "maxout" ? PIECES * UNITS : UNITS;
  const hidden = Array.from({ length: DEPTH }, (_, i) => [
    new Dense(i === 0 ? PIXELS : UNITS, wide, { weightInit: INITIALIZERS[method]() }),
    ACTIVATIONS[activation](),
  ]);
  const layers = [...hidden.flat(), new Dense(UNITS, CLASSES, { weightInit: INITIALIZERS[method]() })];
  const model = new Sequential(runtime, layers, { seed, maxBatch: BATCH });
  if (method === "LSUV") model.lsuv(train.images.subarray(0, BATCH * PIXELS));
  await model.fit(train.images, train.labels, {
    loss: "softmaxCrossEntropy",
    optimizer: new Adam(),
    epochs: 2,
    batchSize: BATCH,
  });
  const result = model.evaluate(test.images, test.labels, { loss: "softmaxCrossEntropy" });
  model.dispose();
  return result.accuracy ?? NaN;
}

export const initialization: Part = {
  name: "initialization",
  title: "Initialization take home points: the table of Mishkin and Matas",
  async run(runtime: Runtime, extent: Extent) {
    const seeds = extent === "full" ? [1, 2, 3] : [1];
    const activations = Object.keys(ACTIVATIONS) as ActivationName[];
    const table = new Map<string, number>();
    for (const method of METHODS) {
      for (const activation of activations) {
        const results: number[] = [];
        for (const seed of seeds) results.push(await accuracy(runtime, method, activation, seed, extent));
        table.set(`${method}, ${activation}`, mean(results));
      }
    }
    const of = (method: Method, activation: ActivationName) => table.get(`${method}, ${activation}`)!;
    const best = (activation: ActivationName) =>
      METHODS.reduce((first, method) => (of(method, activation) > of(first, activation) ? method : first));
    const columns = activations.map((activation): Claim => {
      const slide = METHODS.map((method) => SLIDE[method][activation]);
      const row = METHODS.map((method) => `${method} ${percent(of(method, activation))}`).join(", ");
      if (activation === "sigmoid") {
        const converged = METHODS.filter((method) => of(method, activation) > 0.5);
        return {
          lecture: "sigmoid: no method converges (n/c)",
          measured: `${row}: ${converged.length === 0 ? "none does" : `${converged.join(", ")} does`}`,
          holds: converged.length === 0,
        };
      }
      const winner = METHODS[slide.indexOf(Math.max(...slide.filter((value) => !Number.isNaN(value))))]!;
      return { lecture: `${activation}: ${winner} is the best`, measured: row, holds: best(activation) === winner };
    });
    const all = METHODS.map((method) => mean(activations.map((activation) => of(method, activation))));
    return {
      claims: [
        ...columns,
        {
          lecture: "networks can be sensitive to initialization: methods differ, over all activations",
          measured: METHODS.map((method, i) => `${method} ${percent(all[i]!)}`).join(", "),
          holds: Math.max(...all) - Math.min(...all) > 0.01,
        },
      ],
      figures: {
        initialization: {
          title: `784-${UNITS}×${DEPTH}-10 on 10,000 digits, Adam, 2 epochs: test accuracy, mean of ${seeds.length} seeds`,
          width: 320,
          height: 140,
          data: {
            values: METHODS.flatMap((method) =>
              activations.map((activation) => ({
                method,
                activation,
                accuracy: Number((100 * of(method, activation)).toFixed(1)),
              })),
            ),
          },
          encoding: {
            x: { field: "activation", type: "nominal", sort: null, axis: { labelAngle: 0, title: null } },
            y: { field: "method", type: "nominal", sort: null, axis: { title: null } },
          },
          layer: [
            {
              mark: "rect",
              encoding: { color: { field: "accuracy", type: "quantitative", title: "%", scale: { scheme: "blues" } } },
            },
            {
              mark: "text",
              encoding: {
                text: { field: "accuracy", type: "quantitative", format: ".1f" },
                color: { condition: { test: "datum.accuracy > 60", value: "white" }, value: "black" },
              },
            },
          ],
        },
      },
    };
  },
};
