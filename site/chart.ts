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
