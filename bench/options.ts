/** The command line of `npm run bench`, shared by the launcher and by the process that measures. */
import { parseArgs } from "node:util";
import { BROWSERS, type BrowserName } from "../scripts/browsers.js";
import { FIRST, TRANSPOSES, type Sweep, type Transposes } from "./cliffs.js";

export const HELP = `Times the kernels and the training step, beside what this machine could do at best, and where the step's time goes.

    npm run bench [-- FILTER] [options]
    npm run bench -- --cliffs [FROM-TO] [--transposes NN,NT] [options]

FILTER picks the cases whose name contains it, or matches it as a regular expression: "step", "sgemm NT", "^relu".
A matrix product is named after its operands and sizes: sgemm NT 128x256x784 is C = A·Bᵀ with C 128×256 and k = 784.

    --variant strict|relaxed   the binary; by default the one that init() would take
    --engine node-20|…|node-26 the engine, from tools/runtimes; node-24 by default where it is installed
    --engine chromium|firefox|webkit   a browser that is installed, in a worker of a page
    --seconds S                length of the interleaved rounds (30)
    --core C                   the core to stay on (the last one)
    --json                     one JSON line a case
    --markdown                 a table for bench/RESULTS.md
    --chart FILE.svg           a picture of where training steps go, a stacked bar a case
    --cliffs [FROM-TO]         squares of every size (16-140), then the steps from n to n + 1 at which speed falls most
    --transposes NN,NT,TN,TT   which of them --cliffs measures (NN,NT)
    --list                     the names of the cases, and nothing else
    --help                     this text
`;

/** The largest size of a sweep: all of its matrices are in memory at once, 6 n² floats a size. */
const LARGEST = 512;

export interface Options {
  readonly filter: string;
  readonly variant: "strict" | "relaxed" | "auto";
  readonly engine: string | undefined;
  readonly seconds: number;
  readonly core: number | undefined;
  readonly format: Format;
  /** Where the picture goes. */
  readonly chart: string | undefined;
  /** The squares to measure in place of the table's cases. */
  readonly sweep: Sweep | undefined;
  readonly list: boolean;
  readonly help: boolean;
}

/** Reads the arguments; throws an Error that explains itself to the person who typed them. */
export function parseOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      variant: { type: "string", default: "auto" },
      engine: { type: "string" },
      seconds: { type: "string", default: "30" },
      core: { type: "string" },
      json: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      chart: { type: "string" },
      cliffs: { type: "boolean", default: false },
      transposes: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { variant, engine, json, markdown, list, help } = values;
  if (variant !== "strict" && variant !== "relaxed" && variant !== "auto") {
    throw new Error(`--variant is strict or relaxed, not "${variant}".`);
  }
  if (engine !== undefined && !isBrowser(engine) && !/^node-\d+$/.test(engine)) {
    throw new Error(`--engine is a Node release such as node-24, or ${BROWSERS.join(", ")}, not "${engine}".`);
  }
  const words = positionals.join(" ");
  if (!values.cliffs && values.transposes !== undefined) throw new Error("--transposes goes with --cliffs.");
  if (values.cliffs && values.chart !== undefined) throw new Error("--chart is of training steps, not of --cliffs.");
  return {
    filter: values.cliffs ? "" : words,
    variant,
    engine,
    seconds: parseSeconds(values.seconds),
    core: parseCore(values.core),
    format: parseFormat(json, markdown),
    chart: parseSvg(values.chart),
    sweep: values.cliffs ? parseSweep(words || "16-140", values.transposes ?? "NN,NT") : undefined,
    list,
    help,
  };
}

export function isBrowser(engine: string | undefined): engine is BrowserName {
  return BROWSERS.some((browser) => browser === engine);
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds < Infinity) return seconds;
  throw new Error(`--seconds is a positive number of seconds, not "${text}".`);
}

export function parseCore(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const core = Number(text);
  if (Number.isInteger(core) && core >= 0) return core;
  throw new Error(`--core is the number of a core, counted from 0, not "${text}".`);
}

/** The sizes FROM-TO and a list of transposes with commas between them. */
function parseSweep(range: string, list: string): Sweep {
  const [, from = NaN, to = NaN] = (/^(\d+)-(\d+)$/.exec(range) ?? []).map(Number);
  if (!(from >= FIRST && from < to && to <= LARGEST)) {
    throw new Error(`--cliffs takes sizes FROM-TO with ${FIRST} ≤ FROM < TO ≤ ${LARGEST}, not "${range}".`);
  }
  const transposes = list.split(",");
  if (!transposes.every(isTransposes) || new Set(transposes).size < transposes.length) {
    throw new Error(`--transposes is some of ${TRANSPOSES.join(",")}, not "${list}".`);
  }
  return { from, to, transposes };
}

function isTransposes(text: string): text is Transposes {
  return TRANSPOSES.some((transposes) => transposes === text);
}

export function parseSvg(file: string | undefined): string | undefined {
  if (file === undefined || file.endsWith(".svg")) return file;
  throw new Error(`--chart is a FILE.svg, not "${file}".`);
}

export type Format = "table" | "json" | "markdown";

export function parseFormat(json: boolean, markdown: boolean): Format {
  if (json && markdown) throw new Error("--json and --markdown exclude each other.");
  return json ? "json" : markdown ? "markdown" : "table";
}

/** The rows whose name contains the filter or matches it as a regular expression; an empty filter takes them all. */
export function select<Named extends { readonly name: string }>(rows: readonly Named[], filter: string): Named[] {
  const containing = rows.filter((row) => row.name.includes(filter));
  if (containing.length > 0) return containing;
  let pattern: RegExp;
  try {
    pattern = new RegExp(filter);
  } catch {
    return [];
  }
  return rows.filter((row) => pattern.test(row.name));
}
