/** The part "Train": the form, the worker that trains, and what it reports. */
import { proxy, wrap, type Remote } from "comlink";
import { LineChart } from "../chart.js";
import { element, explain, percent, short, whole } from "../elements.js";
import { DigitView } from "./digits.js";
import { DrawingPad } from "./drawing.js";
import { Form } from "./form.js";
import { readMetadata } from "./safetensors.js";
import { SurfaceView } from "./surface.js";
import type { Created, Progress, Trainer } from "./trainer.js";

/** What the button does: it trains, pauses or goes on. */
type State = "loading" | "ready" | "training" | "paused";

const LABELS: Record<State, string> = { loading: "Train", ready: "Train", training: "Pause", paused: "Resume" };

export class TrainPanel {
  readonly #trainer: Remote<Trainer> = wrap(new Worker(new URL("trainWorker.js", import.meta.url), { type: "module" }));
  readonly #form = new Form(element("choices", HTMLFormElement));
  readonly #run = element("run", HTMLButtonElement);
  readonly #restart = element("restart", HTMLButtonElement);
  readonly #download = element("download", HTMLButtonElement);
  readonly #upload = element("upload", HTMLButtonElement);
  readonly #file = element("weights-file", HTMLInputElement);
  readonly #lossChart = new LineChart(element("loss-chart"), { low: 0 });
  readonly #accuracyChart = new LineChart(element("accuracy-chart"), {
    high: 1,
    format: (share) => percent(share, 0),
  });
  readonly #digits = new DigitView(element("digits"));
  readonly #surface = new SurfaceView(element("surface", HTMLCanvasElement));
  readonly #pad: DrawingPad;
  #state: State = "loading";
  #variant = "";
  #classes = 0;
  /** Thousands of examples seen, loss and accuracy of each report. */
  #history = { seen: [] as number[], loss: [] as number[], accuracy: [] as number[] };

  constructor() {
    this.#pad = new DrawingPad((pixels) => this.#trainer.classify(pixels));
    this.#form.onSubmit = () => this.#do(() => this.#press());
    this.#form.onChange = () => this.#do(() => this.#create());
    this.#restart.addEventListener("click", () => this.#do(() => this.#create()));
    this.#download.addEventListener("click", () => this.#do(() => this.#save()));
    this.#upload.addEventListener("click", () => this.#file.click());
    this.#file.addEventListener("change", () => this.#do(() => this.#load()));
    this.#do(() => this.#create());
  }

  /** Runs what a person asked for and says why where it fails. */
  #do(action: () => Promise<void>): void {
    action().catch((error: unknown) => {
      this.#become("loading", explain(error));
      this.#restart.disabled = false;
    });
  }

  #become(state: State, status: string): void {
    this.#state = state;
    this.#run.textContent = LABELS[state];
    for (const button of [this.#run, this.#restart, this.#download, this.#upload])
      button.disabled = state === "loading";
    element("train-status").textContent = status;
  }

  async #press(): Promise<void> {
    switch (this.#state) {
      case "ready":
        return this.#train();
      case "training":
        await this.#trainer.pause();
        return this.#become("paused", "Paused. Drawing, download and upload work all the time.");
      case "paused":
        await this.#trainer.resume();
        return this.#become("training", "Training …");
      case "loading":
    }
  }

  /** A network as the form describes it, with new weights or those of a file. */
  async #create(weights?: ArrayBuffer): Promise<void> {
    if (!this.#form.valid) return;
    const choices = this.#form.choices;
    this.#become("loading", "Loading …");
    const created = await this.#trainer.create(choices, weights);
    this.#variant = created.variant;
    this.#classes = created.classes;
    this.#history = { seen: [], loss: [], accuracy: [] };
    this.#show(created);
    this.#report(created.progress);
    const kernels = created.variant === "strict" ? "strict kernels" : "relaxed SIMD kernels";
    this.#become("ready", `${whole(created.parameters)} parameters; ${kernels}.`);
  }

  async #train(): Promise<void> {
    this.#become("training", "Training …");
    const created = this.#history;
    await this.#trainer.train(
      proxy((progress: Progress) => void (created === this.#history && this.#report(progress))),
    );
    if (created === this.#history) this.#become("ready", "Done. Train again to go on from here.");
  }

  /** Shows the examples that the network will be asked. */
  #show({ train, shown }: Created): void {
    element("surface-view").hidden = train === undefined;
    element("digits-view").hidden = train !== undefined;
    if (train) this.#surface.setExamples(train);
    else this.#digits.setExamples(shown);
  }

  #report({ seen, arrived, total, loss, accuracy, rate, shown }: Progress): void {
    element("accuracy").textContent = percent(accuracy);
    element("loss").textContent = Number.isNaN(loss) ? "–" : short(loss);
    element("rate").textContent = rate > 0 ? whole(rate) : "–";
    element("epoch").textContent = (seen / total).toFixed(1);
    if (this.#state === "training" && arrived > 0) {
      const missing = arrived < total ? `; ${whole(arrived)} of ${whole(total)} examples have arrived` : "";
      element("train-status").textContent = `Training${missing} …`;
    }
    if (!Number.isNaN(loss)) {
      const { seen: x, loss: losses, accuracy: accuracies } = this.#history;
      x.push(seen / 1e3);
      losses.push(loss);
      accuracies.push(accuracy);
    }
    this.#lossChart.draw(this.#history.seen, this.#history.loss);
    this.#accuracyChart.draw(this.#history.seen, this.#history.accuracy);
    if (element("surface-view").hidden) {
      this.#digits.setReadings(shown);
      this.#pad.read();
    } else {
      this.#surface.setProbabilities(shown, this.#classes);
    }
  }

  async #save(): Promise<void> {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await this.#trainer.save()]));
    link.download = `simdgrad-${this.#form.choices.data}.safetensors`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  /** Takes the network's description and its weights from a file. */
  async #load(): Promise<void> {
    const file = this.#file.files?.[0];
    if (!file) return;
    const bytes = await file.arrayBuffer();
    this.#file.value = "";
    const { choices } = readMetadata(bytes);
    if (choices === undefined) throw new Error(`${file.name} does not say which network its weights belong to.`);
    this.#form.set(choices);
    await this.#create(bytes);
    element("train-status").textContent = `${file.name} is loaded (${this.#variant} kernels).`;
  }
}
