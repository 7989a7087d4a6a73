/** The picture of the square products: GFLOP/s against n, a line a peer, the limit above them. */
import type { PeerCase } from "./cases.js";
import type { PeerResult } from "./measure.js";
import { RELAXED, STRICT } from "./peers.js";
import { LOOK, renderSvg } from "./svg.js";

/** A result of the product of two n×n matrices. */
interface Point {
  readonly n: number;
  readonly speed: number;
  readonly peer: string;
}

/** Of the square products among some cases, their n by the name. */
function squares(cases: readonly PeerCase[]): Map<string, number> {
  const found = cases.flatMap(({ name, task: { operation, sizes } }): [string, number][] => {
    const [n = 0] = sizes;
    return operation === "gemmNN" && sizes.every((size) => size === n) ? [[name, n]] : [];
  });
  return new Map(found);
}

/** Whether some cases make lines. */
export const isDrawable = (cases: readonly PeerCase[]): boolean => squares(cases).size > 1;

/** Ours stand out, limits are grey, others take the colours of Tableau's palette. */
const OWN_COLORS: Readonly<Record<string, string>> = {
  [RELAXED]: "#d62728",
  [STRICT]: "#1f4fd6",
  "simdgrad-prepacked": "#f08a8b",
  "limit-relaxed": "#777777",
  "limit-strict": "#aaaaaa",
};
const COLORS =
  "#2ca02c #ff7f0e #9467bd #8c564b #e377c2 #17becf #bcbd22 #98df8a #ffbb78 #c5b0d5 #c49c94 #f7b6d2 #9edae5".split(" ");
const PANEL = { width: 330, height: 340 };
/** How far the linear axis goes, in units of the limit: wider vectors than WebAssembly's leave the picture. */
const HEADROOM = 1.1;

/** The picture as SVG, of the best samples. */
export function drawChart(results: readonly PeerResult[], cases: readonly PeerCase[]): Promise<string> {
  return renderSvg(chartSpec(results, cases));
}

/** The picture as a Vega-Lite specification. */
export function chartSpec(results: readonly PeerResult[], cases: readonly PeerCase[]): object {
  const sizes = squares(cases);
  const points = results.flatMap(({ case: name, peer, best }): Point[] => {
    const n = sizes.get(name);
    return n === undefined ? [] : [{ n, speed: best, peer }];
  });
  const largest = Math.max(...points.map(({ n }) => n));
  const atLargest = points.filter(({ n }) => n === largest).sort((a, b) => b.speed - a.speed);
  const peers = [...new Set([...atLargest, ...points].map(({ peer }) => peer))];
  const others = peers.filter((peer) => OWN_COLORS[peer] === undefined);
  const colors = peers.map((peer) => OWN_COLORS[peer] ?? COLORS[others.indexOf(peer) % COLORS.length]);
  const isLimit = "test(/^limit/, datum.peer)";
  const isOurs = `datum.peer === "${RELAXED}" || datum.peer === "${STRICT}"`;
  const limit = Math.max(...points.filter(({ peer }) => peer.startsWith("limit")).map(({ speed }) => speed));
  const linear = { zero: true, ...(limit > 0 ? { domainMax: HEADROOM * limit } : {}) };
  const panel = (title: string, scale: object, format: string, values?: number[]) => ({
    ...PANEL,
    title,
    mark: { type: "line", clip: true, point: { size: 12 } },
    encoding: {
      x: {
        field: "n",
        type: "quantitative",
        scale: { type: "log", base: 2, nice: false },
        axis: { title: "n", values: [4, 8, 16, 32, 64, 128, 256, 512, 1024], format: "d", grid: true },
      },
      y: {
        field: "speed",
        type: "quantitative",
        scale,
        axis: { title: "GFLOP/s", format, ...(values && { values }) },
      },
      color: {
        field: "peer",
        type: "nominal",
        scale: { domain: peers, range: colors },
        legend: { titleLimit: 300, title: "from the fastest down", symbolType: "stroke", symbolStrokeWidth: 3 },
      },
      strokeDash: { condition: { test: isLimit, value: [5, 3] }, value: [1, 0] },
      strokeWidth: { condition: { test: isOurs, value: 3 }, value: 1.3 },
    },
  });
  return {
    ...LOOK,
    title: { text: "Product of two n×n float32 matrices on one core, best of interleaved rounds", anchor: "middle" },
    data: { values: points },
    hconcat: [
      panel("up to the limit of 128-bit vectors", { type: "linear", ...linear }, "d"),
      panel("native ones with wider vectors, too", { type: "log", nice: false }, "~g", [0.01, 0.1, 1, 10, 100]),
    ],
  };
}
