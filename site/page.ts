/** Brings the page's parts to life; index.html holds all that they show. */
import { element, explain } from "./elements.js";
import { TrainPanel } from "./train/panel.js";

try {
  new TrainPanel();
} catch (error) {
  const failure = element("failure");
  failure.textContent = explain(error);
  failure.hidden = false;
}
