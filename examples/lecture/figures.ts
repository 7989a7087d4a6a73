/** Figures as SVG, from Vega-Lite specifications, without a browser. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const CONFIG = {
  background: "white",
  aria: false,
  font: "system-ui, sans-serif",
  view: { stroke: "#cccccc" },
  axis: { gridColor: "#eeeeee" },
};

export async function toSvg(figure: TopLevelSpec): Promise<string> {
  const { spec } = compile({ ...figure, padding: 12 }, { config: CONFIG });
  return new View(parse(spec), { renderer: "none" }).toSVG();
}
