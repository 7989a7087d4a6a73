/** A suite in a runtime with a console: `program.js ORDER [--thread]` prints the report, a line of JSON. */
import type { Report } from "./nodeTest.js";
import { start, type Order } from "./start.js";

const { argv } = globalThis.process;
const order = JSON.parse(argv[2] ?? "{}") as Order;

/** In a worker_thread instead of this one. */
async function inThread(): Promise<Report> {
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: order });
  return new Promise((resolve, reject) => worker.once("error", reject).once("message", resolve));
}

console.log(JSON.stringify(await (argv.includes("--thread") ? inThread() : start(order))));
globalThis.process.exit(); // the thread may live on
