/** Charts by uPlot in the page's colours, as wide as their place. */
import uPlot from "uplot";
import { color, onSchemeChange } from "./elements.js";

export interface ChartOptions {
  /** Where the y-axis begins and ends, however the values lie. */
  readonly low?: number;
  readonly high?: number;
  readonly logarithmic?: boolean;
  readonly format?: (value: number) => string;
}

const FONT = "11px system-ui, sans-serif";

function axis(format?: (value: number) => string): uPlot.Axis {
  return {
    stroke: () => color("quiet"),
    grid: { stroke: () => color("line"), width: 1 },
    ticks: { show: false },
    font: FONT,
    size: 34,
    ...(format && { values: (_: uPlot, ticks: number[]) => ticks.map((tick) => (tick === null ? "" : format(tick))) }),
  };
}

/** An end of an axis: at `value` if there is one, else a little beyond the values. */
function end(value: number | undefined): uPlot.Range.Limit {
  return value === undefined ? { pad: 0.1 } : { pad: 0, hard: value, soft: value, mode: 1 };
}

/** One line of y over x. */
export class LineChart {
  readonly #plot: uPlot;

  constructor(place: HTMLElement, { low, high, logarithmic = false, format }: ChartOptions = {}) {
    const size = () => ({ width: place.clientWidth, height: place.clientHeight });
    this.#plot = new uPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 8, 0, 0],
        scales: {
          x: { time: false },
          y: logarithmic ? { distr: 3 } : { range: { min: end(low), max: end(high) } },
        },
        axes: [
          { ...axis(), size: 26, space: 60 },
          { ...axis(format), size: 44, space: 32 },
        ],
        series: [{}, { stroke: () => color("accent"), width: 2, points: { show: false } }],
      },
      [[], []],
      place,
    );
    new ResizeObserver(() => this.#plot.setSize(size())).observe(place);
    onSchemeChange(() => this.#plot.redraw());
  }

  draw(x: readonly number[], y: readonly number[]): void {
    this.#plot.setData([x as number[], y as number[]]);
  }
}

/** How many times as high as the second highest bar the highest may be. */
const SPIKE = 4;

/** Bars side by side, from `low` to `high`, without axes. */
export class Histogram {
  readonly #plot: uPlot;

  constructor(place: HTMLElement) {
    const size = () => ({ width: place.clientWidth, height: place.clientHeight });
    this.#plot = new uPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { show: false },
        padding: [4, 0, 0, 0],
        scales: {
          x: { time: false, range: (_, low, high) => [low, high] },
          y: { range: { min: end(0), max: end(undefined) } },
        },
        axes: [{ show: false }, { show: false }],
        series: [
          {},
          {
            fill: () => color("accent"),
            stroke: () => color("accent"),
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars!({ size: [0.9, Infinity], align: 1 }),
          },
        ],
      },
      [[], []],
      place,
    );
    new ResizeObserver(() => this.#plot.setSize(size())).observe(place);
    onSchemeChange(() => this.#plot.redraw());
  }

  /** Shares of equally wide bins. */
  draw(shares: readonly number[], low: number, high: number): void {
    const width = (high - low) / shares.length;
    // One more, empty, so that the last bar has its width.
    const begins = Array.from({ length: shares.length + 1 }, (_, bin) => low + bin * width);
    // A spike, such as that of ReLU's zeros, is cut: it would press all others flat.
    const [, second = 0] = [...shares].sort((a, b) => b - a);
    const cut = second > 0 ? SPIKE * second : Infinity;
    this.#plot.setData([begins, [...shares.map((share) => Math.min(share, cut)), 0]]);
  }
}
