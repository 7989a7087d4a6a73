/** Keeps what a person would only find in the developer tools: errors of the page and its workers, and long tasks. */

/** Everything that went wrong so far, in words. */
export const errors: string[] = [];

/** Milliseconds of each task of the main thread of more than 50 ms, where the browser tells (Chromium). */
export const longTasks: { readonly start: number; readonly duration: number }[] = [];

/** Starts to watch; before any other script. */
export function watch(): void {
  addEventListener(
    "error",
    ({ message, target }) => {
      errors.push(message || `${(target as Element).tagName} did not load`);
    },
    true,
  );
  addEventListener("unhandledrejection", ({ reason }) => errors.push(`unhandled: ${String(reason)}`));
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    errors.push(`${violatedDirective} forbids ${blockedURI}`);
  });
  for (const kind of ["error", "warn"] as const) {
    console[kind] = (...words: unknown[]) => void errors.push(words.map(String).join(" "));
  }
  watchWorkers();
  if (!PerformanceObserver.supportedEntryTypes.includes("longtask")) return;
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ start: startTime, duration });
  }).observe({ type: "longtask", buffered: true });
}

/** Errors in a worker reach nobody but its own `error` event. */
function watchWorkers(): void {
  const Plain = Worker;
  globalThis.Worker = class extends Plain {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener("error", ({ message }) => errors.push(`worker: ${message}`));
    }
  };
}

/** Requests that the server refused, where the browser tells. */
export function refusedRequests(): string[] {
  const requests = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  return requests
    .filter(({ responseStatus }) => responseStatus >= 400)
    .map(({ name, responseStatus }) => `${name}: ${responseStatus}`);
}
