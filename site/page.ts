/** Brings the page's parts to life; index.html holds all that they show. */
import { element, explain } from "./elements.js";
import { InsidePanel } from "./inside/panel.js";
import { MeasurePanel } from "./measure/panel.js";
import { TrainPanel } from "./train/panel.js";

try {
  new TrainPanel();
  new InsidePanel();
  new MeasurePanel();
} catch (error) {
  const failure = element("failure");
  failure.textContent = explain(error);
  failure.hidden = false;
}
