/** The part "Measure": runs the bench in a worker and shows how close each case comes to what this machine can do. */
import { proxy, wrap, type Remote } from "comlink";
import { figure } from "../../bench/report.js";
import { element, explain, percent } from "../elements.js";
import { TITLES } from "./measured.js";
import type { Bench, Measurement } from "./worker.js";

/** Of interleaved rounds; finding the limits takes about as long again. */
const SECONDS = 5;

/** The browser's name and version, from what it says of itself. */
function browserName(userAgent: string): string {
  const names = { Edg: "Edge", Firefox: "Firefox", Chrome: "Chrome", Version: "Safari" };
  for (const [key, name] of Object.entries(names)) {
    const version = new RegExp(`${key}/([\\d.]+)`).exec(userAgent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return "an unknown browser";
}

export class MeasurePanel {
  /** Started by the first run: until then its script is not even fetched. */
  #bench: Remote<Bench> | undefined;
  readonly #run = element("measure-run", HTMLButtonElement);
  readonly #copy = element("measure-copy", HTMLButtonElement);
  #markdown = "";

  constructor() {
    this.#run.addEventListener("click", () => void this.#measure());
    this.#copy.addEventListener("click", () => void this.#copyResult());
  }

  #say(text: string): void {
    element("measure-status").textContent = text;
  }

  async #measure(): Promise<void> {
    this.#run.disabled = true;
    this.#say("Loading the bench …");
    try {
      this.#bench ??= wrap<Bench>(new Worker(new URL("measureWorker.js", import.meta.url), { type: "module" }));
      const engine = browserName(navigator.userAgent);
      const say = proxy((text: string) => this.#say(`${text[0]!.toUpperCase()}${text.slice(1)} …`));
      const { simd, relaxedSimd, fusesMultiplyAdd, threads } = await this.#bench.capabilities();
      const features = { SIMD: simd, "relaxed SIMD": relaxedSimd, "fused multiply-add": fusesMultiplyAdd, threads };
      const words = Object.entries(features).map(([name, there]) => `${there ? "" : "no "}${name}`);
      this.#show(await this.#bench.run(SECONDS, engine, say), engine, words.join(", "));
    } catch (error) {
      this.#say(explain(error));
    }
    this.#run.disabled = false;
  }

  #show({ session, markdown }: Measurement, engine: string, features: string): void {
    const { variant, machine, results } = session;
    element("peak").textContent = `${figure(machine.peak / 1e9)} GFLOP/s`;
    element("variant").textContent = variant;
    element("browser").textContent = engine;
    element("features").textContent = features;
    const rows = results.map(({ case: name, best, unit, shareOfLimit }) => {
      const row = document.createElement("tr");
      const meter = Object.assign(document.createElement("meter"), { value: Math.min(1, shareOfLimit) });
      meter.setAttribute("aria-label", "Share of the limit");
      const title = document.createElement("th");
      title.scope = "row";
      title.textContent = TITLES[name] ?? name;
      row.append(title, cell(`${figure(best)} ${unit}`), cell(percent(shareOfLimit, 0)), cell(meter));
      return row;
    });
    element("measured").replaceChildren(...rows);
    element("measure-result").hidden = false;
    this.#markdown = markdown;
    this.#copy.hidden = false;
    this.#say(`Best of ${session.rounds} interleaved rounds. Other work on this machine makes figures smaller.`);
  }

  async #copyResult(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#markdown);
      this.#say("Copied, as Markdown.");
    } catch {
      // Where the clipboard is closed to pages, the text itself is there to copy.
      const text = element("measure-text", HTMLTextAreaElement);
      text.value = this.#markdown;
      text.hidden = false;
      text.select();
      this.#say("This browser keeps the clipboard to itself: copy the text below.");
    }
  }
}

function cell(content: string | Node): HTMLTableCellElement {
  const made = document.createElement("td");
  made.append(content);
  return made;
}
