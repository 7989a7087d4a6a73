/** The command line of `npm run bench:peers`. */
import { parseArgs } from "node:util";
import { parseCore, parseFormat, parseSeconds, parseSvg, type Format } from "../options.js";
import { SUITES, type Suite } from "./cases.js";
import { INSTALL } from "./peers.js";

export const HELP = `Compares simdgrad with its peers: the same data, results checked first, all pinned to one core, in interleaved rounds.

    npm run bench:peers -- SUITE [FILTER] [options]

SUITE is ${SUITES.join(", ")}. FILTER picks the cases whose name contains it, or matches it as a regular expression.
A matrix product is named after its operands and sizes: NT 128x256x784 is C = A·Bᵀ with C 128×256 and k = 784.

    --peers NAME,NAME   only these peers
    --seconds S         length of the interleaved rounds of each case (3)
    --core C            the core to stay on (the last one)
    --json              one JSON line a case and peer
    --markdown          tables for bench/RESULTS.md
    --chart FILE.svg    of gemm: a picture of the square products, GFLOP/s against n
    --list              the names of the cases and of the peers, and nothing else
    --help              this text

The JavaScript peers come from bench/peers/package.json: ${INSTALL}
Native peers (OpenBLAS, Eigen, numpy) take part where the machine has them.
`;

/** The suite of the picture. */
const CHARTED: Suite = "gemm";

export interface Options {
  readonly suite: Suite;
  readonly filter: string;
  /** Names of peers; undefined means all. */
  readonly peers: readonly string[] | undefined;
  readonly seconds: number;
  readonly core: number | undefined;
  readonly format: Format;
  /** Where the picture goes. */
  readonly chart: string | undefined;
  readonly list: boolean;
}

/** Reads the arguments; undefined where they ask for help. Throws an Error that explains itself to the person who typed them. */
export function parseOptions(argv: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      peers: { type: "string" },
      seconds: { type: "string", default: "3" },
      core: { type: "string" },
      json: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      chart: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const [name, ...words] = positionals;
  const suite = SUITES.find((one) => one === name);
  if (suite === undefined) {
    throw new Error(`SUITE is ${SUITES.join(", ")}${name === undefined ? "; none came" : `, not "${name}"`}.`);
  }
  return {
    suite,
    filter: words.join(" "),
    peers: values.peers?.split(",").filter(Boolean),
    seconds: parseSeconds(values.seconds),
    core: parseCore(values.core),
    format: parseFormat(values.json, values.markdown),
    chart: parseChart(values.chart, suite),
    list: values.list,
  };
}

function parseChart(file: string | undefined, suite: Suite): string | undefined {
  if (file !== undefined && suite !== CHARTED) throw new Error(`--chart is of ${CHARTED}, not of ${suite}.`);
  return parseSvg(file);
}
