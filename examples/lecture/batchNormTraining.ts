/** Batch norm allows higher learning rates: the same network with and without, at rates where the plain one diverges. */
import { BatchNorm, Dense, GroupNorm, LayerNorm, Relu, Sequential, Sgd, type Layer, type Runtime } from "simdgrad";
import { percent, show, type Extent, type Part } from "./claim.js";
import { CLASSES, PIXELS, someDigits } from "./digits.js";

const UNITS = 100;
const BATCH = 100;
const RATES = [0.1, 1, 3];

const NORMS = {
  "no norm": () => [],
  "batch norm": () => [new BatchNorm(UNITS)],
  "layer norm": () => [new LayerNorm(UNITS)],
  "group norm": () => [new GroupNorm(10, UNITS)],
} as const satisfies Record<string, () => Layer[]>;
type NormName = keyof typeof NORMS;

interface Run {
  readonly norm: NormName;
  readonly rate: number;
  /** Of each step. */
  readonly losses: readonly number[];
  readonly accuracy: number;
}

/** h = f(norm(W h + b)) five times, then the logits. */
function layers(norm: NormName): Layer[] {
  const hidden = Array.from({ length: 5 }, (_, i) => [
    new Dense(i === 0 ? PIXELS : UNITS, UNITS),
    ...NORMS[norm](),
    new Relu(),
  ]);
  return [...hidden.flat(), new Dense(UNITS, CLASSES)];
}

async function train(runtime: Runtime, norm: NormName, rate: number, extent: Extent): Promise<Run> {
  const { train, test } = extent === "full" ? someDigits(20_000, 5000) : someDigits(2000, 500);
  const model = new Sequential(runtime, layers(norm), { seed: 1, maxBatch: BATCH });
  const losses: number[] = [];
  await model.fit(train.images, train.labels, {
    loss: "softmaxCrossEntropy",
    optimizer: new Sgd({ learningRate: rate }),
    epochs: 1,
    batchSize: BATCH,
    onBatch: ({ loss }) => void losses.push(loss),
  });
  const { accuracy = NaN } = model.evaluate(test.images, test.labels, { loss: "softmaxCrossEntropy" });
  model.dispose();
  return { norm, rate, losses, accuracy };
}

export const batchNormTraining: Part = {
  name: "batchNormTraining",
  title: "Batch normalization allows higher learning rates",
  async run(runtime: Runtime, extent: Extent) {
    const runs: Run[] = [];
    for (const norm of Object.keys(NORMS) as NormName[]) {
      for (const rate of RATES) runs.push(await train(runtime, norm, rate, extent));
    }
    const of = (norm: NormName, rate: number) => runs.find((run) => run.norm === norm && run.rate === rate)!;
    /** The mean of the last tenth of the steps. */
    const last = ({ losses }: Run) => {
      const end = losses.slice(-Math.ceil(losses.length / 10));
      return end.reduce((sum, loss) => sum + loss, 0) / end.length;
    };
    const guessing = Math.log(CLASSES);
    const [plain, normed] = [of("no norm", 1), of("batch norm", 1)];
    const describe = (run: Run) => `loss ${show(last(run))}, ${percent(run.accuracy)} of the test images right`;
    return {
      claims: [
        {
          lecture: "without batch norm the network diverges at learning rate 1",
          measured: describe(plain),
          holds: !(last(plain) < 0.9 * guessing),
        },
        {
          lecture: "with batch norm it trains at that rate",
          measured: describe(normed),
          holds: last(normed) < 0.5 * guessing,
        },
        {
          lecture: "batch norm also trains faster at a rate that both bear (0.1)",
          measured: `with: ${describe(of("batch norm", 0.1))}; without: ${describe(of("no norm", 0.1))}`,
          holds: last(of("batch norm", 0.1)) < last(of("no norm", 0.1)),
        },
        {
          lecture:
            "other norms, layer norm and group norm, bear that rate as batch norm does (within 5 % of its accuracy)",
          measured: `layer norm: ${describe(of("layer norm", 1))}; group norm: ${describe(of("group norm", 1))}`,
          holds: (["layer norm", "group norm"] as const).every((norm) => of(norm, 1).accuracy > normed.accuracy - 0.05),
        },
      ],
      figures: { batchNormTraining: lossFigure(runs, guessing) },
    };
  },
};

/** Loss curves, smoothed over ten steps and cut where they leave the picture; NaN and infinity are not drawn. */
function lossFigure(runs: readonly Run[], guessing: number) {
  const values = runs.flatMap(({ norm, rate, losses }) =>
    losses.flatMap((_, step) => {
      if (step % 4 !== 0) return [];
      const window = losses.slice(Math.max(0, step - 9), step + 1);
      const loss = window.reduce((sum, value) => sum + value, 0) / window.length;
      return Number.isFinite(loss)
        ? [{ norm, rate: `learning rate ${rate}`, step, loss: Number(loss.toFixed(4)) }]
        : [];
    }),
  );
  return {
    title: "784-100×5-10 on MNIST by SGD: loss of one epoch (no line: NaN)",
    data: { values },
    facet: { column: { field: "rate", type: "nominal" as const, title: null, sort: null } },
    spec: {
      width: 220,
      height: 200,
      mark: { type: "line" as const, clip: true },
      encoding: {
        x: { field: "step", type: "quantitative" as const },
        y: { field: "loss", type: "quantitative" as const, scale: { domain: [0, 1.5 * guessing] } },
        color: { field: "norm", type: "nominal" as const, sort: null },
      },
    },
  };
}
