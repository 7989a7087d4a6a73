import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Adagrad,
  Adam,
  AdamW,
  BatchNorm,
  Dense,
  initSync,
  RmsProp,
  Sequential,
  Sgd,
  stepDecay,
  type Optimizer,
  type OptimizerOptions,
  type Parameter,
  type ParameterGroup,
} from "../../src/index.js";
import { expectSameBits } from "../support/compare.js";
import { Random } from "../support/random.js";
import { refuses, runtimeOf, VARIANTS } from "./support.js";

const KINDS: [name: string, make: (options: OptimizerOptions) => Optimizer][] = [
  ["Sgd", (options) => new Sgd(options)],
  ["Sgd with momentum", (options) => new Sgd({ ...options, momentum: 0.9 })],
  ["Adam", (options) => new Adam(options)],
  ["AdamW", (options) => new AdamW(options)],
  ["RmsProp", (options) => new RmsProp({ ...options, momentum: 0.5 })],
  ["Adagrad", (options) => new Adagrad(options)],
];

const STEPS = 4;
const build = (variant: "strict" | "relaxed") =>
  new Sequential(runtimeOf(variant), [new Dense(5, 7), new BatchNorm(7), new Dense(7, 6), new Dense(6, 2)], {
    seed: 5,
  });

/** All parameters after some steps by the same gradients. */
function trained(variant: "strict" | "relaxed", optimizer: Optimizer): Map<string, Float32Array> {
  const model = build(variant);
  optimizer.bind(model);
  for (let step = 0; step < STEPS; step++) {
    const random = new Random(step);
    for (const { gradient } of model.parameters) gradient.from(random.floats(gradient.size));
    optimizer.step();
  }
  const values = new Map(model.parameters.map(({ name, value }) => [name, value.toArray()]));
  model.dispose();
  return values;
}

for (const { variant, skip } of VARIANTS) {
  describe(`parameter groups, ${variant}`, { skip: skip !== false }, () => {
    for (const [name, make] of KINDS) {
      it(`${name}: each group moves as if all of the model had its settings`, () => {
        const head = { learningRate: 0.5, weightDecay: 0.25 };
        const gamma = { learningRate: stepDecay(0.01, { every: 2 }), l1: 0.5 };
        const all = { learningRate: 0.125, weightDecay: 0.0625, l1: 0.03125 };
        const groups: ParameterGroup[] = [
          { layers: [2, 3], ...head },
          { parameters: (parameter: Parameter) => parameter.name.endsWith("gamma"), ...gamma },
        ];
        const actual = trained(variant, make({ ...all, groups }));
        const alone = [all, { ...all, ...head }, { ...all, ...gamma }].map((options) =>
          trained(variant, make(options)),
        );
        for (const [parameter, values] of actual) {
          const group = parameter.endsWith("gamma")
            ? 2
            : parameter.startsWith("2.") || parameter.startsWith("3.")
              ? 1
              : 0;
          expectSameBits(name, parameter, values, alone[group]!.get(parameter)!);
          // The test can tell the groups apart.
          alone.forEach((other, i) => {
            if (i !== group) assert.notDeepEqual(values, other.get(parameter), `${parameter} in group ${String(i)}`);
          });
        }
      });
    }
  });
}

describe("parameter groups", () => {
  const runtime = initSync();

  /** The sizes of the kernel calls of a step, and the learning rate of each. */
  function callsOf(optimizer: Optimizer, frozen: number[] = []): (readonly [size: number, rate: number])[] {
    const model = new Sequential(runtime, [new Dense(16, 16), new Dense(16, 32), new Dense(32, 48)], { seed: 1 });
    const calls: (readonly [number, number])[] = [];
    const sgd = runtime.kernels.sgd;
    Object.defineProperty(runtime, "kernels", {
      configurable: true,
      value: {
        ...runtime.kernels,
        sgd: (_w: number, _dw: number, size: number, rate: number) => calls.push([size, rate]),
      },
    });
    optimizer.bind(model);
    model.freeze(...frozen);
    optimizer.step();
    Object.defineProperty(runtime, "kernels", { configurable: true, value: { ...runtime.kernels, sgd } });
    model.dispose();
    return calls;
  }
  const [weights, biases] = [
    [256, 512, 1536],
    [16, 32, 48],
  ];

  it("one call covers all parameters that share their settings", () => {
    const sum = (...sizes: number[]) => sizes.reduce((a, b) => a + b);
    assert.deepEqual(callsOf(new Sgd({ learningRate: 1 })), [[sum(...weights, ...biases), 1]]);
    assert.deepEqual(callsOf(new Sgd({ learningRate: 1, weightDecay: 1 })), [
      [sum(...weights), 1],
      [sum(...biases), 1],
    ]);
    const groups = [{ layers: [0, 1], learningRate: 0.5 }];
    assert.deepEqual(callsOf(new Sgd({ learningRate: 1, groups })), [
      [256 + 512, 0.5],
      [1536, 1],
      [16 + 32, 0.5],
      [48, 1],
    ]);
    assert.deepEqual(callsOf(new Sgd({ learningRate: 1, groups }), [0]), [
      [512, 0.5],
      [1536, 1],
      [32, 0.5],
      [48, 1],
    ]);
  });

  it("a group without a rate follows the optimizer's, also when that is set anew", () => {
    const optimizer = new Sgd({ learningRate: 1, groups: [{ layers: [2], weightDecay: 0.5 }] });
    optimizer.learningRate = 0.25;
    assert.deepEqual([...new Set(callsOf(optimizer).map(([, rate]) => rate))], [0.25]);
  });

  const model = new Sequential(runtime, [new Dense(2, 3), new Dense(3, 1)]);
  const rate = "a finite float32 of at least 0";
  const bad: [options: ParameterGroup, message: string][] = [
    [{ layers: [0], learningRate: -1 }, `Sgd: groups[0].learningRate is -1; it must be ${rate}.`],
    [{ layers: [0], weightDecay: NaN }, `Sgd: groups[0].weightDecay is NaN; it must be ${rate}.`],
    [{ layers: [0], l1: Infinity }, `Sgd: groups[0].l1 is Infinity; it must be ${rate}.`],
    [{ learningRate: 1 }, "Sgd: groups[0] has neither layers nor parameters; it needs one of them."],
    [{ layers: [0], parameters: () => true }, "Sgd: groups[0] has both layers and parameters; it needs one of them."],
    [{ layers: 1 as never }, "Sgd: groups[0].layers is 1; it must be an array of layer numbers."],
    [{ layers: [0.5] }, "Sgd: groups[0].layers is 0.5; it must be an integer from 0 to 2147483647."],
    [{ parameters: "all" as never }, 'Sgd: groups[0].parameters is "all"; it must be a function of a parameter.'],
    [{ layers: [2] }, "Sgd.bind: groups[0] has none of the model's parameters; it needs one."],
    [{ layers: [] }, "Sgd.bind: groups[0] has none of the model's parameters; it needs one."],
  ];
  for (const [group, message] of bad) {
    it(`refuses: ${message}`, () => {
      refuses(runtime, () => new Sgd({ groups: [group] }).bind(model), "ERR_ARGUMENT", message);
    });
  }

  it("refuses a parameter in two groups, and a schedule's bad rate before anything moves", () => {
    const twice = [{ layers: [1] }, { parameters: ({ name }: Parameter) => name.endsWith("bias") }];
    const message = "Sgd.bind: 1.bias is in groups[0] and groups[1]; one group at most may have it.";
    refuses(runtime, () => new Sgd({ groups: twice }).bind(model), "ERR_ARGUMENT", message);
    const optimizer = new Sgd({ groups: [{ layers: [1], learningRate: () => NaN }] }).bind(model);
    const late = `Sgd: groups[0].learningRate(0) is NaN; it must be ${rate}.`;
    refuses(runtime, () => optimizer.step(), "ERR_ARGUMENT", late);
    assert.equal(optimizer.steps, 0);
  });
});
