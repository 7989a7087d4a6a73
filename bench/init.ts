/**
 * `npm run bench:init`: how long the package takes to load and `init()` to resolve, cold: each time in a new process of Node
 * and a new Chromium, from dist/ as it is published. Medians of 11 and 7; the targets of init are 10 ms and 30 ms.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { missing, visit } from "../scripts/browsers.js";
import { processor } from "./machine.js";
import { root, runNode } from "./launch.js";

/** Milliseconds. */
interface Cold {
  readonly load: number;
  readonly init: number;
}

/** A module that measures and hands what it found to `report`. */
const script = (entry: string, report: string) => `
  const begin = performance.now();
  const { init } = await import(${JSON.stringify(entry)});
  const loaded = performance.now();
  await init();
  const found = { load: loaded - begin, init: performance.now() - loaded };
  ${report}`;

function inNode(node: string): Cold {
  const code = script("./dist/index.js", "console.log(JSON.stringify(found));");
  const output = execFileSync(node, ["--input-type=module", "--eval", code], { cwd: root, encoding: "utf8" });
  return JSON.parse(output) as Cold;
}

async function inChromium(): Promise<Cold> {
  const overlay = {
    "index.html": `<!doctype html><meta charset="utf-8"><script type="module" src="init.js"></script>`,
    "init.js": script("./index.js", `await fetch("found", { method: "POST", body: JSON.stringify(found) });`),
  };
  const { result } = await visit<Cold>("chromium", path.join(root, "dist"), { overlay, timeout: 60 });
  return result;
}

/** Prints the medians and the best of `rounds` cold starts. */
async function report(
  name: string,
  rounds: number,
  target: number,
  measure: () => Cold | Promise<Cold>,
): Promise<void> {
  const all: Cold[] = [];
  for (let i = 0; i < rounds; i++) all.push(await measure());
  const sorted = (key: keyof Cold) => all.map((cold) => cold[key]).sort((a, b) => a - b);
  const [load, init] = [sorted("load"), sorted("init")];
  const show = (values: number[]) => `${values[rounds >> 1]!.toFixed(1)} (best ${values[0]!.toFixed(1)})`;
  console.log(`${name.padEnd(14)}${show(load).padEnd(22)}${show(init).padEnd(22)}${target}`);
}

runNode("scripts/build.mjs");
console.log(`Cold starts on ${processor}, medians in ms.\n`);
console.log(`${"".padEnd(14)}${"load the package".padEnd(22)}${"init()".padEnd(22)}target of init()`);
await report(`Node ${process.versions.node.split(".")[0]}`, 11, 10, () => inNode(process.execPath));
const node24 = path.join(root, "tools/runtimes/node_modules/node-24/bin/node");
if (existsSync(node24)) await report("Node 24", 11, 10, () => inNode(node24));
const reason = missing("chromium");
if (reason === undefined) await report("Chromium", 7, 30, inChromium);
else console.log(reason);
