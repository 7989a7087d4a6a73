/** A suite in a Web Worker, whose first message is the order, or in a worker_thread, whose data is. Posts the report. */
import type { Report } from "./nodeTest.js";
import { start, type Order } from "./start.js";

/** What is the same in both. */
const page = globalThis as unknown as {
  onmessage: unknown;
  postMessage?: (report: Report) => void;
};

if (typeof page.postMessage === "function") {
  page.onmessage = async ({ data }: { data: Order }) => page.postMessage?.(await start(data));
} else {
  const thread = await import("node:worker_threads");
  thread.parentPort?.postMessage(await start(thread.workerData as Order));
}
