/** Charts by uPlot in the page's colours, as wide as their place. */
import uPlot from "uplot";
import { color, onSchemeChange } from "./elements.js";

export interface ChartOptions {
  /** How many lines, from the accent colour on. */
  readonly range?: readonly [low: number | null, high: number | null];
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

/** One line of y over x. */
export class LineChart {
  readonly #plot: uPlot;

  constructor(place: HTMLElement, { range, logarithmic = false, format }: ChartOptions = {}) {
    const size = () => ({ width: place.clientWidth, height: place.clientHeight });
    this.#plot = new uPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 8, 0, 0],
        scales: {
          x: { time: false },
          y: {
            distr: logarithmic ? 3 : 1,
            ...(range && { range: (_, low, high) => [range[0] ?? low, range[1] ?? high] }),
          },
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
