/**
 * Ten layers of 100 units, 1000 examples: activations on the way forward and gradients on the way back, for each initialization
 * of the weights and for ReLU and tanh, as statistics over seeds.
 */
import {
  glorotUniform,
  heNormal,
  largeNormal,
  randomNormal,
  smallNormal,
  xavierNormal,
  type Initializer,
  type Runtime,
} from "simdgrad";
import { matmul, Parameters, relu, tanh, valueAndGrad, type Operand, type Value } from "simdgrad/graph";
import { deviation, mean, percent, show, type Claim, type Extent, type Part } from "./claim.js";

const LAYERS = 10;
const UNITS = 100;
const BINS = 41;

const INITIALIZERS = {
  "small (0.01)": smallNormal(),
  "large (1)": largeNormal(),
  Xavier: xavierNormal(),
  Glorot: glorotUniform(),
  He: heNormal(),
} as const satisfies Record<string, Initializer>;
type InitializerName = keyof typeof INITIALIZERS;

const ACTIVATIONS = { ReLU: relu, tanh } as const;
type ActivationName = keyof typeof ACTIVATIONS;

/** Of each layer, from the first. */
interface Pass {
  readonly activations: readonly Float32Array[];
  /** ∂L/∂W. */
  readonly gradients: readonly Float32Array[];
}

/** Forward from random examples, and backward from 100 · random numbers in place of a loss's gradient, as on the slides. */
function pass(
  runtime: Runtime,
  initializer: Initializer,
  activation: ActivationName,
  seed: number,
  examples: number,
): Pass {
  return runtime.scope(() => {
    const names = Array.from({ length: LAYERS }, (_, layer) => `W${layer + 1}`);
    const shape = [UNITS, UNITS];
    const model = new Parameters(runtime, Object.fromEntries(names.map((name) => [name, { shape, initializer }])), {
      seed,
    });
    const X = randomNormal(runtime, [examples, UNITS], { seed, stream: 100 });
    const dLdH = randomNormal(runtime, [examples, UNITS], { seed, stream: 101, deviation: 100 });
    const activations: Float32Array[] = [];
    const network = (weights: Readonly<Record<string, Value>>): Value => {
      let H: Operand = X;
      for (const name of names) {
        H = ACTIVATIONS[activation](matmul(H, weights[name]!, { transposeB: true }));
        activations.push(H.toArray());
      }
      return H as Value;
    };
    const { gradient } = valueAndGrad(network)(model.values, { seed: dLdH });
    const gradients = names.map((name) => gradient[name]!.toArray());
    model.dispose();
    return { activations, gradients };
  });
}

/** Of all seeds: the deviation of each layer's activations and gradients, and what of the last one stands at ±1 or at 0. */
interface Statistics {
  readonly activations: readonly number[];
  readonly gradients: readonly number[];
  readonly saturated: number;
  readonly dead: number;
}

function statistics(passes: readonly Pass[]): Statistics {
  const perLayer = (of: (pass: Pass) => readonly Float32Array[]) =>
    Array.from({ length: LAYERS }, (_, layer) => mean(passes.map((pass) => deviation(of(pass)[layer]!))));
  const share = (test: (value: number) => boolean) =>
    mean(passes.map(({ activations }) => mean(activations.at(-1)!.map((value) => (test(value) ? 1 : 0)))));
  return {
    activations: perLayer(({ activations }) => activations),
    gradients: perLayer(({ gradients }) => gradients),
    saturated: share((value) => Math.abs(value) > 0.99),
    dead: share((value) => value === 0),
  };
}

export const tenLayers: Part = {
  name: "tenLayers",
  title: "Initialization: ten layers, forward and backward",
  run(runtime: Runtime, extent: Extent) {
    const [seeds, examples] = extent === "full" ? [3, 1000] : [2, 200];
    const all = (Object.keys(ACTIVATIONS) as ActivationName[]).flatMap((activation) =>
      (Object.keys(INITIALIZERS) as InitializerName[]).map((initializer) => {
        const passes = Array.from({ length: seeds }, (_, seed) =>
          pass(runtime, INITIALIZERS[initializer], activation, seed, examples),
        );
        return { activation, initializer, first: passes[0]!, ...statistics(passes) };
      }),
    );
    const of = (activation: ActivationName, initializer: InitializerName) =>
      all.find((entry) => entry.activation === activation && entry.initializer === initializer)!;

    /** How the deviation of the activations, or of the gradients, goes from the first layer to the last. */
    const claim = (
      lecture: string,
      activation: ActivationName,
      initializer: InitializerName,
      what: "activations" | "gradients",
      holds: (first: number, last: number) => boolean,
    ): Claim => {
      const values = of(activation, initializer)[what];
      const [first = NaN, last = NaN] = [values[0], values.at(-1)];
      return {
        lecture: `${activation}, ${initializer}: ${lecture}`,
        measured: `deviation ${show(first)} in layer 1, ${show(last)} in layer 10`,
        holds: holds(first, last),
      };
    };
    const vanish = (first: number, last: number) => last < 1e-4 * first;
    const explode = (first: number, last: number) => last > 1e4 * first;
    const survive = (first: number, last: number) => last > 0.3 * first && last < 3 * first;
    const saturated = of("tanh", "large (1)").saturated;
    return {
      claims: [
        claim("activations decay to zero", "ReLU", "small (0.01)", "activations", vanish),
        claim(
          "the last layer's dL/dW is near zero, though dL/dh is of deviation 100",
          "ReLU",
          "small (0.01)",
          "gradients",
          (_, last) => last < 0.01,
        ),
        claim("units explode", "ReLU", "large (1)", "activations", explode),
        claim(
          "and so do the gradients",
          "ReLU",
          "large (1)",
          "gradients",
          (first, last) => Math.min(first, last) > 1e8,
        ),
        claim("activations decay to zero here, too", "tanh", "small (0.01)", "activations", vanish),
        {
          lecture: "tanh, large (1): saturates, most activations are ±1",
          measured: `${percent(saturated)} of layer 10 beyond ±0.99`,
          holds: saturated > 0.5,
        },
        claim("activations survive", "tanh", "Xavier", "activations", survive),
        claim("and gradients keep their size", "tanh", "Xavier", "gradients", survive),
        claim("as do those of the uniform form", "tanh", "Glorot", "activations", survive),
        claim("units die", "ReLU", "Xavier", "activations", (first, last) => last < 0.1 * first),
        claim("activations survive at layer 10", "ReLU", "He", "activations", survive),
        claim("and gradients keep their size", "ReLU", "He", "gradients", survive),
        {
          lecture: "a factor of two in the variance decides: He over Xavier for ReLU at layer 10 is 2^(10/2) = 32",
          measured: show(of("ReLU", "He").activations.at(-1)! / of("ReLU", "Xavier").activations.at(-1)!),
          holds:
            Math.abs(Math.log2(of("ReLU", "He").activations.at(-1)! / of("ReLU", "Xavier").activations.at(-1)!) - 5) <
            0.5,
        },
      ],
      figures: {
        tenLayersDeviations: deviationFigure(all),
        tenLayersActivations: histogramFigure(all, "activations"),
        tenLayersGradients: histogramFigure(all, "gradients"),
      },
    };
  },
};

interface Entry extends Statistics {
  readonly activation: string;
  readonly initializer: string;
  readonly first: Pass;
}

/** Deviations against layers, a line for each initialization. */
function deviationFigure(all: readonly Entry[]) {
  const values = all.flatMap(({ activation, initializer, activations, gradients }) =>
    [activations, gradients].flatMap((deviations, which) =>
      deviations.map((deviation, layer) => ({
        panel: `${activation}: ${which === 0 ? "activations" : "dL/dW"}`,
        initializer,
        layer: layer + 1,
        deviation,
      })),
    ),
  );
  return {
    title: "Ten layers of 100 units, 1000 examples: deviation by layer, mean of seeds",
    data: { values },
    facet: { field: "panel", type: "nominal" as const, title: null, sort: null },
    columns: 2,
    resolve: { scale: { y: "independent" as const } },
    spec: {
      width: 280,
      height: 170,
      mark: { type: "line" as const, point: true },
      encoding: {
        x: { field: "layer", type: "ordinal" as const, axis: { labelAngle: 0 } },
        y: {
          field: "deviation",
          type: "quantitative" as const,
          scale: { type: "log" as const },
          axis: { format: ".0e", tickCount: 6 },
        },
        color: { field: "initializer", type: "nominal" as const, sort: null },
      },
    },
  };
}

/** A histogram for each layer and initialization, in units of the layer's largest value: what is not 0 as shares of all. */
function histogramFigure(all: readonly Entry[], what: "activations" | "gradients") {
  const chosen = [1, 4, 7, 10];
  const values = all.flatMap(({ activation, initializer, first }) =>
    chosen.flatMap((layer) => {
      const numbers = first[what][layer - 1]!;
      const greatest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
      const counts = new Float64Array(BINS);
      for (const value of numbers) counts[Math.min(BINS - 1, Math.floor(((value / greatest + 1) / 2) * BINS))]!++;
      return Array.from(counts, (count, bin) => ({
        row: `${activation}, ${initializer}`,
        layer: `layer ${layer}`,
        value: Number(((2 * (bin + 0.5)) / BINS - 1).toFixed(3)),
        share: Number(Math.sqrt(count / numbers.length).toFixed(4)),
      }));
    }),
  );
  return {
    title: `${what === "activations" ? "Activations" : "dL/dW"} by layer, in units of the largest; heights are roots of shares`,
    data: { values },
    facet: {
      row: {
        field: "row",
        type: "nominal" as const,
        title: null,
        sort: all.map(({ activation, initializer }) => `${activation}, ${initializer}`),
        header: { labelAngle: 0, labelAlign: "left" as const },
      },
      column: { field: "layer", type: "nominal" as const, title: null, sort: chosen.map((layer) => `layer ${layer}`) },
    },
    spacing: 6,
    spec: {
      width: 130,
      height: 40,
      mark: { type: "area" as const, interpolate: "step" as const },
      encoding: {
        x: { field: "value", type: "quantitative" as const, title: null, axis: { tickCount: 3 } },
        y: { field: "share", type: "quantitative" as const, title: null, axis: null },
      },
    },
  };
}
