/** Runs the bench in a browser: a page without a policy, isolated for the finest clock, whose worker posts what it found. */
import * as esbuild from "esbuild";
import path from "node:path";
import { visit, type BrowserName } from "../../scripts/browsers.js";
import { root } from "../launch.js";
import { cacheLevels } from "../machine.js";
import type { Session } from "../report.js";
import { ISOLATION } from "../../scripts/serve.js";
import type { Config, Posted } from "./worker.js";

/** The page's whole script: a worker that does not start must not keep the bench waiting. */
const PAGE = `<!doctype html><title>bench</title><script>
  new Worker("worker.js", { type: "module" }).onerror = ({ message = "the worker did not start" }) =>
    fetch("session", { method: "POST", body: JSON.stringify({ error: message }) });
</script>`;

/** Seconds that validating, warming up and measuring the limits take at most, for each case and for all. */
const SECONDS_PER_CASE = 1;
const SECONDS_BEFORE = 60;

/** `prefix` starts the browser's command and keeps it on a core. */
export async function runInBrowser(
  browser: BrowserName,
  options: Omit<Config, "levels">,
  prefix: readonly string[],
): Promise<{ session: Session; engine: string }> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(root, "bench/browser/worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    absWorkingDir: root,
    ignoreAnnotations: true, // globals.js is nothing but a side effect
  });
  const config: Config = { ...options, levels: cacheLevels() };
  const { result } = await visit<Posted>(browser, path.join(root, "build"), {
    overlay: { "index.html": PAGE, "worker.js": outputFiles[0]!.text, "config.json": JSON.stringify(config) },
    headers: ISOLATION,
    prefix,
    timeout: options.seconds + SECONDS_PER_CASE * options.cases.length + SECONDS_BEFORE,
  });
  if ("error" in result) throw new Error(`in ${browser}: ${result.error}`);
  const { session, userAgent } = result;
  const version = /(?:Chrome|Firefox|Version)\/([\d.]+)/.exec(userAgent)?.[1] ?? "of an unknown version";
  return { session, engine: `${browser} ${version}` };
}
