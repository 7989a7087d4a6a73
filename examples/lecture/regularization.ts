/** L2, L1, dropout, augmentation and bagging on few digits, which a network without them learns by heart. */
import { Adam, Dense, Dropout, randomUniform, Relu, Sequential, softmax, type Layer, type Runtime } from "simdgrad";
import { deviation, mean, percent, type Claim, type Extent, type Part } from "./claim.js";
import { CLASSES, PIXELS, SIDE, someDigits } from "./digits.js";

const UNITS = 128;
const BATCH = 50;
const MODELS = { full: 5, brief: 3 } as const;

interface Settings {
  readonly weightDecay?: number;
  readonly l1?: number;
  readonly dropout?: number;
  readonly augment?: boolean;
  readonly bagging?: boolean;
}

/** Strengths chosen on 5000 digits that take part in nothing else; there every L1 and L2 cost more than it gave. */
const METHODS = {
  baseline: {},
  L2: { weightDecay: 1e-3 },
  L1: { l1: 1e-4 },
  dropout: { dropout: 0.3 },
  augmentation: { augment: true },
  bagging: { bagging: true },
} as const satisfies Record<string, Settings>;
type Method = keyof typeof METHODS;

interface Examples {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** The examples and their copies moved by a pixel up, down, left and right. */
function augmented({ images, labels }: Examples): Examples {
  const moves = [0, -1, 1, -SIDE, SIDE];
  const all = new Uint8Array(images.length * moves.length);
  moves.forEach((move, copy) => {
    const from = images.subarray(Math.max(0, -move), images.length - Math.max(0, move));
    all.set(from, copy * images.length + Math.max(0, move)); // borders are empty: what wraps around is 0
  });
  const repeated = Uint8Array.from({ length: labels.length * moves.length }, (_, i) => labels[i % labels.length]!);
  return { images: all, labels: repeated };
}

/** As many examples, drawn with replacement. */
function bootstrap({ images, labels }: Examples, runtime: Runtime, seed: number): Examples {
  const picks = runtime.scope(() => randomUniform(runtime, [labels.length], { seed, high: labels.length }).toArray());
  const sample = { images: new Uint8Array(images.length), labels: new Uint8Array(labels.length) };
  picks.forEach((pick, i) => {
    const from = Math.floor(pick);
    sample.labels[i] = labels[from]!;
    sample.images.set(images.subarray(from * PIXELS, (from + 1) * PIXELS), i * PIXELS);
  });
  return sample;
}

/** Trains one model and returns its probabilities for the test images, and its accuracy on what it was trained on. */
async function train(
  runtime: Runtime,
  examples: Examples,
  test: Uint8Array,
  settings: Settings,
  seed: number,
  steps: number,
) {
  const { weightDecay = 0, l1 = 0, dropout } = settings;
  const hidden = (from: number): Layer[] => [
    new Dense(from, UNITS),
    new Relu(),
    ...(dropout === undefined ? [] : [new Dropout(dropout)]),
  ];
  const model = new Sequential(runtime, [...hidden(PIXELS), ...hidden(UNITS), new Dense(UNITS, CLASSES)], {
    seed,
    maxBatch: BATCH,
  });
  const epochs = Math.ceil((steps * BATCH) / examples.labels.length);
  const options = { loss: "softmaxCrossEntropy", optimizer: new Adam({ weightDecay, l1 }) } as const;
  await model.fit(examples.images, examples.labels, { ...options, epochs, batchSize: BATCH });
  const { accuracy = NaN } = model.evaluate(examples.images, examples.labels, options);
  const logits = runtime.tensor(model.predict(test), [test.length / PIXELS, CLASSES]);
  const probabilities = softmax(logits, { out: logits }).toArray();
  logits.dispose();
  model.dispose();
  return { accuracy, probabilities };
}

/** The share of rows whose greatest number stands at the label. */
function accuracyOf(probabilities: ArrayLike<number>, labels: Uint8Array): number {
  const right = Array.from(labels, (label, i) => {
    const row = Array.from({ length: CLASSES }, (_, j) => probabilities[i * CLASSES + j]!);
    return row.indexOf(Math.max(...row)) === label ? 1 : 0;
  });
  return mean(right);
}

interface Score {
  readonly train: number;
  readonly test: number;
}

async function score(runtime: Runtime, method: Method, seed: number, extent: Extent): Promise<Score> {
  const { train: examples, test } = extent === "full" ? someDigits(1000, 5000) : someDigits(500, 1000);
  const steps = extent === "full" ? 600 : 250;
  const settings: Settings = METHODS[method];
  const given = settings.augment ? augmented(examples) : examples;
  const models: Awaited<ReturnType<typeof train>>[] = [];
  for (let i = 0; i < (settings.bagging ? MODELS[extent] : 1); i++) {
    const own = settings.bagging ? bootstrap(given, runtime, 100 * seed + i) : given;
    models.push(await train(runtime, own, test.images, settings, 10 * seed + i, steps));
  }
  const average = models[0]!.probabilities.map((_, at) => mean(models.map(({ probabilities }) => probabilities[at]!)));
  return { train: mean(models.map(({ accuracy }) => accuracy)), test: accuracyOf(average, test.labels) };
}

export const regularization: Part = {
  name: "regularization",
  title: "Regularizations: L1, L2, dropout, augmentation, bagging",
  async run(runtime: Runtime, extent: Extent) {
    const seeds = extent === "full" ? [1, 2, 3, 4, 5] : [1];
    const methods = Object.keys(METHODS) as Method[];
    const scores = new Map<Method, readonly Score[]>();
    for (const method of methods) {
      const all: Score[] = [];
      for (const seed of seeds) all.push(await score(runtime, method, seed, extent));
      scores.set(method, all);
    }
    const test = (method: Method) => mean(scores.get(method)!.map(({ test }) => test));
    const train = (method: Method) => mean(scores.get(method)!.map(({ train }) => train));
    const describe = (method: Method) =>
      `${percent(train(method))} of the training images, ${percent(test(method))} of the test images`;
    const gap = train("baseline") - test("baseline");
    const claim = (method: Method, lecture: string): Claim => {
      // Of the same seeds: more than the mean's standard error.
      const gains = scores.get(method)!.map(({ test }, i) => test - scores.get("baseline")![i]!.test);
      const error = deviation(gains) / Math.sqrt(Math.max(1, gains.length - 1));
      return {
        lecture,
        measured: `${describe(method)}; gain ${percent(mean(gains))} ± ${percent(error)}`,
        holds: mean(gains) > error,
      };
    };
    return {
      claims: [
        {
          lecture: "a network without regularization fits what it was trained on better than new data",
          measured: describe("baseline"),
          holds: gap > 0.05,
        },
        claim("L2", "L2 improves the network on new data"),
        claim("L1", "L1 improves it"),
        claim("dropout", "dropout improves it"),
        claim("augmentation", "dataset augmentation improves it"),
        claim("bagging", "an ensemble of models trained on resampled data (bagging) improves it"),
      ],
      figures: {
        regularization: {
          title: `784-${UNITS}-${UNITS}-10 on 1000 digits: test accuracy of ${seeds.length} seeds`,
          width: 380,
          height: 160,
          data: {
            values: methods.flatMap((method) =>
              scores.get(method)!.map(({ test }) => ({ method, accuracy: Number((100 * test).toFixed(2)) })),
            ),
          },
          encoding: {
            y: { field: "method", type: "nominal", sort: null, title: null },
            x: { field: "accuracy", type: "quantitative", title: "% of test images", scale: { zero: false } },
          },
          layer: [
            { mark: { type: "point", opacity: 0.6 } },
            {
              mark: { type: "tick", color: "black", thickness: 2 },
              encoding: { x: { aggregate: "mean", field: "accuracy" } },
            },
          ],
        },
      },
    };
  },
};
