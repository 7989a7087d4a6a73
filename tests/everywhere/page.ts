/** A suite in a page: `?ORDER` in it, `?ORDER#worker` in a Web Worker. Posts the report to the server. */
import type { Report } from "./nodeTest.js";
import { start, type Order } from "./start.js";

function inWorker(order: Order): Promise<Report> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.postMessage(order);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data as Report);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

const order = JSON.parse(decodeURIComponent(location.search.slice(1))) as Order;
let result: unknown;
try {
  result = await (location.hash === "#worker" ? inWorker(order) : start(order));
} catch (error) {
  result = { error: String(error) };
}
await fetch("report", { method: "POST", body: JSON.stringify(result) });
