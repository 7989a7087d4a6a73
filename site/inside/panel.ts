/** The part "Look inside": the ten-layer experiment and the graph of an expression. */
import { wrap, type Remote } from "comlink";
import { Histogram } from "../chart.js";
import { element, explain, short } from "../elements.js";
import { drawGraph, type ExpressionName } from "./drawnGraph.js";
import { verdict, type Experiment, type Layer } from "./experiment.js";
import type { Inspector } from "./worker.js";

/** The inputs of each expression and where they start. */
const INPUTS: Record<ExpressionName, Record<string, number>> = {
  gates: { x: 3, y: -1, z: 2 },
  neuron: { w: 1.5, x: 2, b: -1, z: 1 },
  softplus: { x: 0.5 },
};

export class InsidePanel {
  readonly #inspector: Remote<Inspector> = wrap(
    new Worker(new URL("insideWorker.js", import.meta.url), { type: "module" }),
  );
  readonly #experiment = element("experiment", HTMLFormElement);
  readonly #expression = element("expression", HTMLFormElement);
  readonly #activations = histograms(element("activations"));
  readonly #gradients = histograms(element("gradients"));

  constructor() {
    this.#experiment.addEventListener("change", () => this.#runExperiment());
    this.#expression.addEventListener("input", ({ target }) => {
      if ((target as HTMLElement).tagName === "SELECT") this.#offerInputs();
      this.#evaluate();
    });
    for (const form of [this.#experiment, this.#expression]) form.addEventListener("submit", (e) => e.preventDefault());
    this.#offerInputs();
    this.#runExperiment();
    this.#evaluate();
  }

  #runExperiment(): void {
    const data = new FormData(this.#experiment);
    const choice = {
      initialization: data.get("initialization"),
      activation: data.get("activation"),
      batchNorm: data.has("batchNorm"),
    } as Experiment;
    this.#inspector.tenLayers(choice).then(
      ({ activations, gradients }) => {
        show(this.#activations, activations);
        show(this.#gradients, gradients);
        element("verdict").textContent = verdict(activations, gradients, choice.activation === "tanh");
      },
      (error: unknown) => (element("verdict").textContent = explain(error)),
    );
  }

  get #name(): ExpressionName {
    return new FormData(this.#expression).get("name") as ExpressionName;
  }

  /** A slider for each input of the chosen expression. */
  #offerInputs(): void {
    const sliders = Object.entries(INPUTS[this.#name]).map(([name, value]) => {
      const label = document.createElement("label");
      const slider = document.createElement("input");
      Object.assign(slider, { type: "range", name, min: "-4", max: "4", step: "0.25", value: String(value) });
      label.append(document.createElement("output"), slider);
      return label;
    });
    element("inputs").replaceChildren(...sliders);
  }

  #evaluate(): void {
    const sliders = [...element("inputs").querySelectorAll("input")];
    for (const slider of sliders) {
      (slider.previousElementSibling as HTMLElement).textContent = `${slider.name} = ${short(slider.valueAsNumber)}`;
    }
    const inputs = Object.fromEntries(sliders.map(({ name, valueAsNumber }) => [name, valueAsNumber]));
    this.#inspector.expression(this.#name, inputs).then(
      (drawn) => drawGraph(element("graph", SVGSVGElement), drawn),
      (error: unknown) => (element("verdict").textContent = explain(error)),
    );
  }
}

interface LayerView {
  readonly histogram: Histogram;
  readonly caption: HTMLElement;
}

/** Ten small histograms with room for a caption. */
function histograms(place: HTMLElement): LayerView[] {
  return Array.from({ length: 10 }, (_, layer) => {
    const cell = document.createElement("li");
    const title = document.createElement("span");
    title.textContent = String(layer + 1);
    const chart = document.createElement("div");
    const caption = document.createElement("small");
    cell.append(title, chart, caption);
    place.append(cell);
    return { histogram: new Histogram(chart), caption };
  });
}

function show(views: readonly LayerView[], layers: readonly Layer[]): void {
  views.forEach(({ histogram, caption }, i) => {
    const { shares, low, high, deviation } = layers[i]!;
    histogram.draw(shares, low, high);
    caption.textContent = short(deviation);
  });
}
