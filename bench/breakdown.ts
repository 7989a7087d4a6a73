/**
 * Where the time of a training step goes. The step is the real one, on its own buffers and in its own order: a clock is read
 * before and after each kernel call, and what no kernel takes is the rest.
 */
import { initSync, type Kernels } from "../src/index.js";
import { Desk } from "./desk.js";
import type { Case } from "./harness.js";
import { LOOK } from "./peers/svg.js";
import { drawer, figure } from "./report.js";

/** A part of a step, in seconds a step. */
export interface Part {
  readonly name: string;
  readonly seconds: number;
}

export interface Breakdown {
  readonly case: string;
  /** In the order of their first calls, the rest last; their sum is the time of a step. */
  readonly parts: readonly Part[];
}

/** The share of steps that count: the fastest, which no neighbour disturbed. */
const COUNTED = 0.1;

/** The names of a step's parts by the kernel, but for products. */
const NAMES: Readonly<Record<string, string>> = {
  batchNormForward: "batch norm forward",
  batchNormBackward: "batch norm backward",
  softmaxCrossEntropy: "loss",
  columnSums: "bias gradients",
  sgd: "optimizer",
};

/** Which part a kernel call belongs to. */
export function partOf(kernel: string, args: readonly number[]): string {
  if (kernel !== "sgemm") return NAMES[kernel] ?? kernel;
  const [m = 0, n = 0, k = 0, , , rsA, , rsB] = args.slice(4);
  // y = x·Wᵀ, dW = dyᵀ·x, dx = dy·W: the strides tell which operand is transposed.
  if (rsA === 1 && k !== 1) return `dW ${n} → ${m}`;
  return rsB === 1 ? `forward ${k} → ${n}` : `dX ${n} → ${k}`;
}

type Kernel = (...args: number[]) => unknown;

/** The kernels with a clock around each; `parts` gathers seconds by part. */
export function timed(kernels: Kernels, parts: Map<string, number>, now = (): number => performance.now()): Kernels {
  const all = Object.entries<Kernel>(kernels as unknown as Record<string, Kernel>).map(([name, kernel]) => {
    if (name.endsWith("Size")) return [name, kernel]; // no work
    const run = (...args: number[]) => {
      const begin = now();
      const result = kernel(...args);
      const seconds = (now() - begin) / 1e3;
      const part = partOf(name, args);
      parts.set(part, (parts.get(part) ?? 0) + seconds);
      return result;
    };
    return [name, run];
  });
  return Object.fromEntries(all) as Kernels;
}

/** Runs the steps of a case for some seconds, in a runtime of its own. */
export function breakDown(row: Case<Desk>, variant: "strict" | "relaxed", seconds: number): Breakdown {
  const runtime = initSync({ variant });
  const parts = new Map<string, number>();
  Object.assign(runtime, { kernels: timed(runtime.kernels, parts) });
  const step = row.prepare(new Desk(runtime));
  step.validate();
  const steps: { readonly total: number; readonly parts: ReadonlyMap<string, number> }[] = [];
  for (const end = performance.now() + seconds * 1e3; performance.now() < end;) {
    for (const list of step.args) {
      parts.clear();
      const begin = performance.now();
      step.run(...list);
      steps.push({ total: (performance.now() - begin) / 1e3, parts: new Map(parts) });
    }
  }
  runtime.dispose();
  return { case: row.name, parts: average(steps) };
}

/** The means of the fastest steps. */
export function average(
  steps: readonly { readonly total: number; readonly parts: ReadonlyMap<string, number> }[],
): readonly Part[] {
  const fastest = [...steps].sort((a, b) => a.total - b.total).slice(0, Math.ceil(COUNTED * steps.length));
  const mean = (of: (step: (typeof steps)[number]) => number) => {
    return fastest.reduce((sum, step) => sum + of(step), 0) / fastest.length;
  };
  const names = [...new Set(fastest.flatMap((step) => [...step.parts.keys()]))];
  const parts = names.map((name) => ({ name, seconds: mean((step) => step.parts.get(name) ?? 0) }));
  const rest = mean(({ total }) => total) - parts.reduce((sum, part) => sum + part.seconds, 0);
  return [...parts, { name: "rest", seconds: rest }];
}

/** The parts as a table. */
export function breakdownTable({ case: name, parts }: Breakdown, format: "table" | "markdown"): string {
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  const row = (part: string, seconds: number) => [
    part,
    figure(seconds * 1e3),
    `${((100 * seconds) / total).toFixed(1)} %`,
  ];
  const rows = [...parts.map((part) => row(part.name, part.seconds)), row("all", total)];
  const title = `Where ${name} goes, mean of the fastest tenth of its steps, a clock around each kernel call:`;
  return `${title}\n\n${drawer(format)(["part", "ms", "share"], rows, 1)}`;
}

/** The parts as a stacked bar for each case, a specification of Vega-Lite. */
export function breakdownSpec(breakdowns: readonly Breakdown[], subtitle: string): object {
  const values = breakdowns.flatMap(({ case: name, parts }) => {
    return parts.map(({ name: part, seconds }, order) => ({ case: name, part, order, ms: seconds * 1e3 }));
  });
  const domain = [...new Set(values.map(({ part }) => part))];
  return {
    ...LOOK,
    title: { text: "Where the time of a training step goes", subtitle, anchor: "middle" },
    data: { values },
    width: 640,
    mark: { type: "bar", height: 44 },
    encoding: {
      y: { field: "case", type: "nominal", title: null },
      x: { field: "ms", type: "quantitative", stack: true, title: "ms a step" },
      color: {
        field: "part",
        type: "nominal",
        scale: { domain, scheme: "tableau20" },
        legend: { title: "in order" },
      },
      order: { field: "order" },
    },
  };
}
