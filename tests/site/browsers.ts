/**
 * `npm run test:site`: builds the page, visits it in each browser and closes with the counts. The page lies under a path,
 * without cross-origin isolation, under the strictest policy that lets WebAssembly run.
 *
 *     npm run test:site -- firefox     only this browser; chromium, firefox, webkit
 */
import * as esbuild from "esbuild";
import { readFileSync } from "node:fs";
import path from "node:path";
import { BROWSERS, missing, visit, type BrowserName } from "../../scripts/browsers.js";
import { buildSite, SITE_FOLDER } from "../../scripts/site/build.js";
import type { Findings } from "./visitor.js";

const POLICY = { "Content-Security-Policy": "script-src 'self' 'wasm-unsafe-eval'" };

const counts = { passed: 0, failed: 0, skipped: 0 };

function fail(text: string): void {
  counts.failed++;
  console.log(`  FAILED: ${text}`);
}

/** index.html with the visitor's script before the page's own. */
async function overlay(): Promise<Record<string, string>> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(import.meta.dirname, "visitor.ts")],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
  });
  const page = readFileSync(path.join(SITE_FOLDER, "index.html"), "utf8");
  return {
    "index.html": page.replace("<head>", '<head><script src="visitor.js"></script>'),
    "visitor.js": outputFiles[0]!.text,
  };
}

async function check(browser: BrowserName, files: Record<string, string>): Promise<void> {
  const reason = missing(browser);
  if (reason !== undefined) {
    counts.skipped++;
    console.log(`skipped ${browser}: ${reason}`);
    return;
  }
  console.log(browser);
  const options = { overlay: files, headers: POLICY, base: "/some/path/", timeout: 240 };
  const { result, log } = await visit<Findings>(browser, SITE_FOLDER, options);
  for (const { name, error } of result.steps) {
    if (error === undefined) counts.passed++;
    else fail(`${name}: ${error}`);
  }
  // Chromium prints what its console shows, of workers too. The page itself says nothing there.
  const messages = log.split("\n").filter((line) => line.includes(":CONSOLE"));
  if (messages.length > 0) fail(`the console shows ${messages.join("\n")}`);
  const figures = Object.entries(result.figures).map(([name, value]) => `${name} ${value.toFixed(0)} ms`);
  console.log(`  ${result.steps.length} steps; ${figures.join(", ")}`);
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !BROWSERS.some((browser) => browser === name));
if (unknown !== undefined) {
  fail(`there is no browser "${unknown}", only ${BROWSERS.join(", ")}`);
} else {
  await buildSite();
  const files = await overlay();
  for (const browser of BROWSERS) {
    if (wanted.length > 0 && !wanted.includes(browser)) continue;
    await check(browser, files).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
  }
}
const skipsFail = process.env["CI"] === "true" && counts.skipped > 0;
if (skipsFail) console.log("With CI=true a skipped browser fails the run.");
if (counts.failed > 0 || counts.passed === 0 || skipsFail) process.exitCode = 1;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
