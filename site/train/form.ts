/** The form: reads and sets the choices. */
import { DATA_SETS, type Choices, type DataSetName } from "./choices.js";

/** What suits each data set, set when it is chosen. */
const PRESETS: Record<"mnist" | "toy", Record<string, string | boolean>> = {
  mnist: { hidden: "256, 128", batchNorm: true, learningRate: "0.002", batchSize: "128", epochs: "4" },
  toy: { hidden: "32, 32", batchNorm: false, learningRate: "0.01", batchSize: "64", epochs: "300" },
};

type Field = HTMLInputElement | HTMLSelectElement;

export class Form {
  /** Called when a choice has changed, and when the form is sent. */
  onChange: () => void = () => undefined;
  onSubmit: () => void = () => undefined;
  readonly #form: HTMLFormElement;

  constructor(form: HTMLFormElement) {
    this.#form = form;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.onSubmit();
    });
    form.addEventListener("change", ({ target }) => {
      const { name, value } = target as Field;
      if (name === "data") this.#preset(value as DataSetName);
      if (name !== "") this.onChange();
    });
  }

  get valid(): boolean {
    return this.#form.reportValidity();
  }

  get choices(): Choices {
    const data = new FormData(this.#form);
    const text = (name: string) => (data.get(name) as string | null) ?? "";
    const number = (name: string) => Number(text(name));
    return {
      data: text("data") as Choices["data"],
      hidden: text("hidden")
        .split(",")
        .map(Number)
        .filter((width) => width > 0),
      activation: text("activation") as Choices["activation"],
      batchNorm: data.has("batchNorm"),
      dropout: number("dropout"),
      optimizer: text("optimizer") as Choices["optimizer"],
      learningRate: number("learningRate"),
      batchSize: number("batchSize"),
      epochs: number("epochs"),
      seed: number("seed"),
      variant: text("variant") as Choices["variant"],
    };
  }

  /** Sets every field from the choices in a weights file; throws an Error where they are none. */
  set(json: string): void {
    const choices = JSON.parse(json) as Partial<Record<string, unknown>>;
    if (!DATA_SETS.includes(choices["data"] as DataSetName))
      throw new Error("The file names no data set of this page.");
    const { hidden, ...others } = choices;
    this.#assign({ ...others, hidden: Array.isArray(hidden) ? hidden.join(", ") : "" });
  }

  #preset(data: DataSetName): void {
    this.#assign(PRESETS[data === "mnist" ? "mnist" : "toy"]);
  }

  #assign(values: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(values)) {
      const field = this.#form.elements.namedItem(name) as Field | null;
      if (!field) continue;
      if (typeof value === "boolean") (field as HTMLInputElement).checked = value;
      else field.value = String(value);
    }
  }
}
