/** Pictures from specifications of Vega-Lite, whose packages are among those of bench/peers. */
import { existsSync } from "node:fs";
import path from "node:path";
import { load } from "./packages.js";

interface Vega {
  parse(spec: object): object;
  readonly View: new (runtime: object, options: { renderer: "none" }) => { toSVG(): Promise<string> };
}

interface VegaLite {
  compile(spec: object): { readonly spec: object };
}

/** Whether the packages are installed. */
export const canDraw = (): boolean => existsSync(path.join(import.meta.dirname, "node_modules/vega-lite"));

/** The picture of a specification. */
export async function renderSvg(specification: object): Promise<string> {
  const [vega, vegaLite] = [(await load("vega")) as Vega, (await load("vega-lite")) as VegaLite];
  const { spec } = vegaLite.compile(specification);
  return new vega.View(vega.parse(spec), { renderer: "none" }).toSVG();
}

/** What all pictures look alike in. */
export const LOOK = {
  background: "white",
  padding: 12,
  config: { aria: false, font: "system-ui, sans-serif", view: { stroke: "#cccccc" }, axis: { gridColor: "#eeeeee" } },
};
